//! The wage of the month against that of the contract.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::Caso;
use crate::concepto::Concepto;
use crate::pesos::{calculable, redondear};
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::{numero, pesos};

const FUENTE: &str = "Código del Trabajo, arts. 42 a) y 54";

const AUSENTE: Code = Code {
    code: "LIQ-SUELDO-AUSENTE",
    title: "Falta la línea del sueldo base",
    severity: Severity::Warning,
    source: FUENTE,
    remedio: "Agregar el sueldo base del mes.",
};
const MONTO: Code = Code {
    code: "LIQ-SUELDO-MONTO",
    title: "El sueldo base no es el del contrato por los días trabajados",
    severity: Severity::Warning,
    source: FUENTE,
    remedio: "Revisar el sueldo del contrato y los días: un mes se paga por treintavos.",
};

pub(super) static RULE: Rule = Rule {
    name: "sueldo",
    about: "El sueldo base contra el del contrato y los días trabajados.",
    codes: &[&AUSENTE, &MONTO],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let Some(sueldo) = caso.liquidacion.sueldo.filter(|s| calculable(*s)) else {
        return;
    };
    let Some(pagado) = caso.suma(Concepto::SueldoBase) else {
        let mensaje = format!(
            "El sueldo del contrato es {} y no hay una línea de sueldo base.",
            pesos(sueldo)
        );
        out.add(&AUSENTE, "lines", mensaje);
        return;
    };
    let dias = caso
        .liquidacion
        .datos
        .dias
        .or_else(|| dias_de_la_linea(caso));
    match dias {
        Some(dias) if !caso.mes_completo(dias) => parcial(caso, out, sueldo, pagado, dias),
        Some(_) => comparar(
            caso,
            out,
            sueldo,
            pagado,
            "el sueldo del contrato, por el mes completo".to_owned(),
        ),
        None => sin_dias(caso, out, sueldo, pagado),
    }
}

/// Odoo writes the days into the quantity; 1 is its default and says nothing.
fn dias_de_la_linea(caso: &Caso<'_>) -> Option<Decimal> {
    let cantidad = caso.de(Concepto::SueldoBase).next()?.linea.cantidad?;
    (cantidad > Decimal::ONE && cantidad <= Decimal::from(31)).then_some(cantidad)
}

fn parcial(caso: &Caso<'_>, out: &mut Findings, sueldo: Decimal, pagado: Decimal, dias: Decimal) {
    let esperado = redondear(sueldo * dias.max(Decimal::ZERO) / Decimal::from(30));
    let formula = format!("{} / 30 × {} días", pesos(sueldo), numero(dias));
    comparar(caso, out, esperado, pagado, formula);
}

fn comparar(
    caso: &Caso<'_>,
    out: &mut Findings,
    esperado: Decimal,
    informado: Decimal,
    formula: String,
) {
    out.comparar(Comparacion {
        code: &MONTO,
        severity: MONTO.severity,
        path: caso.ruta(Concepto::SueldoBase),
        que: "El sueldo base",
        esperado,
        informado,
        tolerancia: Decimal::ONE,
        formula,
    });
}

/// Less than the month's wage may be some days of it: then it is a number of thirtieths.
fn sin_dias(caso: &Caso<'_>, out: &mut Findings, sueldo: Decimal, pagado: Decimal) {
    if pagado < sueldo && pagado > Decimal::ZERO && sueldo > Decimal::ZERO {
        let dias = redondear(pagado * Decimal::from(30) / sueldo);
        let justo = (redondear(sueldo * dias / Decimal::from(30)) - pagado).abs() <= Decimal::ONE;
        if justo {
            let mensaje = format!(
                "El sueldo base {} corresponde a {dias} de 30 días de {}.",
                pesos(pagado),
                pesos(sueldo)
            );
            out.add_as(
                &MONTO,
                Severity::Info,
                caso.ruta(Concepto::SueldoBase),
                mensaje,
            );
            return;
        }
    }
    comparar(
        caso,
        out,
        sueldo,
        pagado,
        "el sueldo del contrato".to_owned(),
    );
}
