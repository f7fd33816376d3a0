//! A line's amount: price times quantity, less the discount, plus the surcharge.
//!
//! Source: formato DTE, Detalle/MontoItem: `round(PrcItem * QtyItem) - DescuentoMonto +
//! RecargoMonto`, half up; free where price or quantity isn't given; a percentage needs its
//! amount. The tax service answers DET-2-200 (seen in the field).

use rust_decimal::Decimal;

use super::caso::Comparacion;
use super::{Caso, Rule};
use crate::calculo;
use crate::formulas;
use crate::model::{Campo, Detalle};
use crate::report::{Code, Findings};
use findings::Severity;

const CALCULO: Code = Code {
    code: "DTE-LINEA-MONTO",
    title: "El monto de una línea no es precio por cantidad",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Detalle/MontoItem",
    sii_code: Some("DET-2-200"),
};
const AUSENTE: Code = Code {
    code: "DTE-LINEA-MONTO-AUSENTE",
    title: "Una línea no tiene monto",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Detalle/MontoItem; DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};
const DESCUENTO: Code = Code {
    code: "DTE-LINEA-DESCUENTO",
    title: "El descuento o recargo de una línea no corresponde a su porcentaje",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Detalle/DescuentoPct",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "linea_monto",
    about: "Monto de cada línea, con su descuento y su recargo.",
    codes: &[&CALCULO, &AUSENTE, &DESCUENTO],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    for (indice, linea) in caso.documento.detalle.iter().enumerate() {
        let producto = calculo::producto(linea);
        monto(caso, out, indice, linea, producto);
        let base = producto.or_else(|| base_de_monto(linea));
        if let Some(base) = base {
            let (pct, monto) = (linea.descuento_pct, linea.descuento_monto);
            modificador(caso, out, (indice, "Descuento"), base, pct, monto);
            let (pct, monto) = (linea.recargo_pct, linea.recargo_monto);
            modificador(caso, out, (indice, "Recargo"), base, pct, monto);
        }
    }
}

fn monto(
    caso: &Caso<'_>,
    out: &mut Findings,
    indice: usize,
    linea: &Detalle,
    producto: Option<Decimal>,
) {
    if linea.monto_item.es_ausente() && !linea.es_vacia() {
        let mut mensaje = "La línea no tiene monto (MontoItem).".to_owned();
        if let Some(esperado) =
            producto.and_then(|p| calculo::monto_esperado(linea, calculo::redondear(p)))
        {
            mensaje = format!(
                "La línea no tiene monto (MontoItem): debería ser {}.",
                caso.cifra(esperado)
            );
        }
        caso.falta(out, &AUSENTE, caso.ruta_linea(indice, "MontoItem"), mensaje);
    }
    let (Some(informado), Some(producto)) = (linea.monto_item.valor(), producto) else {
        return;
    };
    let base = base_cercana(caso, producto, informado);
    let Some(esperado) = calculo::monto_esperado(linea, base) else {
        return;
    };
    if esperado == informado || sin_valor(caso, linea) {
        return;
    }
    let numero = linea.nro_lin_det.valor().unwrap_or_default();
    caso.comparar(
        out,
        Comparacion {
            code: &CALCULO,
            esperado,
            informado,
            tolerancia: caso.tolerancia(1),
            severity: CALCULO.severity,
        },
        || {
            (
                caso.ruta_linea(indice, "MontoItem"),
                que(caso, linea, numero),
            )
        },
    );
}

/// The product rounded as the amount is written: to pesos, or in a foreign currency to as
/// many decimals as the amount has (at least 0, real documents have 0 to 4).
fn base_cercana(caso: &Caso<'_>, producto: Decimal, informado: Decimal) -> Decimal {
    formulas::base_de_linea(producto, caso.en_pesos(), informado.scale())
}

/// Lines that may be worth nothing whatever their price: those that aren't billed or sold,
/// and those of a note that only corrects text (formato DTE).
fn sin_valor(caso: &Caso<'_>, linea: &Detalle) -> bool {
    let cero = linea
        .monto_item
        .valor()
        .is_some_and(|monto| monto.is_zero());
    let corrige_texto = caso
        .documento
        .referencia
        .iter()
        .any(|referencia| referencia.cod_ref == Campo::Valor(2));
    let no_venta = matches!(linea.ind_exe, Campo::Valor(2..=6));
    let guia = caso.es(crate::model::TipoDte::GuiaDespacho)
        && caso.documento.encabezado.id_doc.ind_traslado != Campo::Valor(1);
    cero && (corrige_texto || no_venta || guia)
}

fn que(caso: &Caso<'_>, linea: &Detalle, numero: i64) -> String {
    let cifra = |campo: Campo<Decimal>| findings::numero(campo.valor().unwrap_or_default());
    let mut que = format!(
        "El monto de la línea {numero} ({} × {}",
        cifra(linea.qty_item),
        cifra(linea.prc_item)
    );
    if let Some(descuento) = linea.descuento_monto.valor() {
        que.push_str(&format!(" − descuento {}", caso.cifra(descuento)));
    }
    if let Some(recargo) = linea.recargo_monto.valor() {
        que.push_str(&format!(" + recargo {}", caso.cifra(recargo)));
    }
    que.push(')');
    que
}

/// What the percentages are of where price or quantity isn't given.
fn base_de_monto(linea: &Detalle) -> Option<Decimal> {
    let descuento = linea.descuento_monto.valor_o(Decimal::ZERO)?;
    let recargo = linea.recargo_monto.valor_o(Decimal::ZERO)?;
    linea
        .monto_item
        .valor()?
        .checked_add(descuento)?
        .checked_sub(recargo)
}

