//! The family allowance.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::Caso;
use crate::concepto::Concepto;
use crate::indicadores::Campo;
use crate::ley::asignacion_familiar;
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::pesos;

const FUENTE: &str = "DFL 150 de 1981; Ley 18.987, art. 1";

const MONTO: Code = Code {
    code: "LIQ-ASIGFAM-MONTO",
    title: "La asignación familiar no es la del tramo",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Pagar el monto del tramo por cada carga reconocida; el tramo sigue de la renta promedio del semestre anterior.",
};
const DUDOSA: Code = Code {
    code: "LIQ-ASIGFAM-DUDOSA",
    title: "La asignación familiar no es múltiplo de ningún tramo",
    severity: Severity::Warning,
    source: FUENTE,
    remedio: "Revisar el tramo y el número de cargas.",
};

pub(super) static RULE: Rule = Rule {
    name: "asignacion",
    about: "La asignación familiar según tramo, cargas y mes.",
    codes: &[&MONTO, &DUDOSA],
    check,
};

/// More dependants than this aren't tried; an invalid one counts twice.
const MAX_CARGAS: u32 = 30;

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let pagada = caso.suma_o_cero(Concepto::AsignacionFamiliar);
    let datos = &caso.liquidacion.datos;
    let cargas = datos.cargas.filter(|cargas| *cargas <= MAX_CARGAS);
    if pagada.is_zero() && cargas.unwrap_or(0) == 0 {
        return;
    }
    let montos = ['A', 'B', 'C'].map(|tramo| monto(caso, out, tramo));
    let [Some(_), Some(_), Some(_)] = montos else {
        return;
    };
    if let (Some(tramo), Some(cargas)) = (datos.tramo, cargas) {
        let Some(por_carga) = monto(caso, out, tramo) else {
            return;
        };
        comparar(
            caso,
            out,
            pagada,
            (tramo, por_carga, cargas),
            Severity::Error,
        );
        return;
    }
    if let Some(cargas) = cargas {
        // The bracket follows from last semester's income: this month's is only a hint.
        let pago = |por_carga: Decimal| por_carga * Decimal::from(cargas) == pagada;
        let alguno = pagada.is_zero() || montos.iter().flatten().any(|monto| pago(*monto));
        let de_hoy = caso
            .indicadores
            .and_then(|i| asignacion_familiar(caso.imponible, i));
        if let Some((tramo, por_carga)) = de_hoy
            && !pago(por_carga)
        {
            let severity = if alguno {
                Severity::Info
            } else {
                Severity::Warning
            };
            comparar(caso, out, pagada, (tramo, por_carga, cargas), severity);
        }
        return;
    }
    let multiplo = montos
        .iter()
        .flatten()
        .any(|monto| (1..=MAX_CARGAS).any(|cargas| *monto * Decimal::from(cargas) == pagada));
    if !multiplo {
        let [a, b, c] = montos.map(|monto| pesos(monto.unwrap_or_default()));
        let mensaje = format!(
            "La asignación familiar {} no es un número de cargas de ningún tramo: {a}, {b} o {c} por carga.",
            pesos(pagada)
        );
        out.add(&DUDOSA, caso.ruta(Concepto::AsignacionFamiliar), mensaje);
    }
}

fn monto(caso: &Caso<'_>, out: &mut Findings, tramo: char) -> Option<Decimal> {
    match tramo {
        'A' => caso.cifra(Campo::AsigFam1, out),
        'B' => caso.cifra(Campo::AsigFam2, out),
        'C' => caso.cifra(Campo::AsigFam3, out),
        _ => Some(Decimal::ZERO),
    }
}

fn comparar(
    caso: &Caso<'_>,
    out: &mut Findings,
    pagada: Decimal,
    (tramo, por_carga, cargas): (char, Decimal, u32),
    severity: Severity,
) {
    out.comparar(Comparacion {
        code: &MONTO,
        severity,
        path: caso.ruta(Concepto::AsignacionFamiliar),
        que: "La asignación familiar",
        esperado: por_carga * Decimal::from(cargas),
        informado: pagada,
        tolerancia: Decimal::ZERO,
        formula: format!("tramo {tramo}: {} × {cargas} cargas", pesos(por_carga)),
    });
}
