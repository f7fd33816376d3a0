//! The worker's part of the unemployment insurance.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::Caso;
use crate::concepto::Concepto;
use crate::indicadores::Campo;
use crate::ley::{TipoContrato, tasas_afc};
use crate::pesos::{porcentaje, redondear};
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::pesos;

const FUENTE: &str = "Ley 19.728, arts. 2, 5 y 6";

const MONTO: Code = Code {
    code: "LIQ-AFC-MONTO",
    title: "El seguro de cesantía no es el que corresponde",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Descontar el 0,6 % del imponible con el tope de cesantía, en cada mes de nuevo.",
};
const AUSENTE: Code = Code {
    code: "LIQ-AFC-AUSENTE",
    title: "Falta el seguro de cesantía",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Agregar el 0,6 % en contratos indefinidos, o informar el tipo de contrato.",
};
const INDEBIDO: Code = Code {
    code: "LIQ-AFC-INDEBIDO",
    title: "El trabajador no paga seguro de cesantía",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Quitar el descuento: a plazo fijo, por obra o con 11 años lo paga sólo el empleador; pensionados, menores de 18 y aprendices no cotizan.",
};

pub(super) static RULE: Rule = Rule {
    name: "afc",
    about: "El seguro de cesantía del trabajador, según contrato, antigüedad y tope.",
    codes: &[&MONTO, &AUSENTE, &INDEBIDO],
    check,
};

/// Who is left out of the insurance (Ley 19.728, art. 2), as far as it is known.
pub(super) fn excluido(caso: &Caso<'_>) -> Option<&'static str> {
    if caso.pensionado() {
        Some("pensionado")
    } else if caso.edad().is_some_and(|edad| edad < 18) {
        Some("menor de 18 años")
    } else if caso.liquidacion.datos.contrato == Some(TipoContrato::Aprendizaje) {
        Some("aprendiz")
    } else {
        None
    }
}

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let descontado = caso.suma_o_cero(Concepto::Afc);
    if caso.imponible <= Decimal::ZERO && descontado.is_zero() {
        return;
    }
    if let Some(quien) = excluido(caso) {
        indebido(caso, out, descontado, quien.to_owned());
        return;
    }
    let contrato = caso.liquidacion.datos.contrato;
    let Some(base) = caso.base_afc(out) else {
        return;
    };
    let supuesto = contrato.unwrap_or(TipoContrato::Indefinido);
    let tasas = caso
        .indicadores
        .and_then(|i| tasas_afc(supuesto, caso.antiguedad(), i));
    let Some((tasa, _)) = tasas else {
        out.falta(Campo::AfcTrabajadorIndefinido);
        return;
    };
    if tasa.is_zero() {
        let cuanto = caso
            .antiguedad()
            .filter(|_| supuesto == TipoContrato::Indefinido);
        let quien = cuanto.map_or_else(
            || supuesto.nombre().to_owned(),
            |anios| format!("contrato indefinido de {anios} años"),
        );
        indebido(caso, out, descontado, quien);
        return;
    }
    let falta = descontado.is_zero();
    // A contract that isn't told may be one for a time, where the worker pays nothing.
    let severity = if falta && contrato.is_none() {
        Severity::Warning
    } else {
        Severity::Error
    };
    out.comparar(Comparacion {
        code: if falta { &AUSENTE } else { &MONTO },
        severity,
        path: caso.ruta(Concepto::Afc),
        que: if falta {
            "Falta el seguro de cesantía, que"
        } else {
            "El seguro de cesantía"
        },
        esperado: redondear(porcentaje(base.monto, tasa)),
        informado: descontado,
        tolerancia: if falta { Decimal::ZERO } else { Decimal::ONE },
        formula: base.formula(tasa),
    });
}

fn indebido(caso: &Caso<'_>, out: &mut Findings, descontado: Decimal, quien: String) {
    if descontado.is_zero() {
        return;
    }
    out.comparar(Comparacion {
        code: &INDEBIDO,
        severity: INDEBIDO.severity,
        path: caso.ruta(Concepto::Afc),
        que: "El seguro de cesantía del trabajador",
        esperado: Decimal::ZERO,
        informado: descontado,
        tolerancia: Decimal::ZERO,
        formula: format!("{quien}: 0 % de {}", pesos(caso.imponible)),
    });
}
