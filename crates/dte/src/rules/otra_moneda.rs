//! An export's amounts in pesos.
//!
//! Source: formato DTE 2026-02, changes of 2017 and OtraMoneda: TpoMoneda, TpoCambio,
//! MntExeOtrMnda and MntTotOtrMnda are mandatory since 2017-05-31 (HED-3-834, seen in the
//! field), each amount being the document's times TpoCambio; without payment there is
//! nothing to convert (HED-1-803).

use jiff::civil::date;
use rust_decimal::Decimal;

use super::caso::Comparacion;
use super::{Caso, Rule};
use crate::formulas;
use crate::model::{Campo, OtraMoneda, TipoDte};
use crate::report::{Code, Findings};
use crate::vigencia::Vigencia;
use findings::Severity;

const AUSENTE: Code = Code {
    code: "DTE-OTRA-MONEDA-AUSENTE",
    title: "Falta la conversión a pesos de una exportación",
    severity: Severity::Error,
    source: "formato DTE 2026-02, OtraMoneda (obligatoria desde 2017-05-31)",
    sii_code: Some("HED-3-834"),
};
const CALCULO: Code = Code {
    code: "DTE-OTRA-MONEDA-CALCULO",
    title: "El monto en pesos no es el de la exportación por el tipo de cambio",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, OtraMoneda/TpoCambio",
    sii_code: None,
};
const SIN_PAGO: Code = Code {
    code: "DTE-OTRA-MONEDA-SIN-PAGO",
    title: "Una exportación sin pago tiene monto en otra moneda",
    severity: Severity::Info,
    source: "formato DTE 2026-02, IdDoc/FmaPagExp",
    sii_code: Some("HED-1-803"),
};

const TOTAL: Code = Code {
    code: "DTE-TOTAL-SIN-PAGO",
    title: "Una exportación sin pago tiene total",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, IdDoc/FmaPagExp y Totales/MntTotal",
    sii_code: None,
};

const CAMBIO: Code = Code {
    code: "DTE-OTRA-MONEDA-CAMBIO",
    title: "La conversión de una exportación no es a pesos, o no dice el tipo de cambio",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, OtraMoneda/TpoMoneda y TpoCambio",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "otra_moneda",
    about: "Montos en pesos de los documentos de exportación.",
    codes: &[&AUSENTE, &CALCULO, &CAMBIO, &SIN_PAGO, &TOTAL],
    check,
};

/// When the conversion is mandatory.
pub(crate) const VIGENCIA: Vigencia = Vigencia::desde(date(2017, 5, 31));

const SECCION: &str = "Encabezado/OtraMoneda";

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let encabezado = &caso.documento.encabezado;
    // The contract's JSON has no place for it.
    if !caso.tipo.is_some_and(TipoDte::es_exportacion) || caso.es_json() {
        return;
    }
    let sin_pago = encabezado.id_doc.fma_pag_exp == Campo::Valor(21);
    let total = encabezado.totales.mnt_total.valor();
    if let (true, Some(total)) = (sin_pago, total.filter(|total| !total.is_zero())) {
        let mensaje = format!(
            "La exportación es sin pago (FmaPagExp 21): el total debería ser 0 y dice {}.",
            caso.cifra(total)
        );
        out.add(&TOTAL, caso.ruta("Encabezado/Totales/MntTotal"), mensaje);
    }
    match &encabezado.otra_moneda {
        Some(otra) if sin_pago => nada_que_pagar(caso, out, otra),
        Some(otra) => convertida(caso, out, otra),
        None if !sin_pago && debida(caso) => {
            let mensaje = "Falta OtraMoneda: una exportación lleva sus montos en PESO CL, con el tipo de cambio.";
            out.add_form(&AUSENTE, caso.ruta(SECCION), mensaje);
        }
        None => {}
    }
}

/// In a foreign currency, since the day on which it became mandatory, over an amount.
fn debida(caso: &Caso<'_>) -> bool {
    let encabezado = &caso.documento.encabezado;
    let rige = VIGENCIA.rige(encabezado.id_doc.fch_emis.valor());
    let monto = encabezado
        .totales
        .mnt_total
        .valor()
        .is_some_and(|total| !total.is_zero());
    rige && monto && !caso.en_pesos()
}

fn nada_que_pagar(caso: &Caso<'_>, out: &mut Findings, otra: &OtraMoneda) {
    if let Some(monto) = otra
        .mnt_tot_otr_mnda
        .valor()
        .filter(|monto| !monto.is_zero())
    {
        let mensaje = format!(
            "La exportación es sin pago (FmaPagExp 21) y su total en otra moneda dice {}.",
            findings::pesos(monto)
        );
        out.add(
            &SIN_PAGO,
            caso.ruta("Encabezado/OtraMoneda/MntTotOtrMnda"),
            mensaje,
        );
    }
}

