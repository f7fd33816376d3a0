//! What every rule is given, and how it names a field and states a difference.

use std::fmt::Write as _;

use rust_decimal::Decimal;

use crate::calculo::Calculo;
use crate::context::Context;
use crate::model::{ClaseDocumento, Documento, Formato, TipoDte};
use crate::report::{Code, Finding, Findings};
use findings::Severity;
use findings::{numero, pesos};

/// A document under judgement.
pub(crate) struct Caso<'a> {
    pub documento: &'a Documento,
    pub context: &'a Context<'a>,
    /// `None` where the type can't be read or doesn't exist.
    pub tipo: Option<TipoDte>,
    pub calculo: Calculo,
}

/// A figure against what it should be.
pub(crate) struct Comparacion {
    pub code: &'static Code,
    pub esperado: Decimal,
    pub informado: Decimal,
    /// Up to this difference it is rounding, and an info.
    pub tolerancia: Decimal,
    /// The severity beyond the tolerance.
    pub severity: Severity,
}

impl<'a> Caso<'a> {
    pub fn nuevo(documento: &'a Documento, context: &'a Context<'a>) -> Self {
        let tipo = documento.tipo();
        Self {
            documento,
            context,
            tipo,
            calculo: Calculo::nuevo(documento, tipo),
        }
    }

    pub fn es(&self, tipo: TipoDte) -> bool {
        self.tipo == Some(tipo)
    }

    pub fn es_json(&self) -> bool {
        self.documento.lectura.formato == Formato::Json
    }

    /// Whether amounts are in pesos; exports mostly aren't.
    pub fn en_pesos(&self) -> bool {
        let exportacion = self.tipo.is_some_and(TipoDte::es_exportacion)
            || self.documento.clase == ClaseDocumento::Exportaciones;
        !exportacion
            || self
                .documento
                .encabezado
                .totales
                .tpo_moneda
                .as_deref()
                .is_some_and(|moneda| matches!(moneda, "PESO CL" | "CLP"))
    }

    /// The path of a field of the head, by its XML path below the document's body.
    pub fn ruta(&self, xml: &str) -> String {
        if self.es_json() {
            return clave_json(xml).to_owned();
        }
        let lectura = &self.documento.lectura;
        format!(
            "{}{}/{xml}",
            lectura.prefijo,
            self.documento.clase.elemento()
        )
    }

    /// The path of a field of the `indice`th (from 0) item of a repeated section; of the
    /// item itself where `campo` is empty.
    pub fn ruta_de(&self, seccion: &str, indice: usize, campo: &str) -> String {
        let mut ruta = self.ruta(seccion);
        // Writing to a String can't fail.
        let _ = if self.es_json() {
            write!(ruta, "[{indice}]")
        } else {
            write!(ruta, "[{}]", indice + 1)
        };
        if !campo.is_empty() {
            let json = self.es_json();
            ruta.push(if json { '.' } else { '/' });
            ruta.push_str(if json {
                campo_json(seccion, campo)
            } else {
                campo
            });
        }
        ruta
    }

    pub fn ruta_linea(&self, indice: usize, campo: &str) -> String {
        self.ruta_de("Detalle", indice, campo)
    }

    /// What only a whole document must have, or can't have: an error in an XML; a warning in
    /// JSON, where an ERP may send a part, or what isn't in its last form yet.
    pub fn falta(
        &self,
        out: &mut Findings,
        code: &'static Code,
        path: String,
        mensaje: impl Into<String>,
    ) {
        let severity = if self.es_json() {
            code.severity.min(Severity::Warning)
        } else {
            code.severity
        };
        out.add_as(code, severity, path, mensaje.into());
    }

    /// An amount as its reader writes it.
    pub fn cifra(&self, monto: Decimal) -> String {
        if self.en_pesos() {
            pesos(monto)
        } else {
            numero(monto)
        }
    }

    /// The tolerance for a sum of `sumandos` rounded figures: one peso each (at least one);
    /// half a cent each in a foreign currency.
    pub fn tolerancia(&self, sumandos: usize) -> Decimal {
        let sumandos = Decimal::from(sumandos.max(1));
        if self.en_pesos() {
            sumandos
        } else {
            sumandos * Decimal::new(5, 3)
        }
    }

