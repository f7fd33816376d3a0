//! The total is the sum of its parts.
//!
//! Source: formato DTE, Totales/MntTotal: net + exempt + IVA + additional taxes - withheld
//! ones + GrntDep - CredEC - commissions (43). Exports: the exempt amount, or 0 where they
//! are without payment (FmaPagExp 21). The tax service answers HED-2-260 for a 43.

use rust_decimal::Decimal;

use super::caso::Comparacion;
use super::{Caso, Rule};
use crate::formulas;
use crate::model::{Campo, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const CALCULO: Code = Code {
    code: "DTE-TOTAL-CALCULO",
    title: "El total no es la suma de sus partes",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/MntTotal",
    sii_code: None,
};
const AUSENTE: Code = Code {
    code: "DTE-TOTAL-AUSENTE",
    title: "Falta el monto total",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/MntTotal; DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};

pub(super) static RULE: Rule = Rule {
    name: "total",
    about: "Monto total contra sus partes.",
    codes: &[&CALCULO, &AUSENTE],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    const CAMPO: &str = "Encabezado/Totales/MntTotal";
    let campo = caso.documento.encabezado.totales.mnt_total;
    if campo.es_ausente() {
        caso.falta(
            out,
            &AUSENTE,
            caso.ruta(CAMPO),
            "Falta el monto total (MntTotal).",
        );
    }
    let (Some(tipo), Some(informado)) = (caso.tipo, campo.valor()) else {
        return;
    };
    let sin_pago = caso.documento.encabezado.id_doc.fma_pag_exp == Campo::Valor(21);
    if informado.is_zero() && sin_pago && tipo.es_exportacion() {
        return;
    }
    if partes_ausentes(caso, tipo) {
        return;
    }
    let Some((esperado, otro)) =
        formulas::total(&caso.documento.encabezado.totales, caso.en_pesos())
    else {
        return;
    };
    if informado == otro {
        return;
    }
    // The total of a note adds rounded parts; those of a guía that is no sale are reference.
    let guia = tipo == TipoDte::GuiaDespacho
        && caso.documento.encabezado.id_doc.ind_traslado != Campo::Valor(1);
    caso.comparar(
        out,
        Comparacion {
            code: &CALCULO,
            esperado,
            informado,
            tolerancia: if caso.en_pesos() {
                Decimal::ONE
            } else {
                caso.tolerancia(2)
            },
            severity: if guia {
                Severity::Warning
            } else {
                CALCULO.severity
            },
        },
        || {
            (
                caso.ruta(CAMPO),
                "El monto total (neto, exento, IVA y otros impuestos)".to_owned(),
            )
        },
    );
}

/// Whether a part that must be there isn't, which another rule says: the total can't be
/// judged without it. Boletas may leave them all out, and are judged by their lines.
fn partes_ausentes(caso: &Caso<'_>, tipo: TipoDte) -> bool {
    let totales = &caso.documento.encabezado.totales;
    let neto = totales.mnt_neto.valor_o(Decimal::ZERO).unwrap_or_default();
    let iva_falta = totales.iva.es_ausente() && !neto.is_zero();
    if tipo.es_boleta() {
        return iva_falta || totales.mnt_neto.es_ausente();
    }
    let afecto = caso.calculo.afecto.final_;
    let hay_afecto = !tipo.es_exento() && afecto.is_none_or(|suma| !suma.is_zero());
    let hay_exento = caso
        .calculo
        .exento
        .final_
        .is_none_or(|suma| !suma.is_zero());
    let neto_falta = totales.mnt_neto.es_ausente() && hay_afecto && tipo != TipoDte::GuiaDespacho;
    let exento_falta = totales.mnt_exe.es_ausente() && hay_exento;
    let nada = totales.mnt_neto.es_ausente() && totales.mnt_exe.es_ausente() && caso.es_json();
    iva_falta || neto_falta || exento_falta || nada
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Documento, Formato, ImptoReten};
    use crate::rules::pruebas::{m, tabla};

    const MAL: &[(&str, Severity)] = &[("DTE-TOTAL-CALCULO", Severity::Error)];
    const REDONDEO: &[(&str, Severity)] = &[("DTE-TOTAL-CALCULO", Severity::Info)];

    fn impuesto(doc: &mut Documento, codigo: i64, monto: &str, total: &str) {
        doc.encabezado.totales.impto_reten.push(ImptoReten {
            tipo_imp: Campo::Valor(codigo),
            monto_imp: m(monto),
            ..ImptoReten::default()
        });
        doc.encabezado.totales.mnt_total = m(total);
    }

    #[test]
    fn every_type_adds_up() {
        for tipo in [33, 34, 43, 46, 52, 56, 61] {
            tabla(
                &RULE,
                tipo,
                &[
                    (|doc| doc.encabezado.totales.mnt_total = m("99"), MAL),
                    (
                        |doc| doc.encabezado.totales.mnt_total = Campo::Ausente,
                        &[("DTE-TOTAL-AUSENTE", Severity::Error)],
                    ),
                    (
                        |doc| doc.encabezado.totales.mnt_total = Campo::Ilegible,
                        &[],
                    ),
                ],
            );
        }
        tabla(
            &RULE,
            33,
            &[(
                |doc| doc.encabezado.totales.mnt_total = m("17851"),
                REDONDEO,
            )],
        );
        tabla(
            &RULE,
            110,
            &[
                (|doc| doc.encabezado.totales.mnt_total = m("15000.01"), &[]),
                (|doc| doc.encabezado.totales.mnt_total = m("15000.02"), MAL),
                (|doc| doc.encabezado.totales.mnt_total = m("0"), MAL),
                (
                    |doc| {
                        doc.encabezado.totales.mnt_total = m("0");
                        doc.encabezado.id_doc.fma_pag_exp = Campo::Valor(21);
                    },
                    &[],
                ),
            ],
        );
    }

    #[test]
    fn taxes_credits_and_commissions_count_with_their_sign() {
        tabla(
            &RULE,
            33,
            &[
                (|doc| impuesto(doc, 24, "4725", "22575"), &[]),
                (|doc| impuesto(doc, 24, "4725", "17850"), MAL),
                (|doc| impuesto(doc, 15, "2850", "15000"), &[]),
                (|doc| impuesto(doc, 49, "2850", "17850"), &[]),
                (|doc| impuesto(doc, 53, "75", "17925"), &[]),
                (|doc| impuesto(doc, 53, "75", "17775"), &[]),
                (|doc| impuesto(doc, 999, "75", "1"), &[]),
                (
                    |doc| {
                        doc.encabezado.totales.grnt_dep = m("500");
                        doc.encabezado.totales.cred_ec = m("1853");
                        doc.encabezado.totales.mnt_total = m("16497");
                    },
                    &[],
                ),
            ],
        );
        tabla(
            &RULE,
            43,
            &[(
                |doc| {
                    doc.encabezado.totales.comisiones.val_com_neto = m("20000");
                    doc.encabezado.totales.comisiones.val_com_iva = m("3800");
                    doc.encabezado.totales.mnt_total = m("-5950");
                },
                &[],
            )],
        );
    }

    #[test]
    fn a_missing_part_is_another_rules_finding() {
        tabla(
            &RULE,
            33,
            &[
                (|doc| doc.encabezado.totales.iva = Campo::Ausente, &[]),
                (|doc| doc.encabezado.totales.mnt_neto = Campo::Ausente, &[]),
                (|doc| doc.encabezado.totales.mnt_neto = Campo::Ilegible, &[]),
                (
                    |doc| {
                        doc.lectura.formato = Formato::Json;
                        let totales = &mut doc.encabezado.totales;
                        (totales.mnt_neto, totales.iva) = (Campo::Ausente, Campo::Ausente);
                    },
                    &[],
                ),
            ],
        );
        // A guía of 1 peso and no parts: real ones exist.
        tabla(
            &RULE,
            52,
            &[(
                |doc| {
                    let totales = &mut doc.encabezado.totales;
                    (totales.mnt_neto, totales.iva) = (Campo::Ausente, Campo::Ausente);
                    totales.mnt_total = m("1");
                },
                REDONDEO,
            )],
        );
    }
}
