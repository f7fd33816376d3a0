//! Amounts in the form that they must have: whole pesos, not negative, not endless.
//!
//! Source: formato DTE: amounts are integers of at most 18 digits in pesos; export amounts
//! have decimals; only a liquidación (43) may have negative ones.

use rust_decimal::Decimal;

use super::{Caso, Rule};
use crate::model::{Campo, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const DECIMALES: Code = Code {
    code: "DTE-MONTO-DECIMALES",
    title: "Un monto en pesos tiene decimales",
    severity: Severity::Error,
    source: "formato DTE 2026-02, forma de los montos; DTE_v10.xsd (MontoType)",
    sii_code: Some("ENV-3-0"),
};
const NEGATIVO: Code = Code {
    code: "DTE-MONTO-NEGATIVO",
    title: "Un monto es negativo",
    severity: Severity::Error,
    source: "formato DTE 2026-02, forma de los montos; DTE_v10.xsd (MontoType)",
    sii_code: Some("ENV-3-0"),
};
const DESBORDE: Code = Code {
    code: "DTE-MONTO-DESBORDE",
    title: "Un monto es demasiado grande",
    severity: Severity::Error,
    source: "formato DTE 2026-02, forma de los montos (18 dígitos)",
    sii_code: Some("ENV-3-0"),
};

pub(super) static RULE: Rule = Rule {
    name: "montos",
    about: "Forma de los montos: pesos enteros, no negativos, de hasta 18 dígitos.",
    codes: &[&DECIMALES, &NEGATIVO, &DESBORDE],
    check,
};

/// The first amount with 19 digits: 10^18.
const LIMITE: Decimal = Decimal::from_parts(0xA764_0000, 0x0DE0_B6B3, 0, false, 0);

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let totales = &caso.documento.encabezado.totales;
    for (campo, monto) in [
        ("MntNeto", totales.mnt_neto),
        ("MntExe", totales.mnt_exe),
        ("IVA", totales.iva),
        ("CredEC", totales.cred_ec),
        ("GrntDep", totales.grnt_dep),
        ("MntTotal", totales.mnt_total),
    ] {
        uno(caso, out, campo, monto, || {
            caso.ruta(&format!("Encabezado/Totales/{campo}"))
        });
    }
    for (indice, linea) in caso.documento.detalle.iter().enumerate() {
        uno(caso, out, "MontoItem", linea.monto_item, || {
            caso.ruta_linea(indice, "MontoItem")
        });
        let factores = [linea.qty_item, linea.prc_item];
        if factores
            .into_iter()
            .filter_map(|campo| campo.valor())
            .any(|valor| valor.abs() >= LIMITE)
        {
            out.add(&DESBORDE, caso.ruta_linea(indice, "PrcItem"), GRANDE);
        }
    }
    if caso.calculo.desborde {
        out.add(
            &DESBORDE,
            caso.ruta("Detalle"),
            "La suma de las líneas es demasiado grande para calcularla.",
        );
    }
}

const GRANDE: &str = "La cantidad o el precio tiene más de 18 dígitos.";

fn uno(
    caso: &Caso<'_>,
    out: &mut Findings,
    campo: &str,
    monto: Campo<Decimal>,
    ruta: impl Fn() -> String,
) {
    let Some(monto) = monto.valor() else {
        return;
    };
    if monto.abs() >= LIMITE {
        out.add(
            &DESBORDE,
            ruta(),
            format!("{campo} tiene más de 18 dígitos."),
        );
    }
    if monto < Decimal::ZERO && !caso.es(TipoDte::LiquidacionFactura) {
        let mensaje = format!(
            "{campo} es negativo: {}. Un descuento va como tal, no como una línea negativa.",
            caso.cifra(monto)
        );
        caso.falta(out, &NEGATIVO, ruta(), mensaje);
    }
    if monto.scale() == 0 || !caso.en_pesos() {
        return;
    }
    let entero = monto.is_integer();
    if entero && caso.es_json() {
        return;
    }
    // `1000.0` is an integer that is written badly; nobody owes another amount for it.
    let severity = if entero || caso.es_json() {
        Severity::Warning
    } else {
        DECIMALES.severity
    };
    let mensaje = format!("{campo} dice {monto}: los montos en pesos van sin decimales.");
    out.add_as(&DECIMALES, severity, ruta(), mensaje);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Formato;
    use crate::rules::pruebas::{m, tabla};

    #[test]
    fn amounts() {
        assert_eq!(LIMITE.to_string(), "1000000000000000000");
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| doc.encabezado.totales.iva = m("7383.2233"),
                    &[("DTE-MONTO-DECIMALES", Severity::Error)],
                ),
                (
                    |doc| doc.encabezado.totales.iva = m("2850.0"),
                    &[("DTE-MONTO-DECIMALES", Severity::Warning)],
                ),
                (
                    |doc| {
                        doc.lectura.formato = Formato::Json;
                        doc.encabezado.totales.iva = m("2850.0");
                        doc.encabezado.totales.mnt_neto = m("15000.5");
                    },
                    &[("DTE-MONTO-DECIMALES", Severity::Warning)],
                ),
                (
                    |doc| doc.detalle[0].monto_item = m("-1"),
                    &[("DTE-MONTO-NEGATIVO", Severity::Error)],
                ),
                // An ERP's own negative line may still become a discount on its way out.
                (
                    |doc| {
                        doc.lectura.formato = Formato::Json;
                        doc.detalle[0].monto_item = m("-1");
                    },
                    &[("DTE-MONTO-NEGATIVO", Severity::Warning)],
                ),
                (
                    |doc| doc.encabezado.totales.mnt_total = m("1000000000000000000"),
                    &[("DTE-MONTO-DESBORDE", Severity::Error)],
                ),
                (
                    |doc| doc.detalle[0].prc_item = m("79228162514264337593543950335"),
                    &[("DTE-MONTO-DESBORDE", Severity::Error)],
                ),
                (
                    |doc| {
                        for linea in &mut doc.detalle {
                            linea.monto_item = m("79228162514264337593543950335");
                        }
                    },
                    &[
                        ("DTE-MONTO-DESBORDE", Severity::Error),
                        ("DTE-MONTO-DESBORDE", Severity::Error),
                        ("DTE-MONTO-DESBORDE", Severity::Error),
                    ],
                ),
            ],
        );
        tabla(
            &RULE,
            43,
            &[(|doc| doc.detalle[0].monto_item = m("-1"), &[])],
        );
        tabla(
            &RULE,
            110,
            &[(|doc| doc.encabezado.totales.mnt_total = m("15000.55"), &[])],
        );
    }
}