/// From the document's currency to pesos, by a rate that is said.
fn cambio(caso: &Caso<'_>, out: &mut Findings, otra: &OtraMoneda) {
    if caso.en_pesos() {
        return;
    }
    let ruta = |campo: &str| caso.ruta(&format!("{SECCION}/{campo}"));
    if let Some(moneda) = otra.tpo_moneda.as_deref()
        && moneda != "PESO CL"
    {
        let mensaje = format!(
            "La otra moneda de una exportación es PESO CL, y dice «{}».",
            crate::model::recortado(moneda)
        );
        out.add(&CAMBIO, ruta("TpoMoneda"), mensaje);
    }
    if otra.tpo_cambio.es_ausente() {
        let mensaje =
            "Falta el tipo de cambio (TpoCambio): los montos en pesos no se pueden comprobar.";
        out.add(&CAMBIO, ruta("TpoCambio"), mensaje);
    }
}

fn convertida(caso: &Caso<'_>, out: &mut Findings, otra: &OtraMoneda) {
    cambio(caso, out, otra);
    let totales = &caso.documento.encabezado.totales;
    for (campo, monto, informado) in [
        ("MntExeOtrMnda", totales.mnt_exe, otra.mnt_exe_otr_mnda),
        ("MntTotOtrMnda", totales.mnt_total, otra.mnt_tot_otr_mnda),
    ] {
        let ruta = || caso.ruta(&format!("{SECCION}/{campo}"));
        if informado.es_ausente() && debida(caso) && !monto.es_ausente() {
            out.add_form(
                &AUSENTE,
                ruta(),
                format!("Falta {campo}: el monto en pesos."),
            );
        }
        let (Some(monto), Some(informado), Some(cambio)) =
            (monto.valor(), informado.valor(), otra.tpo_cambio.valor())
        else {
            continue;
        };
        let Some(esperado) = formulas::en_otra_moneda(monto, cambio) else {
            continue;
        };
        if (informado.saturating_sub(esperado)).abs() <= Decimal::ONE {
            continue;
        }
        caso.comparar(
            out,
            Comparacion {
                code: &CALCULO,
                esperado,
                informado,
                tolerancia: Decimal::ONE,
                severity: CALCULO.severity,
            },
            || {
                let cambio = findings::numero(cambio);
                (
                    ruta(),
                    format!("{campo} ({} × {cambio})", caso.cifra(monto)),
                )
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Documento, Formato};
    use crate::rules::pruebas::{m, tabla};

    fn otra(doc: &mut Documento) -> &mut OtraMoneda {
        doc.encabezado.otra_moneda.as_mut().unwrap()
    }

    #[test]
    fn exports_say_their_pesos() {
        let ausente: &[(&str, Severity)] = &[("DTE-OTRA-MONEDA-AUSENTE", Severity::Error)];
        let cambio: &[(&str, Severity)] = &[("DTE-OTRA-MONEDA-CAMBIO", Severity::Warning)];
        let calculo: &[(&str, Severity)] = &[("DTE-OTRA-MONEDA-CALCULO", Severity::Warning)];
        for tipo in [110, 111, 112] {
            tabla(
                &RULE,
                tipo,
                &[
                    (|doc| doc.encabezado.otra_moneda = None, ausente),
                    (|doc| otra(doc).mnt_tot_otr_mnda = Campo::Ausente, ausente),
                    (|doc| otra(doc).mnt_exe_otr_mnda = m("13500002"), calculo),
                    (|doc| otra(doc).tpo_cambio = Campo::Ausente, cambio),
                    (
                        |doc| otra(doc).tpo_moneda = Some("DOLAR USA".into()),
                        cambio,
                    ),
                    (|doc| otra(doc).mnt_exe_otr_mnda = m("13500001"), &[]),
                    (
                        |doc| {
                            doc.encabezado.otra_moneda = None;
                            doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2017, 5, 30));
                        },
                        &[],
                    ),
                    (
                        |doc| {
                            doc.encabezado.otra_moneda = None;
                            doc.encabezado.totales.tpo_moneda = Some("PESO CL".into());
                        },
                        &[],
                    ),
                    (
                        |doc| {
                            doc.encabezado.otra_moneda = None;
                            doc.lectura.formato = Formato::Json;
                        },
                        &[],
                    ),
                    (
                        |doc| doc.encabezado.id_doc.fma_pag_exp = Campo::Valor(21),
                        &[
                            ("DTE-TOTAL-SIN-PAGO", Severity::Warning),
                            ("DTE-OTRA-MONEDA-SIN-PAGO", Severity::Info),
                        ],
                    ),
                    (
                        |doc| {
                            doc.encabezado.id_doc.fma_pag_exp = Campo::Valor(21);
                            doc.encabezado.totales.mnt_total = m("0");
                            doc.encabezado.otra_moneda = None;
                        },
                        &[],
                    ),
                ],
            );
        }
    }
}
