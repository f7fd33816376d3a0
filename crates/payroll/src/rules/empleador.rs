//! What the employer pays: judged where the payslip shows it.

use rust_decimal::Decimal;

use super::Rule;
use super::afc::excluido;
use super::caso::{Base, Caso};
use crate::concepto::{Clase, Concepto};
use crate::indicadores::Campo;
use crate::ley::{Reforma, TipoContrato, tasas_afc};
use crate::pesos::{porcentaje, redondear};
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::numero;

const SIS: Code = Code {
    code: "LIQ-SIS-MONTO",
    title: "El seguro de invalidez y sobrevivencia no es el del mes",
    severity: Severity::Error,
    source: "DL 3.500, arts. 17 y 59",
    remedio: "Aplicar la tasa del SIS del mes al imponible con tope.",
};
const AFC: Code = Code {
    code: "LIQ-AFC-EMPLEADOR-MONTO",
    title: "El seguro de cesantía del empleador no es el que corresponde",
    severity: Severity::Error,
    source: "Ley 19.728, arts. 5 y 6",
    remedio: "Aplicar 2,4 % (indefinido), 3 % (plazo fijo u obra) o 0,8 % (11 años) al imponible con tope.",
};
const ACCIDENTES: Code = Code {
    code: "LIQ-ACCIDENTES-MONTO",
    title: "La cotización de accidentes del trabajo no es posible",
    severity: Severity::Warning,
    source: "Ley 16.744, art. 15; Ley 21.063",
    remedio: "Aplicar la tasa de la empresa (básica 0,90 % más SANNA y adicional) al imponible con tope.",
};
const REFORMA: Code = Code {
    code: "LIQ-REFORMA-MONTO",
    title: "El aporte de la reforma de pensiones no es el del mes",
    severity: Severity::Error,
    source: "Ley 21.735, transitorios",
    remedio: "Aplicar las tasas del mes: desde agosto de 2025, 0,1 % y 0,9 %; desde agosto de 2026, 0,1 %, 0,9 % y 2,5 % con el SIS incluido.",
};
const REFORMA_AUSENTE: Code = Code {
    code: "LIQ-REFORMA-AUSENTE",
    title: "Falta el aporte de la reforma de pensiones",
    severity: Severity::Warning,
    source: "Ley 21.735, transitorios",
    remedio: "Agregar los aportes del empleador a la cuenta individual y al Seguro Social.",
};
const PESADO: Code = Code {
    code: "LIQ-PESADO-MONTO",
    title: "La cotización por trabajo pesado no es 1 % ni 2 %",
    severity: Severity::Warning,
    source: "DL 3.500, art. 17 bis",
    remedio: "Aplicar 2 % (pesado) o 1 % (menos pesado) al imponible con tope.",
};

pub(super) static RULE: Rule = Rule {
    name: "empleador",
    about: "Los aportes del empleador, si la liquidación los muestra, y el trabajo pesado.",
    codes: &[&SIS, &AFC, &ACCIDENTES, &REFORMA, &REFORMA_AUSENTE, &PESADO],
    check,
};

const fn d(valor: u32, decimales: u32) -> Decimal {
    Decimal::from_parts(valor, 0, 0, false, decimales)
}

/// The basic rate for accidents without anything added, and the highest possible one.
const ACCIDENTES_DESDE: Decimal = d(90, 2);
const ACCIDENTES_HASTA: Decimal = d(85, 1);

fn check(caso: &Caso<'_>, out: &mut Findings) {
    pesado(caso, out);
    let aportes = caso
        .lineas
        .iter()
        .any(|l| l.clase == Some(Clase::Aporte) && !l.importe.is_zero());
    if !aportes || caso.imponible <= Decimal::ZERO {
        return;
    }
    if let Some(base) = caso.base_afp(out) {
        sis(caso, out, base);
        accidentes(caso, out, base);
        reforma(caso, out, base);
    }
    cesantia(caso, out);
}

fn comparar(
    caso: &Caso<'_>,
    out: &mut Findings,
    code: &'static Code,
    concepto: Concepto,
    que: &str,
    base: Base,
    tasa: Decimal,
) {
    let Some(informado) = caso.suma(concepto) else {
        return;
    };
    out.comparar(Comparacion {
        code,
        severity: code.severity,
        path: caso.ruta(concepto),
        que,
        esperado: redondear(porcentaje(base.monto, tasa)),
        informado,
        tolerancia: Decimal::ONE,
        formula: base.formula(tasa),
    });
}

fn sis(caso: &Caso<'_>, out: &mut Findings, base: Base) {
    if caso.suma(Concepto::Sis).is_none() {
        return;
    }
    if let Some(tasa) = caso.cifra(Campo::Sis, out) {
        comparar(caso, out, &SIS, Concepto::Sis, "El SIS", base, tasa);
    }
}

