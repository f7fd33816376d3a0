//! Global discounts and surcharges: how they are written and where they may stand.
//!
//! Source: formato DTE, DscRcgGlobal: `TpoMov` D or R, `TpoValor` % or $, at most 20; not
//! in 52 and 43; a percentage only, where lines carry several additional taxes.

use rust_decimal::Decimal;

use super::{Caso, Rule};
use crate::model::{Campo, DscRcgGlobal, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const FORMA: Code = Code {
    code: "DTE-DESCUENTO-GLOBAL-FORMA",
    title: "Un descuento o recargo global está incompleto",
    severity: Severity::Error,
    source: "formato DTE 2026-02, DscRcgGlobal; DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};
const AJENO: Code = Code {
    code: "DTE-DESCUENTO-GLOBAL-AJENO",
    title: "Este tipo de documento no lleva descuentos globales",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, DscRcgGlobal",
    sii_code: None,
};
const EXCESO: Code = Code {
    code: "DTE-DESCUENTO-GLOBAL-EXCESO",
    title: "Hay demasiados descuentos o recargos globales",
    severity: Severity::Error,
    source: "formato DTE 2026-02, DscRcgGlobal (hasta 20)",
    sii_code: Some("ENV-3-0"),
};

pub(super) static RULE: Rule = Rule {
    name: "descuento_global",
    about: "Descuentos y recargos globales.",
    codes: &[&FORMA, &AJENO, &EXCESO],
    check,
};

const MAXIMO: usize = 20;

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let globales = &caso.documento.dsc_rcg_global;
    if globales.is_empty() {
        return;
    }
    if let Some(tipo @ (TipoDte::GuiaDespacho | TipoDte::LiquidacionFactura)) = caso.tipo {
        let mensaje = format!(
            "Una {} no lleva descuentos ni recargos globales.",
            tipo.nombre()
        );
        out.add(&AJENO, caso.ruta("DscRcgGlobal"), mensaje);
    }
    if globales.len() > MAXIMO {
        let mensaje = format!(
            "Hay {} descuentos o recargos globales; el máximo es {MAXIMO}.",
            globales.len()
        );
        out.add(&EXCESO, caso.ruta("DscRcgGlobal"), mensaje);
    }
    for (indice, global) in globales.iter().enumerate() {
        if let Some((campo, mensaje)) = defecto(global) {
            out.add(&FORMA, caso.ruta_de("DscRcgGlobal", indice, campo), mensaje);
        }
    }
}

fn defecto(global: &DscRcgGlobal) -> Option<(&'static str, &'static str)> {
    if !matches!(global.tpo_mov.as_deref(), Some("D" | "R")) {
        return Some((
            "TpoMov",
            "El movimiento global debe ser D (descuento) o R (recargo).",
        ));
    }
    if !matches!(global.tpo_valor.as_deref(), Some("%" | "$")) {
        return Some((
            "TpoValor",
            "El valor global debe ser % (porcentaje) o $ (monto).",
        ));
    }
    let porcentaje = global.tpo_valor.as_deref() == Some("%");
    match global.valor_dr {
        Campo::Ausente => Some(("ValorDR", "El movimiento global no tiene valor.")),
        Campo::Valor(valor) if valor < Decimal::ZERO => Some((
            "ValorDR",
            "El valor global es negativo: el signo lo da TpoMov.",
        )),
        Campo::Valor(valor) if porcentaje && valor > Decimal::ONE_HUNDRED => {
            Some(("ValorDR", "El porcentaje global es mayor que 100."))
        }
        Campo::Valor(_) | Campo::Ilegible => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Documento;
    use crate::rules::pruebas::{m, tabla};

    fn global(doc: &mut Documento, mov: &str, tipo: &str, valor: Campo<Decimal>) {
        doc.dsc_rcg_global.push(DscRcgGlobal {
            tpo_mov: Some(mov.into()),
            tpo_valor: Some(tipo.into()),
            valor_dr: valor,
            ..DscRcgGlobal::default()
        });
    }

    #[test]
    fn globals() {
        const FORMA: &[(&str, Severity)] = &[("DTE-DESCUENTO-GLOBAL-FORMA", Severity::Error)];
        tabla(
            &RULE,
            33,
            &[
                (|doc| global(doc, "D", "%", m("10")), &[]),
                (|doc| global(doc, "R", "$", m("1000")), &[]),
                (|doc| global(doc, "X", "$", m("1000")), FORMA),
                (|doc| global(doc, "D", "UF", m("1000")), FORMA),
                (|doc| global(doc, "D", "%", m("101")), FORMA),
                (|doc| global(doc, "D", "$", m("-1")), FORMA),
                (|doc| global(doc, "D", "$", Campo::Ausente), FORMA),
                (|doc| global(doc, "D", "$", Campo::Ilegible), &[]),
                (
                    |doc| (0..21).for_each(|_| global(doc, "D", "$", m("1"))),
                    &[("DTE-DESCUENTO-GLOBAL-EXCESO", Severity::Error)],
                ),
            ],
        );
        for tipo in [43, 52] {
            tabla(
                &RULE,
                tipo,
                &[(
                    |doc| global(doc, "D", "%", m("10")),
                    &[("DTE-DESCUENTO-GLOBAL-AJENO", Severity::Warning)],
                )],
            );
        }
    }
}
