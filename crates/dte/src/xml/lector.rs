//! From the element tree to the model: one pass over each section's children.

mod traslado;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::arbol::{Arbol, Id};
use super::nombres;
use crate::model::{
    Campo, CdgItem, ClaseDocumento, Comision, Detalle, Documento, DscRcgGlobal, Emisor, Encabezado,
    IdDoc, ImptoReten, Lectura, Motivo, OtraMoneda, Receptor, Referencia, Retenedor, Totales,
    TotalesComisiones,
};
use crate::valores;

/// Reads the document whose body is `raiz`.
pub(super) fn documento(
    arbol: &Arbol<'_>,
    raiz: Id,
    clase: ClaseDocumento,
    lectura: Lectura,
) -> Documento {
    let mut lector = Lector {
        arbol,
        raiz,
        lectura,
    };
    let mut documento = Documento {
        clase,
        id: arbol.nodo(raiz).id.map(str::to_owned),
        ..Documento::default()
    };
    for (hijo, nombre) in lector.unicos(raiz) {
        match nombre {
            "Encabezado" => documento.encabezado = lector.encabezado(hijo),
            "Detalle" => documento.detalle.push(lector.detalle(hijo)),
            "DscRcgGlobal" => documento.dsc_rcg_global.push(lector.descuento(hijo)),
            "Referencia" => documento.referencia.push(lector.referencia(hijo)),
            "Comisiones" => documento.comisiones.push(lector.comision(hijo)),
            "TED" => lector.lectura.con_ted = true,
            "TmstFirma" => documento.tmst_firma = lector.texto(hijo),
            otro => lector.otro(hijo, otro, nombres::DOCUMENTO),
        }
    }
    documento.lectura = lector.lectura;
    documento
}

struct Lector<'a, 't> {
    arbol: &'a Arbol<'t>,
    raiz: Id,
    lectura: Lectura,
}

impl<'a, 't> Lector<'a, 't> {
    /// Where an element is, for who asks.
    fn donde(&self, id: Id) -> impl FnOnce(&Lectura) -> String + use<'a, 't> {
        let (arbol, raiz) = (self.arbol, self.raiz);
        move |lectura| format!("{}{}", lectura.prefijo, arbol.ruta(raiz, id))
    }

    fn texto(&self, id: Id) -> Option<String> {
        self.arbol.texto(id).map(str::to_owned)
    }

    fn monto(&mut self, id: Id) -> Campo<Decimal> {
        self.campo(id, valores::decimal, "un número como 1234 o 1234.56")
    }

    fn entero(&mut self, id: Id) -> Campo<i64> {
        self.campo(id, valores::entero, "un número entero")
    }

    fn fecha(&mut self, id: Id) -> Campo<Date> {
        self.campo(id, valores::fecha, "una fecha AAAA-MM-DD")
    }

    fn campo<T: Copy>(
        &mut self,
        id: Id,
        leer: fn(&str) -> Option<T>,
        esperado: &'static str,
    ) -> Campo<T> {
        let Some(texto) = self.arbol.texto(id) else {
            return Campo::Ausente;
        };
        // With an element inside, the text is in pieces, and put together it is another figure.
        let entero = self.arbol.hijos(id).next().is_none();
        if let Some(valor) = leer(texto).filter(|_| entero) {
            return Campo::Valor(valor);
        }
        self.lectura.ilegible(self.donde(id), texto, esperado);
        Campo::Ilegible
    }

