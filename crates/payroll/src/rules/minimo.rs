//! The minimum income.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::Caso;
use crate::concepto::Concepto;
use crate::indicadores::Campo;
use crate::ley::{TipoContrato, jornada_del_mes};
use crate::pesos::{calculable, redondear};
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::{numero, pesos};

const BAJO: Code = Code {
    code: "LIQ-SUELDO-MINIMO",
    title: "El sueldo es menor que el ingreso mínimo",
    severity: Severity::Error,
    source: "Código del Trabajo, arts. 42 a) y 44; ley del ingreso mínimo del mes",
    remedio: "Subir el sueldo base al mínimo, o informar la jornada si es parcial.",
};

pub(super) static RULE: Rule = Rule {
    name: "minimo",
    about: "El sueldo contra el ingreso mínimo, según jornada y edad.",
    codes: &[&BAJO],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let datos = &caso.liquidacion.datos;
    let Some(periodo) = caso.liquidacion.periodo else {
        return;
    };
    // An apprentice's pay is freely agreed (Código del Trabajo, art. 81).
    if datos.contrato == Some(TipoContrato::Aprendizaje) {
        return;
    }
    let del_contrato = caso.liquidacion.sueldo.filter(|s| calculable(*s));
    let Some(sueldo) = del_contrato.or_else(|| caso.suma(Concepto::SueldoBase)) else {
        return;
    };
    let edad = caso.edad();
    let campo = match edad {
        Some(edad) if !(18..=65).contains(&edad) => Campo::SueldoMinimoMenor18Mayor65,
        _ => Campo::SueldoMinimo,
    };
    let Some(minimo) = caso.cifra(campo, out) else {
        return;
    };
    let jornada = jornada_del_mes(periodo);
    let (esperado, formula) = match datos.horas_semanales {
        Some(horas) if horas > Decimal::ZERO && horas < jornada => (
            redondear(minimo * horas / jornada),
            format!(
                "{} × {} / {jornada} horas semanales",
                pesos(minimo),
                numero(horas)
            ),
        ),
        _ => (
            minimo,
            format!("ingreso mínimo {} por jornada completa", pesos(minimo)),
        ),
    };
    if sueldo >= esperado {
        return;
    }
    // With unknown hours it may be a part-time contract.
    let seguro = datos.horas_semanales.is_some();
    out.comparar(Comparacion {
        code: &BAJO,
        severity: if seguro {
            BAJO.severity
        } else {
            Severity::Warning
        },
        path: "wage".to_owned(),
        que: "El sueldo, como mínimo,",
        esperado,
        informado: sueldo,
        tolerancia: Decimal::ONE,
        formula,
    });
}