    /// States a difference, if there is one. Only then is `donde_y_que` asked for the path
    /// and the start of a Spanish sentence: what is compared, e.g. `El IVA`.
    pub fn comparar(
        &self,
        out: &mut Findings,
        comparacion: Comparacion,
        donde_y_que: impl FnOnce() -> (String, String),
    ) {
        let Comparacion {
            code,
            esperado,
            informado,
            tolerancia,
            severity,
        } = comparacion;
        if esperado == informado {
            return;
        }
        let Some(diferencia) = informado.checked_sub(esperado) else {
            return;
        };
        let redondeo = diferencia.abs() <= tolerancia;
        if redondeo && !self.en_pesos() {
            return; // Below a cent in a foreign currency: nothing that anybody could correct.
        }
        let (path, que) = donde_y_que();
        let final_ = if redondeo {
            "; está dentro del redondeo"
        } else {
            ""
        };
        let unidad = if self.en_pesos() {
            ""
        } else {
            " (en la moneda del documento)"
        };
        let message = format!(
            "{que} debería ser {} y dice {}: la diferencia es de {}{unidad}{final_}.",
            self.cifra(esperado),
            self.cifra(informado),
            self.cifra(diferencia),
        );
        out.push(Finding {
            code: code.code,
            severity: if redondeo { Severity::Info } else { severity },
            message,
            path,
            expected: Some(esperado.normalize()),
            actual: Some(informado.normalize()),
            difference: Some(diferencia.normalize()),
            sii_code: code.sii_code,
        });
    }
}

/// The contract's name of a field or list; the XML's own name for what the contract lacks.
fn clave_json(xml: &str) -> &str {
    match xml {
        "Encabezado/IdDoc/TipoDTE" => "tipo_dte",
        "Encabezado/IdDoc/Folio" => "folio",
        "Encabezado/IdDoc/FchEmis" => "fecha_emision",
        "Encabezado/IdDoc/IndTraslado" => "indicador_traslado",
        "Encabezado/Emisor/RUTEmisor" => "rut_emisor",
        "Encabezado/Receptor/RUTRecep" => "rut_receptor",
        "Encabezado/Totales/TpoMoneda" => "moneda",
        "Encabezado/Totales/MntNeto" => "monto_neto",
        "Encabezado/Totales/MntExe" => "monto_exento",
        "Encabezado/Totales/TasaIVA" => "tasa_iva",
        "Encabezado/Totales/IVA" => "monto_iva",
        "Encabezado/Totales/MntTotal" => "monto_total",
        "Encabezado/Totales/ImptoReten" => "impuestos",
        "Detalle" => "lineas",
        "DscRcgGlobal" => "descuentos_recargos",
        "Referencia" => "referencias",
        otro => otro,
    }
}

fn campo_json<'c>(seccion: &str, campo: &'c str) -> &'c str {
    match (seccion, campo) {
        ("Detalle", "NroLinDet") => "numero_linea",
        ("Detalle", "NmbItem") => "nombre",
        ("Detalle", "QtyItem") => "cantidad",
        ("Detalle", "PrcItem") => "precio_unitario",
        ("Detalle", "DescuentoMonto" | "DescuentoPct") => "descuento",
        ("Detalle", "RecargoMonto" | "RecargoPct") => "recargo",
        ("Detalle", "IndExe") => "exento",
        ("Detalle", "MontoItem") => "monto",
        ("DscRcgGlobal", "TpoMov") => "tipo",
        ("DscRcgGlobal", "TpoValor") => "tipo_valor",
        ("DscRcgGlobal", "ValorDR") => "valor",
        ("DscRcgGlobal", "IndExeDR") => "exento",
        ("Referencia", "TpoDocRef") => "tipo_documento",
        ("Referencia", "FolioRef") => "folio",
        ("Referencia", "FchRef") => "fecha",
        ("Referencia", "CodRef") => "codigo",
        (_, "TipoImp") => "codigo",
        (_, "TasaImp") => "tasa",
        (_, "MontoImp") => "monto",
        _ => campo,
    }
}