    /// The children of a section, without those that repeat one which stands there once: the
    /// first counts, and a second one must not replace it unseen.
    fn unicos(&mut self, id: Id) -> Vec<(Id, &'t str)> {
        // More names than any section has; beyond them there is only garbage.
        const NOMBRES: usize = 64;
        let arbol = self.arbol;
        let mut hijos: Vec<(Id, &'t str)> = Vec::new();
        for (hijo, nodo) in arbol.hijos(id) {
            let nombre = nodo.nombre;
            let antes = || hijos.iter().take(NOMBRES).any(|(_, otro)| *otro == nombre);
            if !nombres::REPETIBLES.contains(&nombre) && antes() {
                self.lectura.extrano(self.donde(hijo), Motivo::Repetido);
            } else {
                hijos.push((hijo, nombre));
            }
        }
        hijos
    }

    /// An element that the model doesn't hold: one that the format has here, or a strange one.
    fn otro(&mut self, id: Id, nombre: &str, conocidos: &[&str]) {
        if !conocidos.contains(&nombre) {
            let motivo = if nombres::existe(nombre) {
                Motivo::FueraDeLugar
            } else {
                Motivo::Desconocido
            };
            self.lectura.extrano(self.donde(id), motivo);
        }
    }

    fn encabezado(&mut self, id: Id) -> Encabezado {
        let mut encabezado = Encabezado::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "IdDoc" => encabezado.id_doc = self.id_doc(hijo),
                "Emisor" => encabezado.emisor = self.emisor(hijo),
                "Receptor" => encabezado.receptor = self.receptor(hijo),
                "Transporte" => encabezado.transporte = self.transporte(hijo),
                "Totales" => encabezado.totales = self.totales(hijo),
                "OtraMoneda" => encabezado.otra_moneda = Some(self.otra_moneda(hijo)),
                otro => self.otro(hijo, otro, nombres::ENCABEZADO),
            }
        }
        encabezado
    }

    fn id_doc(&mut self, id: Id) -> IdDoc {
        let mut id_doc = IdDoc::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "TipoDTE" => id_doc.tipo_dte = self.entero(hijo),
                "Folio" => id_doc.folio = self.entero(hijo),
                "FchEmis" => id_doc.fch_emis = self.fecha(hijo),
                "FchVenc" => id_doc.fch_venc = self.fecha(hijo),
                "IndNoRebaja" => id_doc.ind_no_rebaja = self.entero(hijo),
                "TipoDespacho" => id_doc.tipo_despacho = self.entero(hijo),
                "IndTraslado" => id_doc.ind_traslado = self.entero(hijo),
                "IndServicio" => id_doc.ind_servicio = self.entero(hijo),
                "MntBruto" => id_doc.mnt_bruto = self.entero(hijo),
                "IndMntNeto" => id_doc.ind_mnt_neto = self.entero(hijo),
                "FmaPago" => id_doc.fma_pago = self.entero(hijo),
                "FmaPagExp" => id_doc.fma_pag_exp = self.entero(hijo),
                "TipoFactEsp" => id_doc.tipo_fact_esp = self.entero(hijo),
                "MedioPago" => id_doc.medio_pago = self.texto(hijo),
                "TpoTranCompra" => id_doc.tpo_tran_compra = self.entero(hijo),
                "TpoTranVenta" => id_doc.tpo_tran_venta = self.entero(hijo),
                "PeriodoDesde" => id_doc.periodo_desde = self.fecha(hijo),
                "PeriodoHasta" => id_doc.periodo_hasta = self.fecha(hijo),
                otro => self.otro(hijo, otro, nombres::ID_DOC),
            }
        }
        id_doc
    }

    fn emisor(&mut self, id: Id) -> Emisor {
        let mut emisor = Emisor::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "RUTEmisor" => emisor.rut_emisor = self.texto(hijo),
                "RznSoc" | "RznSocEmisor" => emisor.rzn_soc = self.texto(hijo),
                "GiroEmis" | "GiroEmisor" => emisor.giro_emis = self.texto(hijo),
                "Acteco" => emisor.acteco.extend(self.texto(hijo)),
                "Telefono" => emisor.telefono.extend(self.texto(hijo)),
                "CorreoEmisor" => emisor.correo_emisor = self.texto(hijo),
                "Sucursal" => emisor.sucursal = self.texto(hijo),
                "CdgSIISucur" => emisor.cdg_sii_sucur = self.texto(hijo),
                "DirOrigen" => emisor.dir_origen = self.texto(hijo),
                "CmnaOrigen" => emisor.cmna_origen = self.texto(hijo),
                "CiudadOrigen" => emisor.ciudad_origen = self.texto(hijo),
                "CdgVendedor" => emisor.cdg_vendedor = self.texto(hijo),
                "GuiaExport" => emisor.guia_export = Some(self.guia_export(hijo)),
                otro => self.otro(hijo, otro, nombres::EMISOR),
            }
        }
        emisor
    }

    fn receptor(&mut self, id: Id) -> Receptor {
        let mut receptor = Receptor::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "RUTRecep" => receptor.rut_recep = self.texto(hijo),
                "CdgIntRecep" => receptor.cdg_int_recep = self.texto(hijo),
                "RznSocRecep" => receptor.rzn_soc_recep = self.texto(hijo),
                "Extranjero" => {
                    receptor.num_id = self.texto_de(hijo, "NumId");
                    receptor.nacionalidad = self.texto_de(hijo, "Nacionalidad");
                }
                "GiroRecep" => receptor.giro_recep = self.texto(hijo),
                "Contacto" => receptor.contacto = self.texto(hijo),
                "TelefonoRecep" => receptor.telefono_recep = self.texto(hijo),
                "CorreoRecep" => receptor.correo_recep = self.texto(hijo),
                "DirRecep" => receptor.dir_recep = self.texto(hijo),
                "CmnaRecep" => receptor.cmna_recep = self.texto(hijo),
                "CiudadRecep" => receptor.ciudad_recep = self.texto(hijo),
                otro => self.otro(hijo, otro, nombres::RECEPTOR),
            }
        }
        receptor
    }

    fn texto_de(&self, id: Id, nombre: &str) -> Option<String> {
        self.texto(self.arbol.hijo(id, nombre)?)
    }

    fn totales(&mut self, id: Id) -> Totales {
        let mut totales = Totales::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "TpoMoneda" => totales.tpo_moneda = self.texto(hijo),
                "MntNeto" => totales.mnt_neto = self.monto(hijo),
                "MntExe" => totales.mnt_exe = self.monto(hijo),
                "TasaIVA" => totales.tasa_iva = self.monto(hijo),
                "IVA" => totales.iva = self.monto(hijo),
                "IVANoRet" => totales.iva_no_ret = self.monto(hijo),
                "ImptoReten" => totales.impto_reten.push(self.impuesto(hijo)),
                "CredEC" => totales.cred_ec = self.monto(hijo),
                "GrntDep" => totales.grnt_dep = self.monto(hijo),
                "Comisiones" => totales.comisiones = self.totales_comisiones(hijo),
                "MntTotal" => totales.mnt_total = self.monto(hijo),
                "MontoNF" => totales.monto_nf = self.monto(hijo),
                "MontoPeriodo" | "TotalPeriodo" => totales.monto_periodo = self.monto(hijo),
                "SaldoAnterior" => totales.saldo_anterior = self.monto(hijo),
                "VlrPagar" => totales.vlr_pagar = self.monto(hijo),
                otro => self.otro(hijo, otro, nombres::TOTALES),
            }
        }
        totales
    }

    fn impuesto(&mut self, id: Id) -> ImptoReten {
        let mut impuesto = ImptoReten::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "TipoImp" => impuesto.tipo_imp = self.entero(hijo),
                "TasaImp" => impuesto.tasa_imp = self.monto(hijo),
                "MontoImp" => impuesto.monto_imp = self.monto(hijo),
                otro => self.otro(hijo, otro, &[]),
            }
        }
        impuesto
    }

    fn totales_comisiones(&mut self, id: Id) -> TotalesComisiones {
        let mut totales = TotalesComisiones::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "ValComNeto" => totales.val_com_neto = self.monto(hijo),
                "ValComExe" => totales.val_com_exe = self.monto(hijo),
                "ValComIVA" => totales.val_com_iva = self.monto(hijo),
                otro => self.otro(hijo, otro, &[]),
            }
        }
        totales
    }

    fn otra_moneda(&mut self, id: Id) -> OtraMoneda {
        let mut moneda = OtraMoneda::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "TpoMoneda" => moneda.tpo_moneda = self.texto(hijo),
                "TpoCambio" => moneda.tpo_cambio = self.monto(hijo),
                "MntExeOtrMnda" => moneda.mnt_exe_otr_mnda = self.monto(hijo),
                "MntTotOtrMnda" => moneda.mnt_tot_otr_mnda = self.monto(hijo),
                otro => self.otro(hijo, otro, nombres::OTRA_MONEDA),
            }
        }
        moneda
    }

    fn detalle(&mut self, id: Id) -> Detalle {
        let mut linea = Detalle::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "NroLinDet" => linea.nro_lin_det = self.entero(hijo),
                "CdgItem" => linea.cdg_item.push(CdgItem {
                    tpo_codigo: self.texto_de(hijo, "TpoCodigo"),
                    vlr_codigo: self.texto_de(hijo, "VlrCodigo"),
                }),
                "TpoDocLiq" => linea.tpo_doc_liq = self.texto(hijo),
                "IndExe" => linea.ind_exe = self.entero(hijo),
                "Retenedor" => linea.retenedor = Some(self.retenedor(hijo)),
                "NmbItem" => linea.nmb_item = self.texto(hijo),
                "DscItem" => linea.dsc_item = self.texto(hijo),
                "QtyItem" => linea.qty_item = self.monto(hijo),
                "UnmdItem" => linea.unmd_item = self.texto(hijo),
                "PrcItem" => linea.prc_item = self.monto(hijo),
                "DescuentoPct" => linea.descuento_pct = self.monto(hijo),
                "DescuentoMonto" => linea.descuento_monto = self.monto(hijo),
                "RecargoPct" => linea.recargo_pct = self.monto(hijo),
                "RecargoMonto" => linea.recargo_monto = self.monto(hijo),
                "CodImpAdic" => linea.cod_imp_adic.push(self.entero(hijo)),
                "MontoItem" => linea.monto_item = self.monto(hijo),
                otro => self.otro(hijo, otro, nombres::DETALLE),
            }
        }
        linea
    }

    fn retenedor(&mut self, id: Id) -> Retenedor {
        let mut retenedor = Retenedor::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "IndAgente" => retenedor.ind_agente = self.texto(hijo),
                "MntBaseFaena" => retenedor.mnt_base_faena = self.monto(hijo),
                "MntMargComer" => retenedor.mnt_marg_comer = self.monto(hijo),
                "PrcConsFinal" => retenedor.prc_cons_final = self.monto(hijo),
                otro => self.otro(hijo, otro, &[]),
            }
        }
        retenedor
    }

    fn descuento(&mut self, id: Id) -> DscRcgGlobal {
        let mut descuento = DscRcgGlobal::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "NroLinDR" => descuento.nro_lin_dr = self.entero(hijo),
                "TpoMov" => descuento.tpo_mov = self.texto(hijo),
                "GlosaDR" => descuento.glosa_dr = self.texto(hijo),
                "TpoValor" => descuento.tpo_valor = self.texto(hijo),
                "ValorDR" => descuento.valor_dr = self.monto(hijo),
                "IndExeDR" => descuento.ind_exe_dr = self.entero(hijo),
                otro => self.otro(hijo, otro, &["ValorDROtrMnda"]),
            }
        }
        descuento
    }

    fn referencia(&mut self, id: Id) -> Referencia {
        let mut referencia = Referencia::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "NroLinRef" => referencia.nro_lin_ref = self.entero(hijo),
                "TpoDocRef" => referencia.tpo_doc_ref = self.texto(hijo),
                "IndGlobal" => referencia.ind_global = self.entero(hijo),
                "FolioRef" => referencia.folio_ref = self.texto(hijo),
                "RUTOtr" => referencia.rut_otr = self.texto(hijo),
                "FchRef" => referencia.fch_ref = self.fecha(hijo),
                "CodRef" => referencia.cod_ref = self.entero(hijo),
                "RazonRef" => referencia.razon_ref = self.texto(hijo),
                otro => self.otro(hijo, otro, nombres::REFERENCIA),
            }
        }
        referencia
    }

    fn comision(&mut self, id: Id) -> Comision {
        let mut comision = Comision::default();
        for (hijo, nombre) in self.unicos(id) {
            match nombre {
                "NroLinCom" => comision.nro_lin_com = self.entero(hijo),
                "TipoMovim" => comision.tipo_movim = self.texto(hijo),
                "Glosa" => comision.glosa = self.texto(hijo),
                "TasaComision" => comision.tasa_comision = self.monto(hijo),
                "ValComNeto" => comision.val_com_neto = self.monto(hijo),
                "ValComExe" => comision.val_com_exe = self.monto(hijo),
                "ValComIVA" => comision.val_com_iva = self.monto(hijo),
                otro => self.otro(hijo, otro, &[]),
            }
        }
        comision
    }
}
