//! The gratificación.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::Caso;
use crate::concepto::Concepto;
use crate::indicadores::Campo;
use crate::ley::{RegimenGratificacion, tope_gratificacion};
use crate::pesos::{porcentaje, redondear};
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::{numero, pesos};

const FUENTE: &str = "Código del Trabajo, arts. 47 y 50";

const TOPE: Code = Code {
    code: "LIQ-GRAT-TOPE",
    title: "La gratificación supera el tope mensual",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Bajarla al tope de 4,75 ingresos mínimos / 12, o informar el exceso como bono; si es del artículo 47, informar el régimen.",
};
const BAJA: Code = Code {
    code: "LIQ-GRAT-MONTO",
    title: "La gratificación no es el 25 % con tope",
    severity: Severity::Warning,
    source: FUENTE,
    remedio: "Calcularla como el menor entre el 25 % de lo devengado y el tope mensual.",
};
const AUSENTE: Code = Code {
    code: "LIQ-GRAT-AUSENTE",
    title: "No hay gratificación",
    severity: Severity::Info,
    source: FUENTE,
    remedio: "Si la empresa tiene utilidades y paga según el artículo 50, agregarla.",
};

pub(super) static RULE: Rule = Rule {
    name: "gratificacion",
    about: "La gratificación: 25 % con tope (artículo 50), o anticipo de utilidades (artículo 47).",
    codes: &[&TOPE, &BAJA, &AUSENTE],
    check,
};

const VEINTICINCO: Decimal = Decimal::from_parts(25, 0, 0, false, 0);

fn check(caso: &Caso<'_>, out: &mut Findings) {
    use RegimenGratificacion::{Articulo47, Articulo50, Ninguno};
    let regimen = caso.liquidacion.datos.gratificacion;
    let pagada = caso.suma(Concepto::Gratificacion);
    let Some(pagada) = pagada.filter(|pagada| *pagada > Decimal::ZERO) else {
        if !matches!(regimen, Some(Articulo47 | Ninguno)) {
            let severity = if regimen == Some(Articulo50) {
                Severity::Error
            } else {
                AUSENTE.severity
            };
            out.add_as(
                &AUSENTE,
                severity,
                "lines",
                "La liquidación no tiene gratificación.".to_owned(),
            );
        }
        return;
    };
    // What art. 47 gives depends on the year's profits.
    if regimen == Some(Articulo47) {
        return;
    }
    let Some(minimo) = caso.cifra(Campo::SueldoMinimo, out) else {
        return;
    };
    let tope = tope_gratificacion(minimo);
    if pagada > tope {
        sobre_tope(caso, out, pagada, minimo, tope);
    } else {
        veinticinco(caso, out, pagada, tope, regimen == Some(Articulo50));
    }
}

fn sobre_tope(
    caso: &Caso<'_>,
    out: &mut Findings,
    pagada: Decimal,
    minimo: Decimal,
    tope: Decimal,
) {
    out.comparar(Comparacion {
        code: &TOPE,
        severity: TOPE.severity,
        path: caso.ruta(Concepto::Gratificacion),
        que: "La gratificación, a lo más,",
        esperado: tope,
        informado: pagada,
        tolerancia: Decimal::ONE,
        formula: format!("4,75 × {} / 12", pesos(minimo)),
    });
}

/// A system may cap by the days that were worked; that is accepted as well.
fn veinticinco(
    caso: &Caso<'_>,
    out: &mut Findings,
    pagada: Decimal,
    tope: Decimal,
    obligatoria: bool,
) {
    let devengado = caso.imponible - pagada;
    let cuarto = redondear(porcentaje(devengado, VEINTICINCO));
    let esperado = cuarto.min(tope);
    if let Some(dias) = caso
        .liquidacion
        .datos
        .dias
        .filter(|dias| !caso.mes_completo(*dias))
    {
        let tope_parcial = redondear(tope * dias / Decimal::from(30));
        if (pagada - cuarto.min(tope_parcial)).abs() <= Decimal::ONE {
            return;
        }
    }
    out.comparar(Comparacion {
        code: &BAJA,
        severity: if obligatoria {
            Severity::Error
        } else {
            BAJA.severity
        },
        path: caso.ruta(Concepto::Gratificacion),
        que: "La gratificación",
        esperado,
        informado: pagada,
        tolerancia: Decimal::ONE,
        formula: format!(
            "el menor entre {} % de {} y el tope {}",
            numero(VEINTICINCO),
            pesos(devengado),
            pesos(tope)
        ),
    });
}
