//! From the contract's keys to the model.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::escalar::{self, Escalar};
use super::interpretar::{agregar_impuestos, lineas_netas, porcentajes};
use crate::error::{ReadError, ReadErrorKind};
use crate::model::{
    Campo, Detalle, Documento, DscRcgGlobal, Formato, ImptoReten, Lectura, Referencia, Rut,
    RutError, Totales,
};
use crate::valores;
use findings::{Members, PathSegment, ShapeError};

/// The most items of one list. The format's own bound is 1,000 lines (boletas).
const MAX_ITEMS: usize = 5_000;
/// The most shape errors that are reported.
const MAX_ERRORES: usize = 100;

/// An object's members, each still in its own words, and where the object is.
struct Objeto<'a> {
    campos: Members<'a>,
    lugar: Option<(&'static str, usize)>,
}

impl Objeto<'_> {
    fn ruta(&self, clave: &str) -> String {
        match self.lugar {
            Some((lista, indice)) => format!("{lista}[{indice}].{clave}"),
            None => clave.to_owned(),
        }
    }

    fn loc(&self, clave: &str) -> Vec<PathSegment> {
        let mut loc = match self.lugar {
            Some((lista, indice)) => vec![key(lista), PathSegment::Index(indice)],
            None => Vec::new(),
        };
        loc.push(key(clave));
        loc
    }
}

fn key(clave: &str) -> PathSegment {
    PathSegment::Key(clave.to_owned())
}

#[derive(Default)]
pub(super) struct Lector {
    lectura: Lectura,
    errores: Vec<ShapeError>,
}

impl Lector {
    pub fn documento(&mut self, crudo: &RawValue) -> Documento {
        let mut documento = Documento::default();
        self.lectura.formato = Formato::Json;
        let Some(campos) = Members::read(crudo.get()) else {
            self.error(
                Vec::new(),
                "Los datos del documento deben ser un objeto.",
                "type_error",
            );
            return documento;
        };
        let raiz = Objeto {
            campos,
            lugar: None,
        };
        self.encabezado(&raiz, &mut documento);
        documento.encabezado.totales = self.totales(&raiz);
        documento.detalle = self.lista(&raiz, "lineas", Self::linea);
        documento.dsc_rcg_global = self.lista(&raiz, "descuentos_recargos", Self::descuento);
        documento.referencia = self.lista(&raiz, "referencias", Self::referencia);
        let impuestos = self.lista(&raiz, "impuestos", Self::impuesto);
        agregar_impuestos(&mut documento.encabezado.totales, impuestos);
        lineas_netas(&mut documento);
        documento
    }

    pub fn terminar(self, mut documento: Documento) -> Result<Documento, ReadError> {
        if self.errores.is_empty() {
            documento.lectura = self.lectura;
            Ok(documento)
        } else {
            Err(ReadError::new(ReadErrorKind::JsonShape(self.errores)))
        }
    }

    fn encabezado(&mut self, raiz: &Objeto<'_>, documento: &mut Documento) {
        let encabezado = &mut documento.encabezado;
        encabezado.id_doc.tipo_dte = self.tipo_dte(raiz);
        encabezado.id_doc.folio = self.entero(raiz, "folio");
        if encabezado.id_doc.folio == Campo::Valor(0) {
            // A draft has no number yet, and some ERPs write 0 for it.
            encabezado.id_doc.folio = Campo::Ausente;
        }
        encabezado.id_doc.fch_emis = self.fecha(raiz, "fecha_emision");
        // 0 is no reason to move goods: it stands for an empty selection.
        encabezado.id_doc.ind_traslado = self.indicador(raiz, "indicador_traslado");
        encabezado.emisor.rut_emisor = self.rut(raiz, "rut_emisor");
        encabezado.emisor.rzn_soc = self.texto(raiz, "razon_social_emisor");
        encabezado.emisor.giro_emis = self.texto(raiz, "giro_emisor");
        encabezado.receptor.rut_recep = self.rut(raiz, "rut_receptor");
        encabezado.receptor.rzn_soc_recep = self.texto(raiz, "razon_social_receptor");
    }

    fn totales(&mut self, raiz: &Objeto<'_>) -> Totales {
        Totales {
            tpo_moneda: self.texto(raiz, "moneda"),
            mnt_neto: self.monto(raiz, "monto_neto"),
            mnt_exe: self.monto(raiz, "monto_exento"),
            tasa_iva: self.monto(raiz, "tasa_iva"),
            iva: self.monto(raiz, "monto_iva"),
            mnt_total: self.monto(raiz, "monto_total"),
            ..Totales::default()
        }
    }