fn modificador(
    caso: &Caso<'_>,
    out: &mut Findings,
    (indice, nombre): (usize, &str),
    base: Decimal,
    pct: Campo<Decimal>,
    monto: Campo<Decimal>,
) {
    let Some(valor) = pct.valor().filter(|valor| !valor.is_zero()) else {
        return;
    };
    let Some(esperado) = formulas::modificador(base, valor) else {
        return;
    };
    let ruta = || caso.ruta_linea(indice, &format!("{nombre}Monto"));
    if monto.es_ausente() {
        let mensaje = format!(
            "La línea tiene {nombre}Pct ({} %), pero no {nombre}Monto: debería ser {}.",
            findings::numero(valor),
            caso.cifra(esperado)
        );
        out.add(&DESCUENTO, ruta(), mensaje);
    } else if let Some(informado) = monto.valor() {
        // The percentage has two decimals at most: it is the rounded one of the two.
        let holgura = calculo::porcentaje(base.abs(), Decimal::new(5, 3)).unwrap_or_default();
        let tolerancia = caso.tolerancia(1).max(Decimal::ONE) + holgura;
        if (informado - esperado).abs() > tolerancia {
            caso.comparar(
                out,
                Comparacion {
                    code: &DESCUENTO,
                    esperado,
                    informado,
                    tolerancia: Decimal::ZERO,
                    severity: DESCUENTO.severity,
                },
                || {
                    (
                        ruta(),
                        format!(
                            "El {} de {} %",
                            nombre.to_lowercase(),
                            findings::numero(valor)
                        ),
                    )
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pruebas::{completos, d, documento, hoy, linea, m, tabla};

    #[test]
    fn the_amount_of_a_line() {
        const MAL: &[(&str, Severity)] = &[("DTE-LINEA-MONTO", Severity::Error)];
        const REDONDEO: &[(&str, Severity)] = &[("DTE-LINEA-MONTO", Severity::Info)];
        tabla(
            &RULE,
            33,
            &[
                (|doc| doc.detalle[0].monto_item = m("10001"), REDONDEO),
                (|doc| doc.detalle[0].monto_item = m("10002"), MAL),
                // 256.5 goes up
                (|doc| doc.detalle[0] = linea(1, "1350", "0.19", "257"), &[]),
                (
                    |doc| doc.detalle[0] = linea(1, "1350", "0.19", "256"),
                    REDONDEO,
                ),
                (|doc| doc.detalle[0].qty_item = Campo::Ausente, &[]),
                (|doc| doc.detalle[0].prc_item = Campo::Ausente, &[]),
                (|doc| doc.detalle[0].prc_item = Campo::Ilegible, &[]),
                (|doc| doc.detalle[0].monto_item = Campo::Ilegible, &[]),
                (
                    |doc| doc.detalle[0].monto_item = Campo::Ausente,
                    &[("DTE-LINEA-MONTO-AUSENTE", Severity::Error)],
                ),
                (|doc| doc.detalle[0].descuento_monto = m("500"), MAL),
                (
                    |doc| {
                        doc.detalle[0].descuento_monto = m("500");
                        doc.detalle[0].recargo_monto = m("100");
                        doc.detalle[0].monto_item = m("9600");
                    },
                    &[],
                ),
                (
                    |doc| {
                        doc.detalle[0].descuento_pct = m("5");
                        doc.detalle[0].descuento_monto = m("500");
                        doc.detalle[0].monto_item = m("9500");
                    },
                    &[],
                ),
                (
                    |doc| {
                        doc.detalle[0].descuento_pct = m("5");
                        doc.detalle[0].descuento_monto = m("600");
                        doc.detalle[0].monto_item = m("9400");
                    },
                    &[("DTE-LINEA-DESCUENTO", Severity::Warning)],
                ),
                (
                    |doc| doc.detalle[0].descuento_pct = m("5"),
                    &[("DTE-LINEA-DESCUENTO", Severity::Warning)],
                ),
                (
                    |doc| doc.detalle[0].prc_item = m("79228162514264337593543950335"),
                    &[],
                ),
            ],
        );
    }

    #[test]
    fn lines_without_value_and_foreign_currency() {
        tabla(
            &RULE,
            52,
            &[(
                |doc| {
                    doc.encabezado.id_doc.ind_traslado = Campo::Valor(5);
                    doc.detalle[0].monto_item = m("0");
                },
                &[],
            )],
        );
        tabla(
            &RULE,
            110,
            &[
                (
                    |doc| doc.detalle[0] = linea(1, "3", "33.335", "100.01"),
                    &[],
                ),
                (
                    |doc| doc.detalle[0] = linea(1, "3", "33.335", "101"),
                    &[("DTE-LINEA-MONTO", Severity::Error)],
                ),
            ],
        );
    }

    #[test]
    fn both_figures_and_their_difference_are_said() {
        let mut doc = documento(33);
        doc.detalle[1].monto_item = m("1234567");
        let hallazgos = completos(&RULE, &doc, &crate::context::Context::emission(hoy()));
        let hallazgo = &hallazgos[0];
        assert_eq!(hallazgo.path, "Documento/Detalle[2]/MontoItem");
        assert_eq!(
            hallazgo.message,
            "El monto de la línea 2 (1,5 × 3.333) debería ser $5.000 y dice $1.234.567: \
             la diferencia es de $1.229.567."
        );
        assert_eq!(hallazgo.difference, Some(d("1229567")));
    }
}
