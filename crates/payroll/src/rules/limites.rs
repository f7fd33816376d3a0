//! How much may be taken off.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::Caso;
use crate::concepto::Concepto;
use crate::pesos::{porcentaje, redondear};
use crate::report::{Code, Findings};
use findings::Severity;
use findings::{numero, pesos};

const QUINCE: Code = Code {
    code: "LIQ-LIMITE-15",
    title: "Los descuentos acordados superan el 15 %",
    severity: Severity::Warning,
    source: "Código del Trabajo, art. 58 inc. 3",
    remedio: "Bajar los descuentos acordados a 15 % de la remuneración total, o revisar de qué son.",
};
const VIVIENDA: Code = Code {
    code: "LIQ-LIMITE-30",
    title: "Los descuentos para la vivienda superan el 30 %",
    severity: Severity::Warning,
    source: "Código del Trabajo, art. 58 inc. 2",
    remedio: "Bajar los descuentos para la vivienda a 30 % de la remuneración total.",
};
const CUARENTA_Y_CINCO: Code = Code {
    code: "LIQ-LIMITE-45",
    title: "Los descuentos no legales superan el 45 %",
    severity: Severity::Warning,
    source: "Código del Trabajo, art. 58 inc. 4",
    remedio: "Bajar los descuentos a 45 % de la remuneración total.",
};
const JUDICIAL: Code = Code {
    code: "LIQ-LIMITE-50",
    title: "La retención judicial supera el 50 %",
    severity: Severity::Warning,
    source: "Ley 14.908, art. 7; Código del Trabajo, art. 57",
    remedio: "Revisar la resolución del tribunal: la pensión de alimentos no puede superar el 50 % de la renta.",
};
const APV: Code = Code {
    code: "LIQ-APV-TOPE",
    title: "El APV supera el tope mensual",
    severity: Severity::Warning,
    source: "Ley sobre Impuesto a la Renta, art. 42 bis",
    remedio: "Rebajar de la base del impuesto a lo más 50 UF.",
};

pub(super) static RULE: Rule = Rule {
    name: "limites",
    about: "Los límites de los descuentos: 15, 30, 45 y 50 %, y el tope del APV.",
    codes: &[&QUINCE, &VIVIENDA, &CUARENTA_Y_CINCO, &JUDICIAL, &APV],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let remuneracion = caso.haberes() - caso.suma_o_cero(Concepto::AsignacionFamiliar);
    let suma = |conceptos: &[Concepto]| -> Decimal {
        conceptos.iter().map(|c| caso.suma_o_cero(*c)).sum()
    };
    let acordados = suma(&[Concepto::OtroDescuento]);
    let anticipos = suma(&[Concepto::Anticipo]);
    let vivienda = suma(&[Concepto::Vivienda]);
    let judicial = suma(&[Concepto::RetencionJudicial]);
    // Savings, credits of a CCAF and union dues are ordered by law or by the worker; they count
    // only among all.
    let todos = caso.otros_descuentos - judicial;
    let mut limite = |code: &Code, monto: Decimal, pct: u32, que: &str, severity| {
        let maximo = redondear(porcentaje(remuneracion, Decimal::from(pct)));
        if monto > maximo && maximo >= Decimal::ZERO {
            agregar(
                out,
                (code, severity),
                monto,
                (pct, maximo, remuneracion),
                que,
            );
        }
        monto > maximo
    };
    let pasa = limite(
        &QUINCE,
        acordados,
        15,
        "Los descuentos acordados",
        QUINCE.severity,
    );
    if !pasa && !anticipos.is_zero() {
        // An advance is wage that was paid before, not a discount; who counts it may see this.
        limite(
            &QUINCE,
            acordados + anticipos,
            15,
            "Los descuentos acordados con los anticipos",
            Severity::Info,
        );
    }
    limite(
        &VIVIENDA,
        vivienda,
        30,
        "Los descuentos para la vivienda",
        VIVIENDA.severity,
    );
    limite(
        &CUARENTA_Y_CINCO,
        todos,
        45,
        "Los descuentos no legales",
        CUARENTA_Y_CINCO.severity,
    );
    limite(
        &JUDICIAL,
        judicial,
        50,
        "La retención judicial",
        JUDICIAL.severity,
    );
    let tope = caso
        .indicadores
        .and_then(crate::indicadores::Indicadores::tope_apv);
    let apv = caso.suma_o_cero(Concepto::Apv);
    if let Some(tope) = tope.filter(|tope| apv > *tope) {
        let mensaje = format!(
            "El APV {} supera el tope mensual de 50 UF, {}.",
            pesos(apv),
            pesos(tope)
        );
        out.add(&APV, caso.ruta(Concepto::Apv), mensaje);
    }
}

fn agregar(
    out: &mut Findings,
    (code, severity): (&Code, Severity),
    monto: Decimal,
    (pct, maximo, remuneracion): (u32, Decimal, Decimal),
    que: &str,
) {
    let mensaje = format!(
        "{que} suman {} y a lo más pueden ser {}: la diferencia es de {}. Cálculo: {} % de {}.",
        pesos(monto),
        pesos(maximo),
        pesos(monto - maximo),
        numero(Decimal::from(pct)),
        pesos(remuneracion)
    );
    out.add_as(code, severity, "lines", mensaje);
}
