//! The IVA is the net amount times its rate, half up; and the rate is the legal one.
//!
//! Source: formato DTE, Totales/IVA and TasaIVA; Ley 19.888 (19 % since 2003-10-01, 18 %
//! before). A boleta with gross lines may instead take the IVA as total less net.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use super::caso::Comparacion;
use super::{Caso, Rule};
use crate::calculo::TASA_IVA;
use crate::formulas;
use crate::model::TipoDte;
use crate::report::{Code, Findings};
use findings::Severity;

const CALCULO: Code = Code {
    code: "DTE-IVA-CALCULO",
    title: "El IVA no es el neto por la tasa",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/IVA",
    sii_code: None,
};
const AUSENTE: Code = Code {
    code: "DTE-IVA-AUSENTE",
    title: "Hay monto neto, pero no IVA",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/IVA",
    sii_code: None,
};
const TASA: Code = Code {
    code: "DTE-IVA-TASA",
    title: "La tasa de IVA no es la legal",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/TasaIVA; Ley 19.888",
    sii_code: None,
};

const TASA_AUSENTE: Code = Code {
    code: "DTE-IVA-TASA-AUSENTE",
    title: "Hay IVA, pero no su tasa",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/TasaIVA",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "iva",
    about: "IVA contra neto y tasa.",
    codes: &[&CALCULO, &AUSENTE, &TASA, &TASA_AUSENTE],
    check,
};

/// The first day of the rate of 19 %.
const DESDE: Date = date(2003, 10, 1);
const TASA_ANTERIOR: Decimal = Decimal::from_parts(18, 0, 0, false, 0);

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let Some(tipo) = caso.tipo else {
        return;
    };
    if tipo.es_exento() {
        return;
    }
    let totales = &caso.documento.encabezado.totales;
    let legal = tasa_legal(caso);
    if let Some(tasa) = totales.tasa_iva.valor()
        && tasa != legal
        && !(tasa.is_zero()
            && totales
                .iva
                .valor_o(Decimal::ZERO)
                .is_some_and(|iva| iva.is_zero()))
    {
        let mensaje = format!(
            "La tasa de IVA dice {} % y la legal es {legal} %.",
            findings::numero(tasa)
        );
        out.add(&TASA, caso.ruta("Encabezado/Totales/TasaIVA"), mensaje);
    }
    tasa_ausente(caso, out, tipo);
    let Some(neto) = totales.mnt_neto.valor() else {
        return;
    };
    if totales.iva.es_ausente() {
        ausente(caso, out, tipo, neto, legal);
    }
    let Some(informado) = totales.iva.valor() else {
        return;
    };
    let Some(esperado) = formulas::iva(neto, legal) else {
        return;
    };
    // What is left of a gross amount without its net one may differ by the rounding.
    let de_bruto = caso.calculo.bruto && (informado - esperado).abs() <= Decimal::ONE;
    if !de_bruto {
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
                (
                    caso.ruta("Encabezado/Totales/IVA"),
                    format!("El IVA ({legal} % de {})", caso.cifra(neto)),
                )
            },
        );
    }
}

/// The boleta has no such field, and an ERP's JSON may leave it to the legal one.
fn tasa_ausente(caso: &Caso<'_>, out: &mut Findings, tipo: TipoDte) {
    let totales = &caso.documento.encabezado.totales;
    let iva = totales.iva.valor().filter(|iva| !iva.is_zero());
    let aplica = !tipo.es_boleta() && !caso.es_json() && totales.tasa_iva.es_ausente();
    if let (true, Some(iva)) = (aplica, iva) {
        let mensaje = format!(
            "Hay IVA por {}, pero falta su tasa (TasaIVA).",
            caso.cifra(iva)
        );
        out.add(
            &TASA_AUSENTE,
            caso.ruta("Encabezado/Totales/TasaIVA"),
            mensaje,
        );
    }
}

fn tasa_legal(caso: &Caso<'_>) -> Decimal {
    tasa_del_dia(caso.documento.encabezado.id_doc.fch_emis.valor())
}

/// The legal rate on a day; today's where the day isn't known.
pub(crate) fn tasa_del_dia(dia: Option<Date>) -> Decimal {
    match dia {
        Some(emision) if emision < DESDE => TASA_ANTERIOR,
        _ => TASA_IVA,
    }
}

