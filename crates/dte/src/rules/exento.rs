//! The exempt amount is the sum of the exempt lines after their global discounts.
//!
//! Source: formato DTE, Totales/MntExe: lines with IndExe 1 (all lines of the exempt
//! types) and globals with IndExeDR 1. The tax service answers HED-2-220.

use super::caso::Comparacion;
use super::{Caso, Rule};
use crate::formulas;
use crate::report::{Code, Findings};
use findings::Severity;

const CALCULO: Code = Code {
    code: "DTE-EXENTO-CALCULO",
    title: "El monto exento no es la suma de las líneas exentas",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/MntExe",
    sii_code: Some("HED-2-220"),
};
const AUSENTE: Code = Code {
    code: "DTE-EXENTO-AUSENTE",
    title: "Falta el monto exento",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/MntExe",
    sii_code: Some("HED-2-220"),
};

pub(super) static RULE: Rule = Rule {
    name: "exento",
    about: "Monto exento contra la suma de las líneas exentas.",
    codes: &[&CALCULO, &AUSENTE],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    const CAMPO: &str = "Encabezado/Totales/MntExe";
    let (Some(tipo), Some(suma)) = (caso.tipo, caso.calculo.exento.final_) else {
        return;
    };
    if caso.documento.detalle.is_empty() || caso.calculo.guia > 0 {
        return;
    }
    let exento = caso.documento.encabezado.totales.mnt_exe;
    if exento.es_ausente() && tipo.es_exento() && !suma.is_zero() && !tipo.es_boleta() {
        let mensaje = format!(
            "Una {} lleva monto exento (MntExe): debería ser {}.",
            tipo.nombre(),
            caso.cifra(suma)
        );
        caso.falta(out, &AUSENTE, caso.ruta(CAMPO), mensaje);
    }
    let Some(informado) = exento.valor() else {
        return;
    };
    let en_pesos = caso.en_pesos();
    let figura = |suma| Some(formulas::exento(suma, en_pesos));
    let Some(esperado) = caso.calculo.exento.cercana(informado, figura) else {
        return;
    };
    caso.comparar(
        out,
        Comparacion {
            code: &CALCULO,
            esperado,
            informado,
            tolerancia: caso.tolerancia(caso.calculo.exento.lineas),
            severity: CALCULO.severity,
        },
        || {
            (
                caso.ruta(CAMPO),
                "El monto exento (suma de las líneas exentas, con descuentos y recargos globales)"
                    .to_owned(),
            )
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Campo, Documento, DscRcgGlobal};
    use crate::rules::pruebas::{m, referencia, tabla};

    fn sin_marca(doc: &mut Documento) {
        doc.dsc_rcg_global.push(DscRcgGlobal {
            tpo_mov: Some("D".into()),
            tpo_valor: Some("$".into()),
            valor_dr: m("1000"),
            ..DscRcgGlobal::default()
        });
    }

    #[test]
    fn exempt_amount_against_lines() {
        const MAL: &[(&str, Severity)] = &[("DTE-EXENTO-CALCULO", Severity::Error)];
        for tipo in [34, 41] {
            tabla(
                &RULE,
                tipo,
                &[
                    (
                        |doc| doc.encabezado.totales.mnt_exe = m("15001"),
                        &[("DTE-EXENTO-CALCULO", Severity::Info)],
                    ),
                    (|doc| doc.encabezado.totales.mnt_exe = m("15100"), MAL),
                    (|doc| doc.detalle[0].ind_exe = Campo::Ausente, &[]),
                    (|doc| doc.detalle[0].ind_exe = Campo::Valor(2), MAL),
                    (|doc| doc.detalle.clear(), &[]),
                ],
            );
        }
        tabla(
            &RULE,
            34,
            &[
                (
                    |doc| doc.encabezado.totales.mnt_exe = Campo::Ausente,
                    &[("DTE-EXENTO-AUSENTE", Severity::Error)],
                ),
                (
                    |doc| {
                        doc.dsc_rcg_global.push(DscRcgGlobal {
                            tpo_mov: Some("D".into()),
                            tpo_valor: Some("$".into()),
                            valor_dr: m("1000"),
                            ind_exe_dr: Campo::Valor(1),
                            ..DscRcgGlobal::default()
                        });
                        doc.encabezado.totales.mnt_exe = m("14000");
                    },
                    &[],
                ),
                // Without IndExeDR: for all lines, or for none.
                (
                    |doc| {
                        sin_marca(doc);
                        doc.encabezado.totales.mnt_exe = m("14000");
                    },
                    &[],
                ),
                (sin_marca, &[]),
            ],
        );
        tabla(
            &RULE,
            110,
            &[
                (|doc| doc.encabezado.totales.mnt_exe = m("15000.01"), &[]),
                (|doc| doc.encabezado.totales.mnt_exe = m("15000.02"), MAL),
            ],
        );
        tabla(
            &RULE,
            33,
            &[(|doc| doc.encabezado.totales.mnt_exe = m("500"), MAL)],
        );
        // A note that corrects an exempt invoice and marks no line.
        tabla(
            &RULE,
            56,
            &[(
                |doc| {
                    let totales = &mut doc.encabezado.totales;
                    (totales.mnt_neto, totales.iva) = (Campo::Ausente, Campo::Ausente);
                    totales.mnt_exe = m("15000");
                    doc.referencia = vec![referencia("34", 3)];
                },
                &[],
            )],
        );
    }
}
