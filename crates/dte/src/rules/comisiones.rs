//! A liquidación's commissions sum up to their totals.
//!
//! Source: formato DTE, Comisiones and Totales/Comisiones (43; optional in others).

use rust_decimal::Decimal;

use super::caso::Comparacion;
use super::{Caso, Rule};
use crate::formulas;
use crate::model::{Campo, Comision};
use crate::report::{Code, Findings};
use findings::Severity;

const CALCULO: Code = Code {
    code: "DTE-COMISIONES-CALCULO",
    title: "El total de comisiones no es la suma de las comisiones",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/Comisiones",
    sii_code: Some("HED-2-260"),
};

const IVA: Code = Code {
    code: "DTE-COMISIONES-IVA",
    title: "El IVA de las comisiones no es su neto por la tasa",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Totales/Comisiones/ValComIVA",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "comisiones",
    about: "Comisiones y otros cargos de una liquidación-factura.",
    codes: &[&CALCULO, &IVA],
    check,
};

/// Each commission's IVA is rounded on its own.
fn iva(caso: &Caso<'_>, out: &mut Findings) {
    let totales = caso.documento.encabezado.totales.comisiones;
    let (Some(neto), Some(informado)) = (totales.val_com_neto.valor(), totales.val_com_iva.valor())
    else {
        return;
    };
    let Some(esperado) = formulas::iva(neto, caso.calculo.tasa) else {
        return;
    };
    caso.comparar(
        out,
        Comparacion {
            code: &IVA,
            esperado,
            informado,
            tolerancia: caso.tolerancia(caso.documento.comisiones.len()),
            severity: IVA.severity,
        },
        || {
            (
                caso.ruta("Encabezado/Totales/Comisiones/ValComIVA"),
                format!(
                    "El IVA de las comisiones ({} % de {})",
                    findings::numero(caso.calculo.tasa),
                    caso.cifra(neto)
                ),
            )
        },
    );
}

type Valor = fn(&Comision) -> Campo<Decimal>;

fn check(caso: &Caso<'_>, out: &mut Findings) {
    iva(caso, out);
    let comisiones = &caso.documento.comisiones;
    if comisiones.is_empty() {
        return;
    }
    let totales = caso.documento.encabezado.totales.comisiones;
    let clases: [(&str, Campo<Decimal>, Valor); 3] = [
        ("ValComNeto", totales.val_com_neto, |c| c.val_com_neto),
        ("ValComExe", totales.val_com_exe, |c| c.val_com_exe),
        ("ValComIVA", totales.val_com_iva, |c| c.val_com_iva),
    ];
    for (campo, total, valor) in clases {
        let suma = comisiones.iter().try_fold(Decimal::ZERO, |suma, comision| {
            suma.checked_add(valor(comision).valor_o(Decimal::ZERO)?)
        });
        let (Some(esperado), Some(informado)) = (suma, total.valor_o(Decimal::ZERO)) else {
            continue;
        };
        caso.comparar(
            out,
            Comparacion {
                code: &CALCULO,
                esperado,
                informado,
                tolerancia: caso.tolerancia(comisiones.len()),
                severity: CALCULO.severity,
            },
            || {
                (
                    caso.ruta(&format!("Encabezado/Totales/Comisiones/{campo}")),
                    format!("El total de comisiones {campo}"),
                )
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pruebas::{m, tabla};

    #[test]
    fn commissions_sum_up() {
        tabla(
            &RULE,
            43,
            &[
                (
                    |doc| {
                        doc.comisiones = vec![
                            Comision {
                                val_com_neto: m("1000"),
                                val_com_iva: m("190"),
                                ..Comision::default()
                            },
                            Comision {
                                val_com_neto: m("500"),
                                val_com_iva: m("95"),
                                ..Comision::default()
                            },
                        ];
                        doc.encabezado.totales.comisiones.val_com_neto = m("1500");
                        doc.encabezado.totales.comisiones.val_com_iva = m("285");
                    },
                    &[],
                ),
                (
                    |doc| {
                        doc.comisiones = vec![Comision {
                            val_com_neto: m("1000"),
                            ..Comision::default()
                        }];
                        doc.encabezado.totales.comisiones.val_com_neto = m("900");
                    },
                    &[("DTE-COMISIONES-CALCULO", Severity::Error)],
                ),
                (
                    |doc| {
                        doc.comisiones = vec![Comision {
                            val_com_exe: m("1000"),
                            ..Comision::default()
                        }]
                    },
                    &[("DTE-COMISIONES-CALCULO", Severity::Error)],
                ),
                (
                    |doc| {
                        doc.encabezado.totales.comisiones.val_com_neto = m("1000");
                        doc.encabezado.totales.comisiones.val_com_iva = m("290");
                    },
                    &[("DTE-COMISIONES-IVA", Severity::Warning)],
                ),
            ],
        );
    }
}
