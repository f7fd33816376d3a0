//! What couldn't be judged, for want of a figure.

use super::Rule;
use super::caso::Caso;
use crate::report::{Code, Findings};
use findings::Severity;

const FUENTE: &str = "Previred y SII, indicadores del mes";

const MES: Code = Code {
    code: "LIQ-INDICADORES-MES",
    title: "No se conocen los indicadores del mes",
    severity: Severity::Warning,
    source: FUENTE,
    remedio: "Obtener los indicadores del mes y validar de nuevo; nunca se suponen a partir de otro mes.",
};
const CIFRA: Code = Code {
    code: "LIQ-INDICADORES-CIFRA",
    title: "Falta un indicador del mes",
    severity: Severity::Warning,
    source: FUENTE,
    remedio: "Obtener el indicador y validar de nuevo; nunca se supone a partir de otro mes.",
};

pub(super) static RULE: Rule = Rule {
    name: "indicadores",
    about: "Lo que no se pudo revisar porque no se conoce un indicador del mes.",
    codes: &[&MES, &CIFRA],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let nombres: Vec<&str> = out
        .faltan()
        .map(crate::indicadores::Campo::nombre)
        .collect();
    if nombres.is_empty() {
        return;
    }
    let lista = nombres.join(", ");
    let Some(periodo) = caso.liquidacion.periodo else {
        let mensaje = format!("Sin el mes no se revisó lo que depende de: {lista}.");
        out.add(&MES, "period", mensaje);
        return;
    };
    if caso.indicadores.is_none() {
        let mensaje = format!(
            "No se conocen los indicadores de {periodo}: no se revisó lo que depende de: {lista}."
        );
        out.add(&MES, "period", mensaje);
    } else {
        let mensaje =
            format!("De {periodo} no se conoce: {lista}. Lo que depende de ello no se revisó.");
        out.add(&CIFRA, "period", mensaje);
    }
}
