//! The tax on wages.

use rust_decimal::Decimal;

use super::Rule;
use super::afc::excluido;
use super::caso::Caso;
use super::salud::SIETE;
use crate::concepto::Concepto;
use crate::impuesto::{Periodicidad, TablaImpuesto};
use crate::indicadores::Campo;
use crate::ley::{TipoContrato, tasas_afc};
use crate::pesos::{porcentaje, redondear};
use crate::report::{Code, Comparacion, Findings};
use findings::Severity;
use findings::{numero, pesos};

const FUENTE: &str = "Ley sobre Impuesto a la Renta, arts. 42 N° 1 y 43 N° 1";

const MONTO: Code = Code {
    code: "LIQ-IMPUESTO-MONTO",
    title: "El impuesto único no es el de la tabla del mes",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Aplicar la tabla de la UTM del mes al imponible menos AFP, salud (7 % con tope), cesantía y APV del régimen B.",
};
const AUSENTE: Code = Code {
    code: "LIQ-IMPUESTO-AUSENTE",
    title: "Falta el impuesto único",
    severity: Severity::Error,
    source: FUENTE,
    remedio: "Agregar el impuesto: la base supera 13,5 UTM.",
};
const ARRASTRE: Code = Code {
    code: "LIQ-IMPUESTO-ARRASTRE",
    title: "El impuesto único sigue a otro descuento errado",
    severity: Severity::Info,
    source: FUENTE,
    remedio: "Corregir primero los descuentos previsionales y calcular de nuevo el impuesto.",
};

pub(super) static RULE: Rule = Rule {
    name: "impuesto",
    about: "El impuesto único de segunda categoría con la tabla de la UTM del mes.",
    codes: &[&MONTO, &AUSENTE, &ARRASTRE],
    check,
};

/// What is taken off the taxable pay.
struct Rebajas {
    afp: Decimal,
    salud: Decimal,
    afc: Decimal,
    otras: Decimal,
}

impl Rebajas {
    fn base(&self, imponible: Decimal) -> Decimal {
        (imponible - self.afp - self.salud - self.afc - self.otras).max(Decimal::ZERO)
    }
}

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let retenido = caso.suma(Concepto::Impuesto);
    let informado = retenido.unwrap_or_default();
    if caso.imponible <= Decimal::ZERO && informado.is_zero() {
        return;
    }
    let Some(tabla) = caso
        .cifra(Campo::Utm, out)
        .and_then(|utm| TablaImpuesto::de_utm(utm, Periodicidad::Mensual))
    else {
        return;
    };
    let Some((legales, informadas)) = rebajas(caso, out) else {
        return;
    };
    let base = legales.base(caso.imponible);
    let esperado = tabla.impuesto(base);
    if (informado - esperado).abs() > Decimal::ONE {
        let seguido = tabla.impuesto(informadas.base(caso.imponible));
        if (informado - seguido).abs() <= Decimal::ONE {
            let mensaje = format!(
                "El impuesto único {} sigue de los descuentos informados; con los que corresponden sería {}.",
                pesos(informado),
                pesos(esperado)
            );
            out.add(&ARRASTRE, caso.ruta(Concepto::Impuesto), mensaje);
            return;
        }
    }
    let falta = informado.is_zero() && esperado > Decimal::ZERO;
    out.comparar(Comparacion {
        code: if falta { &AUSENTE } else { &MONTO },
        severity: MONTO.severity,
        path: caso.ruta(Concepto::Impuesto),
        que: if falta {
            "Falta el impuesto único, que"
        } else {
            "El impuesto único"
        },
        esperado,
        informado,
        tolerancia: if falta { Decimal::ZERO } else { Decimal::ONE },
        formula: formula(&tabla, &legales, caso.imponible),
    });
}

