//! Overtime.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::Caso;
use crate::concepto::Concepto;
use crate::ley::{hora_extra, jornada_ordinaria};
use crate::pesos::{calculable, redondear};
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::{numero, pesos};

const MONTO: Code = Code {
    code: "LIQ-HEX-MONTO",
    title: "Las horas extra no están bien valoradas",
    severity: Severity::Error,
    source: "Código del Trabajo, art. 32; Ley 21.561",
    remedio: "Valorar cada hora como sueldo / 30 × 28 / (4 × horas semanales) × 1,5.",
};

pub(super) static RULE: Rule = Rule {
    name: "horas_extra",
    about: "Las horas extra con el recargo de 50 % y la jornada semanal vigente.",
    codes: &[&MONTO],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let (Some(pagado), Some(sueldo)) = (
        caso.suma(Concepto::HorasExtra),
        caso.liquidacion.sueldo.filter(|s| calculable(*s)),
    ) else {
        return;
    };
    let Some(horas) =
        horas(caso).filter(|horas| *horas > Decimal::ZERO && *horas <= Decimal::from(400))
    else {
        return;
    };
    // Some systems round the value of one hour.
    let tolerancia = (horas / Decimal::TWO).max(Decimal::ONE);
    let Some(jornadas) = jornadas(caso) else {
        return;
    };
    let valores: Vec<(Decimal, Decimal)> = jornadas
        .into_iter()
        .filter_map(|jornada| Some((jornada, redondear(hora_extra(sueldo, jornada)? * horas))))
        .collect();
    if valores
        .iter()
        .any(|(_, valor)| (pagado - *valor).abs() <= tolerancia)
    {
        return;
    }
    let Some((jornada, esperado)) = valores.into_iter().min_by_key(|(_, valor)| *valor) else {
        return;
    };
    // The surcharge of a half is the least: more may be agreed.
    let severity = if pagado > esperado {
        Severity::Warning
    } else {
        MONTO.severity
    };
    out.comparar(Comparacion {
        code: &MONTO,
        severity,
        path: caso.ruta(Concepto::HorasExtra),
        que: "El pago de horas extra",
        esperado,
        informado: pagado,
        tolerancia,
        formula: format!(
            "{} / 30 × 28 / (4 × {} horas) × 1,5 × {} horas extra",
            pesos(sueldo),
            numero(jornada),
            numero(horas)
        ),
    });
}

/// As told, or the quantity of the lines; Odoo's default of 1 says nothing.
fn horas(caso: &Caso<'_>) -> Option<Decimal> {
    let de_las_lineas = || {
        let cantidades = caso
            .de(Concepto::HorasExtra)
            .map(|linea| linea.linea.cantidad);
        let suma: Decimal = cantidades.collect::<Option<Vec<_>>>()?.into_iter().sum();
        (suma > Decimal::ONE).then_some(suma)
    };
    caso.liquidacion.datos.horas_extra.or_else(de_las_lineas)
}

/// The contract's week; else the week of the law, which may change within the month.
fn jornadas(caso: &Caso<'_>) -> Option<Vec<Decimal>> {
    if let Some(horas) = caso.liquidacion.datos.horas_semanales {
        return Some(vec![horas]);
    }
    let periodo = caso.liquidacion.periodo?;
    let mut jornadas = vec![
        jornada_ordinaria(periodo.primer_dia()),
        jornada_ordinaria(periodo.ultimo_dia()),
    ];
    jornadas.dedup();
    Some(jornadas)
}