    fn linea(&mut self, objeto: &Objeto<'_>) -> Detalle {
        let mut linea = Detalle {
            nro_lin_det: self.entero(objeto, "numero_linea"),
            ind_exe: self.indicador(objeto, "exento"),
            nmb_item: self.texto(objeto, "nombre"),
            dsc_item: self.texto(objeto, "descripcion"),
            qty_item: self.monto(objeto, "cantidad"),
            unmd_item: self.texto(objeto, "unidad"),
            prc_item: self.monto(objeto, "precio_unitario"),
            descuento_monto: self.monto(objeto, "descuento"),
            recargo_monto: self.monto(objeto, "recargo"),
            monto_item: self.monto(objeto, "monto"),
            ..Detalle::default()
        };
        porcentajes(&mut linea);
        linea
    }

    fn descuento(&mut self, objeto: &Objeto<'_>) -> DscRcgGlobal {
        DscRcgGlobal {
            nro_lin_dr: self.entero(objeto, "numero_linea"),
            tpo_mov: self.texto(objeto, "tipo").map(movimiento),
            glosa_dr: self.texto(objeto, "glosa"),
            tpo_valor: self.texto(objeto, "tipo_valor"),
            valor_dr: self.monto(objeto, "valor"),
            ind_exe_dr: self.indicador(objeto, "exento"),
        }
    }

    fn referencia(&mut self, objeto: &Objeto<'_>) -> Referencia {
        Referencia {
            tpo_doc_ref: self.texto(objeto, "tipo_documento"),
            folio_ref: self.texto(objeto, "folio"),
            fch_ref: self.fecha(objeto, "fecha"),
            cod_ref: self.entero(objeto, "codigo"),
            razon_ref: self.texto(objeto, "razon"),
            ..Referencia::default()
        }
    }

    fn impuesto(&mut self, objeto: &Objeto<'_>) -> ImptoReten {
        ImptoReten {
            tipo_imp: self.entero(objeto, "codigo"),
            tasa_imp: self.monto(objeto, "tasa"),
            monto_imp: self.monto(objeto, "monto"),
        }
    }