fn formula(tabla: &TablaImpuesto, rebajas: &Rebajas, imponible: Decimal) -> String {
    let base = rebajas.base(imponible);
    let otras = if rebajas.otras.is_zero() {
        String::new()
    } else {
        format!(" − otras rebajas {}", pesos(rebajas.otras))
    };
    let tramo = tabla.tramo(base).map_or_else(String::new, |tramo| {
        let factor = numero(tramo.factor * Decimal::ONE_HUNDRED);
        format!("; {} × {factor} % − {}", pesos(base), pesos(tramo.rebaja))
    });
    format!(
        "base = imponible {} − AFP {} − salud {} − cesantía {}{otras} = {}{tramo}",
        pesos(imponible),
        pesos(rebajas.afp),
        pesos(rebajas.salud),
        pesos(rebajas.afc),
        pesos(base),
    )
}

/// As the law has them, and as the payslip has them. Where the law's can't be calculated (a fund
/// that nobody names), the payslip's stand in.
fn rebajas(caso: &Caso<'_>, out: &mut Findings) -> Option<(Rebajas, Rebajas)> {
    let base = caso.base_afp(out)?;
    let afp_informada = caso.suma_o_cero(Concepto::Afp);
    let afp = caso
        .de(Concepto::Afp)
        .find_map(|l| l.reconocida.afp)
        .or(caso.liquidacion.datos.afp);
    let tasa = afp.and_then(|afp| caso.cifra(Campo::afp(afp), out));
    let cotiza = !(caso.pensionado() && afp_informada.is_zero());
    let afp_legal = tasa
        .filter(|_| cotiza)
        .map(|tasa| redondear(porcentaje(base.monto, tasa)));

    // What a plan costs over the 7 % of the cap isn't taken off (LIR, art. 42 N° 1).
    let tope = caso
        .indicadores
        .and_then(crate::indicadores::Indicadores::tope_afp);
    let legal = redondear(porcentaje(base.monto, SIETE));
    let maximo = tope.map_or(legal, |tope| redondear(porcentaje(tope, SIETE)));
    let salud_informada =
        caso.suma_o_cero(Concepto::Salud) + caso.suma_o_cero(Concepto::SaludAdicional);
    let con_plan = caso.suma(Concepto::SaludAdicional).is_some()
        || caso
            .de(Concepto::Salud)
            .any(|l| l.reconocida.isapre == Some(true))
        || caso.liquidacion.datos.salud == Some(crate::model::Salud::Isapre);
    let salud = if con_plan {
        salud_informada.max(legal).min(maximo)
    } else {
        legal
    };

    let afc_informada = caso.suma_o_cero(Concepto::Afc);
    let afc = afc_legal(caso, out, afc_informada);
    let otras = caso.suma_o_cero(Concepto::TrabajoPesado)
        + caso.suma_o_cero(Concepto::Apv).min(apv_maximo(caso));
    let legales = Rebajas {
        afp: afp_legal.unwrap_or(afp_informada),
        salud,
        afc,
        otras,
    };
    let informadas = Rebajas {
        afp: afp_informada,
        salud: salud_informada.min(maximo),
        afc: afc_informada,
        otras,
    };
    Some((legales, informadas))
}

fn apv_maximo(caso: &Caso<'_>) -> Decimal {
    let tope = caso
        .indicadores
        .and_then(crate::indicadores::Indicadores::tope_apv);
    tope.unwrap_or(crate::pesos::MAX_MONTO)
}

fn afc_legal(caso: &Caso<'_>, out: &mut Findings, informada: Decimal) -> Decimal {
    if excluido(caso).is_some() {
        return Decimal::ZERO;
    }
    let contrato = match caso.liquidacion.datos.contrato {
        Some(contrato) => contrato,
        // Not told: a contract without the discount may be one for a time.
        None if informada.is_zero() => return Decimal::ZERO,
        None => TipoContrato::Indefinido,
    };
    let tasas = caso
        .indicadores
        .and_then(|i| tasas_afc(contrato, caso.antiguedad(), i));
    match (caso.base_afc(out), tasas) {
        (Some(base), Some((tasa, _))) => redondear(porcentaje(base.monto, tasa)),
        _ => informada,
    }
}
