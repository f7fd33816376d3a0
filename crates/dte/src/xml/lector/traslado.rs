//! How goods travel, within the country and out of it.

use super::super::arbol::Id;
use super::{Lector, nombres};
use crate::model::{Aduana, GuiaExport, TipoBultos, Transporte};

impl Lector<'_, '_> {
    pub(super) fn transporte(&mut self, id: Id) -> Transporte {
        let mut transporte = Transporte::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "Patente" => transporte.patente = self.texto(hijo),
                "RUTTrans" => transporte.rut_trans = self.texto(hijo),
                "Chofer" => {
                    transporte.rut_chofer = self.texto_de(hijo, "RUTChofer");
                    transporte.nombre_chofer = self.texto_de(hijo, "NombreChofer");
                }
                "FchSalida" => transporte.fch_salida = self.texto(hijo),
                "HraSalida" => transporte.hra_salida = self.texto(hijo),
                "FchLlegada" => transporte.fch_llegada = self.texto(hijo),
                "DirDest" => transporte.dir_dest = self.texto(hijo),
                "CmnaDest" => transporte.cmna_dest = self.texto(hijo),
                "CiudadDest" => transporte.ciudad_dest = self.texto(hijo),
                "Aduana" => transporte.aduana = Some(self.aduana(hijo)),
                otro => self.otro(hijo, otro, nombres::TRANSPORTE),
            }
        }
        transporte
    }

    fn aduana(&mut self, id: Id) -> Aduana {
        let mut aduana = Aduana::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "CodModVenta" => aduana.cod_mod_venta = self.entero(hijo),
                "CodClauVenta" => aduana.cod_clau_venta = self.entero(hijo),
                "TotBultos" => aduana.tot_bultos = self.entero(hijo),
                "TipoBultos" => aduana.tipo_bultos.push(self.tipo_bultos(hijo)),
                // The tables know the others.
                _ => {}
            }
        }
        aduana
    }

    fn tipo_bultos(&mut self, id: Id) -> TipoBultos {
        let mut bultos = TipoBultos::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "CantBultos" => bultos.cant_bultos = self.entero(hijo),
                "Marcas" => bultos.marcas = self.texto(hijo),
                "IdContainer" => bultos.id_container = self.texto(hijo),
                "Sello" => bultos.sello = self.texto(hijo),
                _ => {}
            }
        }
        bultos
    }

    pub(super) fn guia_export(&mut self, id: Id) -> GuiaExport {
        let mut guia = GuiaExport::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "CdgTraslado" => guia.cdg_traslado = self.entero(hijo),
                "FolioAut" => guia.folio_aut = self.texto(hijo),
                "FchAut" => guia.fch_aut = self.texto(hijo),
                _ => {}
            }
        }
        guia
    }
}
