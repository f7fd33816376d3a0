//! What isn't billed, and what is to be paid after all.
//!
//! Source: formato DTE: `MontoNF` = lines with IndExe 2 less those with 6, with globals of
//! IndExeDR 2; `MontoPeriodo` = MntTotal + MontoNF; `VlrPagar` = MntTotal + MontoNF +
//! SaldoAnterior; `GrntDep` = lines with IndExe 3.

use rust_decimal::Decimal;

use super::caso::Comparacion;
use super::{Caso, Rule};
use crate::formulas;
use crate::model::Campo;
use crate::report::{Code, Findings};
use findings::Severity;

const CALCULO: Code = Code {
    code: "DTE-NO-FACTURABLE-CALCULO",
    title: "El monto no facturable no es la suma de sus líneas",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/MontoNF",
    sii_code: None,
};
const AUSENTE: Code = Code {
    code: "DTE-NO-FACTURABLE-AUSENTE",
    title: "Hay líneas no facturables, pero no monto no facturable",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/MontoNF",
    sii_code: None,
};
const PERIODO: Code = Code {
    code: "DTE-MONTO-PERIODO-CALCULO",
    title: "El monto del período no es el total más lo no facturable",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/MontoPeriodo",
    sii_code: None,
};
const PAGAR: Code = Code {
    code: "DTE-VALOR-PAGAR-CALCULO",
    title: "El valor a pagar no es el total más lo no facturable y el saldo anterior",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/VlrPagar",
    sii_code: None,
};
const GARANTIA: Code = Code {
    code: "DTE-GARANTIA-CALCULO",
    title: "La garantía por envases no es la suma de sus líneas",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/GrntDep",
    sii_code: None,
};

const GARANTIA_AUSENTE: Code = Code {
    code: "DTE-GARANTIA-AUSENTE",
    title: "Hay líneas de garantía por envases, pero no su total",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/GrntDep",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "no_facturable",
    about: "Monto no facturable, monto del período, valor a pagar y garantía por envases.",
    codes: &[
        &CALCULO,
        &AUSENTE,
        &PERIODO,
        &PAGAR,
        &GARANTIA,
        &GARANTIA_AUSENTE,
    ],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let totales = &caso.documento.encabezado.totales;
    let clase = caso.calculo.no_facturable;
    if let Some(suma) = clase.final_ {
        sumado(caso, out, &CALCULO, "MontoNF", suma, totales.monto_nf);
        if totales.monto_nf.es_ausente() && !suma.is_zero() && !caso.es_json() {
            let mensaje = format!(
                "Las líneas no facturables suman {}, pero falta MontoNF.",
                caso.cifra(suma)
            );
            out.add(&AUSENTE, caso.ruta("Encabezado/Totales/MontoNF"), mensaje);
        }
    }
    if let Some(suma) = caso
        .calculo
        .garantia
        .final_
        .filter(|_| caso.calculo.garantia.lineas > 0)
    {
        sumado(caso, out, &GARANTIA, "GrntDep", suma, totales.grnt_dep);
        if totales.grnt_dep.es_ausente() && !suma.is_zero() && !caso.es_json() {
            let mensaje = format!(
                "Las líneas de garantía por envases suman {}, pero falta GrntDep.",
                caso.cifra(suma)
            );
            out.add(
                &GARANTIA_AUSENTE,
                caso.ruta("Encabezado/Totales/GrntDep"),
                mensaje,
            );
        }
    }
    let Some(periodo) = formulas::monto_periodo(totales) else {
        return;
    };
    sumado(
        caso,
        out,
        &PERIODO,
        "MontoPeriodo",
        periodo,
        totales.monto_periodo,
    );
    if let Some(pagar) = formulas::valor_a_pagar(totales) {
        sumado(caso, out, &PAGAR, "VlrPagar", pagar, totales.vlr_pagar);
    }
}

fn sumado(
    caso: &Caso<'_>,
    out: &mut Findings,
    code: &'static Code,
    campo: &str,
    esperado: Decimal,
    informado: Campo<Decimal>,
) {
    let Some(informado) = informado.valor() else {
        return;
    };
    caso.comparar(
        out,
        Comparacion {
            code,
            esperado,
            informado,
            tolerancia: caso.tolerancia(1),
            severity: code.severity,
        },
        || {
            (
                caso.ruta(&format!("Encabezado/Totales/{campo}")),
                campo.to_owned(),
            )
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pruebas::{m, tabla};

    #[test]
    fn what_is_not_billed() {
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| doc.detalle[0].ind_exe = Campo::Valor(2),
                    &[("DTE-NO-FACTURABLE-AUSENTE", Severity::Warning)],
                ),
                (
                    |doc| {
                        doc.detalle[0].ind_exe = Campo::Valor(2);
                        doc.detalle[1].ind_exe = Campo::Valor(6);
                        doc.encabezado.totales.monto_nf = m("5000");
                    },
                    &[],
                ),
                (
                    |doc| {
                        doc.detalle[0].ind_exe = Campo::Valor(2);
                        doc.encabezado.totales.monto_nf = m("9000");
                    },
                    &[("DTE-NO-FACTURABLE-CALCULO", Severity::Error)],
                ),
                (|doc| doc.encabezado.totales.vlr_pagar = m("17850"), &[]),
                (
                    |doc| {
                        doc.encabezado.totales.saldo_anterior = m("1000");
                        doc.encabezado.totales.vlr_pagar = m("17850");
                    },
                    &[("DTE-VALOR-PAGAR-CALCULO", Severity::Warning)],
                ),
                (
                    |doc| doc.encabezado.totales.monto_periodo = m("17000"),
                    &[("DTE-MONTO-PERIODO-CALCULO", Severity::Warning)],
                ),
                (
                    |doc| {
                        doc.detalle[0].ind_exe = Campo::Valor(3);
                        doc.encabezado.totales.grnt_dep = m("8000");
                    },
                    &[("DTE-GARANTIA-CALCULO", Severity::Warning)],
                ),
                (
                    |doc| doc.detalle[1].ind_exe = Campo::Valor(3),
                    &[("DTE-GARANTIA-AUSENTE", Severity::Warning)],
                ),
            ],
        );
    }
}