    /// A list of objects; absent and empty are the same.
    fn lista<T>(
        &mut self,
        raiz: &Objeto<'_>,
        clave: &'static str,
        leer: fn(&mut Self, &Objeto<'_>) -> T,
    ) -> Vec<T> {
        let Some(crudo) = raiz.campos.get(clave) else {
            return Vec::new();
        };
        if Escalar::leer(crudo) == Escalar::Vacio {
            return Vec::new();
        }
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(crudo.get()) else {
            self.error(
                raiz.loc(clave),
                format!("«{clave}» debe ser una lista."),
                "type_error",
            );
            return Vec::new();
        };
        if items.len() > MAX_ITEMS {
            let mensaje = format!(
                "«{clave}» tiene {} elementos; el máximo es {MAX_ITEMS}.",
                items.len()
            );
            self.error(raiz.loc(clave), mensaje, "too_long");
            return Vec::new();
        }
        let mut leidos = Vec::with_capacity(items.len());
        for (indice, item) in items.into_iter().enumerate() {
            if let Some(campos) = Members::read(item.get()) {
                leidos.push(leer(
                    self,
                    &Objeto {
                        campos,
                        lugar: Some((clave, indice)),
                    },
                ));
            } else {
                let loc = vec![key(clave), PathSegment::Index(indice)];
                self.error(
                    loc,
                    format!("«{clave}[{indice}]» debe ser un objeto."),
                    "type_error",
                );
            }
        }
        leidos
    }

    fn tipo_dte(&mut self, raiz: &Objeto<'_>) -> Campo<i64> {
        match self.escalar(raiz, "tipo_dte") {
            None | Some(Escalar::Compuesto) => return Campo::Ausente,
            Some(Escalar::Vacio) => {
                self.error(vec![key("tipo_dte")], "Falta «tipo_dte».", "missing");
            }
            Some(Escalar::Cierto) => self.tipo_ilegible("true"),
            Some(Escalar::Numero(texto)) => return self.tipo(texto),
            Some(Escalar::Texto(texto)) => return self.tipo(&texto),
        }
        Campo::Ausente
    }

    fn tipo(&mut self, texto: &str) -> Campo<i64> {
        let tipo = escalar::entero(texto);
        if tipo.is_none() {
            self.tipo_ilegible(texto);
        }
        tipo.into()
    }

    fn tipo_ilegible(&mut self, texto: &str) {
        let texto = crate::model::recortado(texto);
        let mensaje =
            format!("«tipo_dte» debe ser el código del documento, como 33; es «{texto}».");
        self.error(vec![key("tipo_dte")], mensaje, "value_error");
    }

    /// A scalar; an object or a list in its place is a shape error. `None` where there was one.
    fn escalar<'a>(&mut self, objeto: &Objeto<'a>, clave: &str) -> Option<Escalar<'a>> {
        let Some(crudo) = objeto.campos.get(clave) else {
            return Some(Escalar::Vacio);
        };
        let valor = Escalar::leer(crudo);
        if valor == Escalar::Compuesto {
            let mensaje = format!("«{}» debe ser un valor simple.", objeto.ruta(clave));
            self.error(objeto.loc(clave), mensaje, "type_error");
            return None;
        }
        Some(valor)
    }

    fn texto(&mut self, objeto: &Objeto<'_>, clave: &str) -> Option<String> {
        match self.escalar(objeto, clave)? {
            Escalar::Texto(texto) => Some(texto),
            Escalar::Numero(numero) => Some(match escalar::entero(numero) {
                Some(entero) => entero.to_string(),
                None => numero.to_owned(),
            }),
            Escalar::Cierto | Escalar::Vacio | Escalar::Compuesto => None,
        }
    }

    fn monto(&mut self, objeto: &Objeto<'_>, clave: &str) -> Campo<Decimal> {
        self.campo(
            objeto,
            clave,
            escalar::decimal,
            "un número como 1234 o 1234.56",
        )
    }

    fn entero(&mut self, objeto: &Objeto<'_>, clave: &str) -> Campo<i64> {
        self.campo(objeto, clave, escalar::entero, "un número entero")
    }

    fn fecha(&mut self, objeto: &Objeto<'_>, clave: &str) -> Campo<Date> {
        self.campo(objeto, clave, fecha, "una fecha AAAA-MM-DD")
    }

    fn campo<T: Copy>(
        &mut self,
        objeto: &Objeto<'_>,
        clave: &str,
        leer: fn(&str) -> Option<T>,
        esperado: &'static str,
    ) -> Campo<T> {
        let texto = match self.escalar(objeto, clave) {
            None | Some(Escalar::Vacio | Escalar::Compuesto) => return Campo::Ausente,
            Some(Escalar::Cierto) => Cow::Borrowed("true"),
            Some(Escalar::Numero(numero)) => Cow::Borrowed(numero),
            Some(Escalar::Texto(texto)) => Cow::Owned(texto),
        };
        match leer(&texto) {
            Some(valor) => Campo::Valor(valor),
            None => {
                self.lectura
                    .ilegible(|_| objeto.ruta(clave), &texto, esperado);
                Campo::Ilegible
            }
        }
    }

    /// `exento`: `true` is 1, a number is the format's own `IndExe`, 0 is nothing.
    fn indicador(&mut self, objeto: &Objeto<'_>, clave: &str) -> Campo<i64> {
        if self.escalar(objeto, clave) == Some(Escalar::Cierto) {
            return Campo::Valor(1);
        }
        match self.entero(objeto, clave) {
            Campo::Valor(0) => Campo::Ausente,
            otro => otro,
        }
    }

    fn rut(&mut self, objeto: &Objeto<'_>, clave: &str) -> Option<String> {
        let texto = self.texto(objeto, clave)?;
        let limpio = texto.strip_prefix("CL").unwrap_or(&texto).trim();
        let normal = match Rut::leer(limpio) {
            Ok(rut) | Err(RutError::Escritura(rut)) => rut.to_string(),
            Err(_) => return Some(texto),
        };
        if normal != texto {
            self.lectura
                .ajuste(|_| objeto.ruta(clave), &texto, normal.clone());
        }
        Some(normal)
    }

    fn error(&mut self, loc: Vec<PathSegment>, msg: impl Into<String>, kind: &'static str) {
        if self.errores.len() < MAX_ERRORES {
            self.errores.push(ShapeError {
                loc,
                msg: msg.into(),
                kind,
            });
        }
    }
}

/// A date, also with a time after it.
fn fecha(texto: &str) -> Option<Date> {
    match texto.as_bytes().get(10) {
        None => valores::fecha(texto),
        Some(b' ' | b'T') => valores::fecha(texto.get(..10)?),
        Some(_) => None,
    }
}

/// `D` or `R`, from words that begin with them.
fn movimiento(texto: String) -> String {
    match texto.to_lowercase().as_str() {
        "d" | "descuento" => "D".into(),
        "r" | "recargo" => "R".into(),
        _ => texto,
    }
}
