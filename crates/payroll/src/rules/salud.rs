//! The worker's contribution for health.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::{Base, Caso};
use crate::concepto::Concepto;
use crate::indicadores::Campo;
use crate::model::Salud;
use crate::pesos::{porcentaje, redondear};
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::{numero, pesos};

const FUENTE: &str = "DL 3.500, arts. 84 y 85; DFL 1 de 2005 (Salud)";

/// The legal contribution in percent.
pub(crate) const SIETE: Decimal = Decimal::from_parts(7, 0, 0, false, 0);

const MONTO: Code = Code {
    code: "LIQ-SALUD-MONTO",
    title: "La cotización de salud no es el 7 %",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Descontar el 7 % del imponible con tope; con Isapre, el plan si es mayor.",
};
const PLAN: Code = Code {
    code: "LIQ-SALUD-PLAN",
    title: "La cotización de salud no es la del plan de Isapre",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Descontar el mayor entre el 7 % y el plan en UF, a la UF del último día del mes.",
};
const AUSENTE: Code = Code {
    code: "LIQ-SALUD-AUSENTE",
    title: "Falta la cotización de salud",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Agregar la cotización de Fonasa o Isapre.",
};

pub(super) static RULE: Rule = Rule {
    name: "salud",
    about: "El 7 % de salud con tope imponible, o el plan de Isapre si es mayor.",
    codes: &[&MONTO, &PLAN, &AUSENTE],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    if caso.imponible <= Decimal::ZERO {
        return;
    }
    let Some(base) = caso.base_afp(out) else {
        return;
    };
    let legal = redondear(porcentaje(base.monto, SIETE));
    let lineas = [Concepto::Salud, Concepto::SaludAdicional].map(|c| caso.suma_o_cero(c));
    let descontado: Decimal = lineas.iter().sum();
    let cuantas = caso
        .de(Concepto::Salud)
        .chain(caso.de(Concepto::SaludAdicional))
        .count();
    let tolerancia = Decimal::from(cuantas.clamp(1, 3));
    let (code, severity, esperado, formula) = match plan(caso, out) {
        _ if descontado.is_zero() => (&AUSENTE, AUSENTE.severity, legal, base.formula(SIETE)),
        Some((plan, de_donde)) if plan > legal => (&PLAN, PLAN.severity, plan, de_donde),
        _ => match sobre_el_legal(caso, base, legal, descontado, tolerancia) {
            Some(severity) => (&MONTO, severity, legal, base.formula(SIETE)),
            None => return,
        },
    };
    let que = if code == &AUSENTE {
        "Falta la cotización de salud, que"
    } else {
        "El descuento de salud"
    };
    out.comparar(Comparacion {
        code,
        severity,
        path: caso.ruta(Concepto::Salud),
        que,
        esperado,
        informado: descontado,
        tolerancia: if code == &AUSENTE {
            Decimal::ZERO
        } else {
            tolerancia
        },
        formula,
    });
}

/// How bad a difference from the 7 % is; `None` where more than that may be a plan's price.
fn sobre_el_legal(
    caso: &Caso<'_>,
    base: Base,
    legal: Decimal,
    descontado: Decimal,
    tolerancia: Decimal,
) -> Option<Severity> {
    let imposible = descontado >= base.monto / Decimal::TWO;
    if descontado <= legal + tolerancia || imposible {
        return Some(MONTO.severity);
    }
    match isapre(caso) {
        Some(true) => None,
        Some(false) => Some(MONTO.severity),
        // Not said: it may be an Isapre.
        None => Some(Severity::Warning),
    }
}

/// Whether the insurance is an Isapre: as the line names it, else as the worker's data say.
fn isapre(caso: &Caso<'_>) -> Option<bool> {
    if caso.suma(Concepto::SaludAdicional).is_some() {
        return Some(true);
    }
    let de_linea = caso
        .de(Concepto::Salud)
        .find_map(|linea| linea.reconocida.isapre);
    de_linea.or_else(|| {
        caso.liquidacion
            .datos
            .salud
            .map(|salud| salud == Salud::Isapre)
    })
}

/// What the plan costs in pesos, and how that comes about.
fn plan(caso: &Caso<'_>, out: &mut Findings) -> Option<(Decimal, String)> {
    let datos = &caso.liquidacion.datos;
    if isapre(caso) == Some(false) {
        return None;
    }
    if let Some(plan) = datos
        .plan_uf
        .filter(|plan| *plan > Decimal::ZERO && *plan < Decimal::from(1000))
    {
        let uf = caso.cifra(Campo::Uf, out)?;
        let formula = format!(
            "plan de {} UF × {}, mayor que el 7 %",
            numero(plan),
            pesos(uf)
        );
        return Some((redondear(plan * uf), formula));
    }
    let plan = datos.plan_pesos?;
    Some((
        redondear(plan),
        "precio del plan, mayor que el 7 %".to_owned(),
    ))
}