fn cesantia(caso: &Caso<'_>, out: &mut Findings) {
    let Some(informado) = caso.suma(Concepto::AfcEmpleador) else {
        return;
    };
    let Some(base) = caso.base_afc(out) else {
        return;
    };
    let tasa = |contrato| {
        if excluido(caso).is_some() {
            return Some(Decimal::ZERO);
        }
        let tasas = caso
            .indicadores
            .and_then(|i| tasas_afc(contrato, caso.antiguedad(), i));
        tasas.map(|(_, empleador)| empleador)
    };
    let contrato = caso.liquidacion.datos.contrato.unwrap_or_else(|| {
        // Not told: the worker's part, or what is paid, tells which.
        let fijo =
            tasa(TipoContrato::PlazoFijo).map(|tasa| redondear(porcentaje(base.monto, tasa)));
        if fijo == Some(informado) {
            TipoContrato::PlazoFijo
        } else {
            TipoContrato::Indefinido
        }
    });
    match tasa(contrato) {
        Some(tasa) => comparar(
            caso,
            out,
            &AFC,
            Concepto::AfcEmpleador,
            "La cesantía del empleador",
            base,
            tasa,
        ),
        None => out.falta(Campo::AfcEmpleadorIndefinido),
    }
}

fn accidentes(caso: &Caso<'_>, out: &mut Findings, base: Base) {
    let Some(informado) = caso.suma(Concepto::Accidentes) else {
        return;
    };
    let propia = caso.liquidacion.datos.tasa_accidentes;
    if let Some(tasa) = propia.filter(|tasa| *tasa > Decimal::ZERO && *tasa <= ACCIDENTES_HASTA) {
        comparar(
            caso,
            out,
            &ACCIDENTES,
            Concepto::Accidentes,
            "La cotización de accidentes",
            base,
            tasa,
        );
        return;
    }
    let limite = |tasa| redondear(porcentaje(base.monto, tasa));
    let (desde, hasta) = (limite(ACCIDENTES_DESDE), limite(ACCIDENTES_HASTA));
    if informado < desde - Decimal::ONE || informado > hasta + Decimal::ONE {
        let (tasa, que) = if informado < desde {
            (
                ACCIDENTES_DESDE,
                "La cotización de accidentes, como mínimo,",
            )
        } else {
            (
                ACCIDENTES_HASTA,
                "La cotización de accidentes, como máximo,",
            )
        };
        comparar(
            caso,
            out,
            &ACCIDENTES,
            Concepto::Accidentes,
            que,
            base,
            tasa,
        );
    }
}

fn reforma(caso: &Caso<'_>, out: &mut Findings, base: Base) {
    let Some(reforma) = caso.liquidacion.periodo.and_then(Reforma::del_mes) else {
        return;
    };
    // Pensioners aren't part of it (Ley 21.735).
    if caso.pensionado() {
        return;
    }
    let partes = [
        (
            Concepto::AporteCuenta,
            "El aporte a la cuenta individual",
            reforma.cuenta,
        ),
        (
            Concepto::RentabilidadProtegida,
            "La cotización con rentabilidad protegida",
            reforma.rentabilidad_protegida,
        ),
        (
            Concepto::SeguroSocial,
            "El Seguro Social",
            reforma.seguro_social,
        ),
    ];
    let informado: Decimal = partes
        .iter()
        .map(|(concepto, ..)| caso.suma_o_cero(*concepto))
        .sum();
    let total = reforma.total();
    let esperado = redondear(porcentaje(base.monto, total));
    if informado.is_zero() {
        if !total.is_zero() {
            let mensaje = format!(
                "La liquidación muestra aportes del empleador, pero no el de la reforma de pensiones: {} % del imponible, {}.",
                numero(total),
                findings::pesos(esperado)
            );
            out.add(&REFORMA_AUSENTE, "lines", mensaje);
        }
        return;
    }
    // One line may hold all of it.
    if (informado - esperado).abs() <= Decimal::from(3) {
        return;
    }
    for (concepto, que, tasa) in partes {
        comparar(caso, out, &REFORMA, concepto, que, base, tasa);
    }
}

fn pesado(caso: &Caso<'_>, out: &mut Findings) {
    let Some(informado) = caso
        .suma(Concepto::TrabajoPesado)
        .filter(|monto| !monto.is_zero())
    else {
        return;
    };
    let Some(base) = caso.base_afp(out) else {
        return;
    };
    let cerca = |tasa| (redondear(porcentaje(base.monto, tasa)) - informado).abs();
    let (pesado, menos) = (Decimal::TWO, Decimal::ONE);
    let tasa = if cerca(pesado) <= cerca(menos) {
        pesado
    } else {
        menos
    };
    comparar(
        caso,
        out,
        &PESADO,
        Concepto::TrabajoPesado,
        "La cotización por trabajo pesado",
        base,
        tasa,
    );
}
