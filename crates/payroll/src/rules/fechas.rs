//! The days that are paid, against the month.

use super::Rule;
use super::caso::Caso;
use crate::report::{Code, Findings};
use findings::Severity;

const ILEGIBLE: Code = Code {
    code: "LIQ-PERIODO-ILEGIBLE",
    title: "No se sabe de qué mes es la liquidación",
    severity: Severity::Error,
    source: "Código del Trabajo, art. 54",
    remedio: "Informar el mes como AAAA-MM: sin él no hay indicadores con los que revisar.",
};
const FUERA: Code = Code {
    code: "LIQ-PERIODO-FECHAS",
    title: "Las fechas no son del mes que se liquida",
    severity: Severity::Warning,
    source: "Código del Trabajo, arts. 54 y 55",
    remedio: "Corregir las fechas o el período: con otro mes rigen otros indicadores.",
};

pub(super) static RULE: Rule = Rule {
    name: "fechas",
    about: "El mes de la liquidación y sus fechas.",
    codes: &[&ILEGIBLE, &FUERA],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let liquidacion = caso.liquidacion;
    let Some(periodo) = liquidacion.periodo else {
        let texto = liquidacion.periodo_texto.as_deref().unwrap_or_default();
        let mensaje = format!("No se reconoce el mes «{texto}».");
        out.add(&ILEGIBLE, "period", mensaje);
        return;
    };
    let (primero, ultimo) = (periodo.primer_dia(), periodo.ultimo_dia());
    for (path, dia) in [
        ("date_from", liquidacion.desde),
        ("date_to", liquidacion.hasta),
    ] {
        if let Some(dia) = dia
            && (dia < primero || dia > ultimo)
        {
            out.add(
                &FUERA,
                path,
                format!("La fecha {dia} no es del período {periodo}."),
            );
        }
    }
    if let (Some(desde), Some(hasta)) = (liquidacion.desde, liquidacion.hasta)
        && desde > hasta
    {
        let mensaje = format!("La liquidación termina ({hasta}) antes de empezar ({desde}).");
        out.add(&FUERA, "date_to", mensaje);
    }
}