/// Invoices must say their IVA. In a note, a guía or a boleta it is left to a warning:
/// boletas may leave it to the total, guías may carry amounts of reference.
fn ausente(caso: &Caso<'_>, out: &mut Findings, tipo: TipoDte, neto: Decimal, legal: Decimal) {
    if neto.is_zero() || tipo.es_boleta() {
        return;
    }
    let Some(esperado) = formulas::iva(neto, legal) else {
        return;
    };
    let factura = matches!(
        tipo,
        TipoDte::Factura | TipoDte::FacturaCompra | TipoDte::LiquidacionFactura
    );
    let severity = if factura && !caso.es_json() {
        AUSENTE.severity
    } else {
        Severity::Warning
    };
    let mensaje = format!(
        "El neto es {}, pero falta el IVA: debería ser {}.",
        caso.cifra(neto),
        caso.cifra(esperado)
    );
    out.add_as(
        &AUSENTE,
        severity,
        caso.ruta("Encabezado/Totales/IVA"),
        mensaje,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Campo;
    use crate::rules::pruebas::{completos, documento, hoy, m, tabla};

    const MAL: &[(&str, Severity)] = &[("DTE-IVA-CALCULO", Severity::Error)];
    const REDONDEO: &[(&str, Severity)] = &[("DTE-IVA-CALCULO", Severity::Info)];

    #[test]
    fn iva_against_net_amount() {
        for tipo in [33, 43, 46, 52, 56, 61] {
            tabla(
                &RULE,
                tipo,
                &[
                    (|doc| doc.encabezado.totales.iva = m("2851"), REDONDEO),
                    (|doc| doc.encabezado.totales.iva = m("2849"), REDONDEO),
                    (|doc| doc.encabezado.totales.iva = m("2852"), MAL),
                    (|doc| doc.encabezado.totales.iva = m("2750"), MAL),
                    (|doc| doc.encabezado.totales.iva = m("2850.4"), REDONDEO),
                    (|doc| doc.encabezado.totales.iva = Campo::Ilegible, &[]),
                    (|doc| doc.encabezado.totales.mnt_neto = Campo::Ilegible, &[]),
                    // half up: 45,780.5 is 45,781 (real invoices have both)
                    (
                        |doc| {
                            doc.encabezado.totales.mnt_neto = m("240950");
                            doc.encabezado.totales.iva = m("45781");
                        },
                        &[],
                    ),
                    (
                        |doc| {
                            doc.encabezado.totales.mnt_neto = m("240950");
                            doc.encabezado.totales.iva = m("45780");
                        },
                        REDONDEO,
                    ),
                ],
            );
        }
    }

    #[test]
    fn absence_and_rate() {
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| doc.encabezado.totales.iva = Campo::Ausente,
                    &[("DTE-IVA-AUSENTE", Severity::Error)],
                ),
                (
                    |doc| doc.encabezado.totales.tasa_iva = m("18"),
                    &[("DTE-IVA-TASA", Severity::Error)],
                ),
                (|doc| doc.encabezado.totales.tasa_iva = m("19.00"), &[]),
                (
                    |doc| {
                        doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2003, 9, 30));
                        doc.encabezado.totales.tasa_iva = m("18");
                        doc.encabezado.totales.iva = m("2700");
                    },
                    &[],
                ),
            ],
        );
        tabla(
            &RULE,
            61,
            &[(
                |doc| doc.encabezado.totales.iva = Campo::Ausente,
                &[("DTE-IVA-AUSENTE", Severity::Warning)],
            )],
        );
        tabla(
            &RULE,
            39,
            &[(|doc| doc.encabezado.totales.mnt_neto = m("12605"), &[])],
        );
    }

    #[test]
    fn the_message_shows_both_figures() {
        let mut doc = documento(33);
        doc.encabezado.totales.iva = m("285");
        let hallazgos = completos(&RULE, &doc, &crate::context::Context::emission(hoy()));
        assert_eq!(
            hallazgos[0].message,
            "El IVA (19 % de $15.000) debería ser $2.850 y dice $285: la diferencia es de -$2.565."
        );
        assert_eq!(hallazgos[0].path, "Documento/Encabezado/Totales/IVA");
    }
}
