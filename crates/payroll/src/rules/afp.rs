//! The worker's contribution to the pension fund.

use rust_decimal::Decimal;

use super::Rule;
use super::caso::{Base, Caso};
use crate::afp::Afp;
use crate::concepto::Concepto;
use crate::indicadores::Campo;
use crate::pesos::{porcentaje, redondear};
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::{numero, pesos};

const FUENTE: &str = "DL 3.500, arts. 16, 17 y 29";

const MONTO: Code = Code {
    code: "LIQ-AFP-MONTO",
    title: "La cotización de AFP no es la que corresponde",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Descontar el 10 % más la comisión de la AFP, sobre el imponible con tope.",
};
const AUSENTE: Code = Code {
    code: "LIQ-AFP-AUSENTE",
    title: "Falta la cotización de AFP",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Agregar la cotización, o informar que el trabajador está pensionado.",
};
const DISTINTA: Code = Code {
    code: "LIQ-AFP-DISTINTA",
    title: "La línea nombra otra AFP que la ficha",
    severity: Severity::Warning,
    source: FUENTE,
    remedio: "Corregir la AFP del trabajador o la de la línea.",
};
const SIN_NOMBRE: Code = Code {
    code: "LIQ-AFP-SIN-NOMBRE",
    title: "No se dice la AFP",
    severity: Severity::Info,
    source: FUENTE,
    remedio: "Nombrar la AFP en la línea o en los datos del trabajador, para revisar su comisión.",
};

pub(super) static RULE: Rule = Rule {
    name: "afp",
    about: "La cotización de AFP según la AFP, el mes y el tope imponible.",
    codes: &[&MONTO, &AUSENTE, &DISTINTA, &SIN_NOMBRE],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let de_linea = caso
        .de(Concepto::Afp)
        .find_map(|linea| linea.reconocida.afp);
    let de_ficha = caso.liquidacion.datos.afp;
    if let (Some(linea), Some(ficha)) = (de_linea, de_ficha)
        && linea != ficha
    {
        let mensaje = format!(
            "La línea es de AFP {} y la ficha dice {}.",
            linea.nombre(),
            ficha.nombre()
        );
        out.add(&DISTINTA, caso.ruta(Concepto::Afp), mensaje);
    }
    let descontado = caso.suma(Concepto::Afp).filter(|monto| !monto.is_zero());
    if descontado.is_none() && (caso.pensionado() || caso.imponible <= Decimal::ZERO) {
        return;
    }
    let Some(base) = caso.base_afp(out) else {
        return;
    };
    match (descontado, de_linea.or(de_ficha)) {
        (None, afp) => ausente(caso, out, base, afp),
        (Some(descontado), Some(afp)) => de_una(caso, out, base, afp, descontado),
        (Some(descontado), None) => de_ninguna(caso, out, base, descontado),
    }
}

fn ausente(caso: &Caso<'_>, out: &mut Findings, base: Base, afp: Option<Afp>) {
    let Some(tasa) = afp.and_then(|afp| caso.cifra(Campo::afp(afp), out)) else {
        let mensaje = format!(
            "No hay descuento de AFP y el imponible es {}.",
            pesos(caso.imponible)
        );
        out.add(&AUSENTE, "lines", mensaje);
        return;
    };
    out.comparar(Comparacion {
        code: &AUSENTE,
        severity: AUSENTE.severity,
        path: "lines".to_owned(),
        que: "Falta la cotización de AFP, que",
        esperado: redondear(porcentaje(base.monto, tasa)),
        informado: Decimal::ZERO,
        tolerancia: Decimal::ZERO,
        formula: base.formula(tasa),
    });
}

/// Two lines (the 10 % and the commission) are each rounded.
fn tolerancia(caso: &Caso<'_>) -> Decimal {
    Decimal::from(caso.de(Concepto::Afp).count().clamp(1, 3))
}

fn de_una(caso: &Caso<'_>, out: &mut Findings, base: Base, afp: Afp, descontado: Decimal) {
    let Some(tasa) = caso.cifra(Campo::afp(afp), out) else {
        return;
    };
    let que = format!("El descuento de AFP {}", afp.nombre());
    comparar(caso, out, base, (&que, tasa), descontado);
}

fn comparar(
    caso: &Caso<'_>,
    out: &mut Findings,
    base: Base,
    (que, tasa): (&str, Decimal),
    descontado: Decimal,
) {
    let usada = usada(descontado, base.monto);
    out.comparar(Comparacion {
        code: &MONTO,
        severity: MONTO.severity,
        path: caso.ruta(Concepto::Afp),
        que,
        esperado: redondear(porcentaje(base.monto, tasa)),
        informado: descontado,
        tolerancia: tolerancia(caso),
        formula: format!("{}; se usó {usada}", base.formula(tasa)),
    });
}

fn usada(descontado: Decimal, base: Decimal) -> String {
    if base <= Decimal::ZERO {
        return "otra base".to_owned();
    }
    let tasa = (descontado * Decimal::ONE_HUNDRED / base).round_dp(2);
    format!("{} %", numero(tasa))
}

/// Without a name, a discount is right if it is that of some fund; else it is told against the
/// nearest one.
fn de_ninguna(caso: &Caso<'_>, out: &mut Findings, base: Base, descontado: Decimal) {
    let tasas: Vec<(Afp, Decimal)> = Afp::TODAS
        .into_iter()
        .filter_map(|afp| Some((afp, caso.cifra(Campo::afp(afp), out)?)))
        .collect();
    let distancia = |tasa: Decimal| (redondear(porcentaje(base.monto, tasa)) - descontado).abs();
    let Some((afp, tasa)) = tasas.into_iter().min_by_key(|(_, tasa)| distancia(*tasa)) else {
        return;
    };
    if distancia(tasa) <= tolerancia(caso) {
        let mensaje = format!(
            "La línea no dice la AFP; el descuento es el de {} ({} %).",
            afp.nombre(),
            numero(tasa)
        );
        out.add(&SIN_NOMBRE, caso.ruta(Concepto::Afp), mensaje);
    } else {
        let que = format!("El descuento de AFP, si fuera {},", afp.nombre());
        comparar(caso, out, base, (&que, tasa), descontado);
    }
}
