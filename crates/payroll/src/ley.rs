//! What the law says with dates, besides the month's indicators.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use crate::indicadores::{Campo, Indicadores};
use crate::periodo::Periodo;
use crate::pesos::redondear;

/// The kind of a contract, as far as contributions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TipoContrato {
    /// Indefinido.
    Indefinido,
    /// A plazo fijo.
    PlazoFijo,
    /// Por obra, faena o servicio: as plazo fijo.
    Obra,
    /// Trabajador de casa particular.
    CasaParticular,
    /// Contrato de aprendizaje (Código del Trabajo, art. 78): no minimum wage, no insurance
    /// against unemployment (Ley 19.728, art. 2).
    Aprendizaje,
}

impl TipoContrato {
    /// Its name in Spanish.
    #[must_use]
    pub const fn nombre(self) -> &'static str {
        match self {
            Self::Indefinido => "contrato indefinido",
            Self::PlazoFijo => "contrato a plazo fijo",
            Self::Obra => "contrato por obra o faena",
            Self::CasaParticular => "trabajador de casa particular",
            Self::Aprendizaje => "contrato de aprendizaje",
        }
    }

    /// As systems write it: `Indefinido`, `indefinite`, `Plazo fijo`, `fixed_term`, `obra`…
    #[must_use]
    pub fn leer(texto: &str) -> Option<Self> {
        let plano = crate::texto::plano(texto);
        let tiene = |palabras: &[&str]| palabras.iter().any(|p| crate::texto::tiene(&plano, p));
        if tiene(&["casa particular", "trabajador de casa", "domestic", "tcp"]) {
            Some(Self::CasaParticular)
        } else if tiene(&["aprendi", "apprentic"]) {
            Some(Self::Aprendizaje)
        } else if tiene(&["indef", "permanent", "open ended"]) {
            Some(Self::Indefinido)
        } else if tiene(&["plazo", "fix", "term", "temporal", "temporary"]) {
            Some(Self::PlazoFijo)
        } else if tiene(&["obra", "faena", "project", "servicio"]) {
            Some(Self::Obra)
        } else {
            None
        }
    }
}

/// How the annual bonus for profits (gratificación) is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegimenGratificacion {
    /// Código del Trabajo, art. 47: 30 % of the profits, shared; the month shows an advance.
    Articulo47,
    /// Art. 50: 25 % of the pay, capped at 4.75 minimum incomes a year.
    Articulo50,
    /// None is due or it is agreed otherwise.
    Ninguno,
}

impl RegimenGratificacion {
    /// As systems write it: `art47`, `Artículo 50`, `25%`, `none`…
    #[must_use]
    pub fn leer(texto: &str) -> Option<Self> {
        let plano = crate::texto::plano(texto);
        let junto = plano.replace(' ', "");
        if junto.contains("47") || junto.contains("30") {
            Some(Self::Articulo47)
        } else if junto.contains("50")
            || junto.contains("25")
            || plano.contains("legal")
            || plano.contains("mensual")
        {
            Some(Self::Articulo50)
        } else if ["none", "no", "sin", "ninguna", "ninguno"].contains(&plano.as_str())
            || plano.starts_with("sin ")
        {
            Some(Self::Ninguno)
        } else {
            None
        }
    }
}

/// The rates of the unemployment insurance (Ley 19.728): worker, employer, in percent.
///
/// Eleven years count from `antiguedad`, in whole years; the month's own figures come first.
#[must_use]
pub fn tasas_afc(
    contrato: TipoContrato,
    antiguedad: Option<i16>,
    indicadores: &Indicadores,
) -> Option<(Decimal, Decimal)> {
    let once = antiguedad.is_some_and(|anios| anios >= 11);
    let (trabajador, empleador) = match contrato {
        TipoContrato::Indefinido if once => (
            Campo::AfcTrabajadorIndefinido11,
            Campo::AfcEmpleadorIndefinido11,
        ),
        TipoContrato::Indefinido => (
            Campo::AfcTrabajadorIndefinido,
            Campo::AfcEmpleadorIndefinido,
        ),
        TipoContrato::PlazoFijo | TipoContrato::Obra => {
            (Campo::AfcTrabajadorPlazoFijo, Campo::AfcEmpleadorPlazoFijo)
        }
        TipoContrato::CasaParticular => (
            Campo::AfcTrabajadorCasaParticular,
            Campo::AfcEmpleadorCasaParticular,
        ),
        TipoContrato::Aprendizaje => return Some((Decimal::ZERO, Decimal::ZERO)),
    };
    Some((indicadores.get(trabajador)?, indicadores.get(empleador)?))
}

const fn d(valor: u32, decimales: u32) -> Decimal {
    Decimal::from_parts(valor, 0, 0, false, decimales)
}

/// The monthly cap of the gratificación of art. 50: 4.75 minimum incomes over twelve months.
#[must_use]
pub fn tope_gratificacion(minimo: Decimal) -> Decimal {
    redondear(d(475, 2) * minimo / Decimal::from(12))
}

/// The ordinary working week in hours (Código del Trabajo, art. 22; Ley 21.561): 45, 44 from
/// 26 April 2024, 42 from 26 April 2026, 40 from 26 April 2028.
#[must_use]
pub fn jornada_ordinaria(dia: Date) -> Decimal {
    let horas = if dia < date(2024, 4, 26) {
        45
    } else if dia < date(2026, 4, 26) {
        44
    } else if dia < date(2028, 4, 26) {
        42
    } else {
        40
    };
    Decimal::from(horas)
}

/// The longest working week that holds at some day of a month, in hours.
#[must_use]
pub fn jornada_del_mes(periodo: Periodo) -> Decimal {
    jornada_ordinaria(periodo.primer_dia())
}

/// What an hour of overtime is worth at a monthly wage: wage / 30 × 28 / (4 × weekly hours),
/// and a half more (Código del Trabajo, art. 32; Dirección del Trabajo). Not rounded.
/// `None` for hours outside 1 to 60.
#[must_use]
pub fn hora_extra(sueldo: Decimal, horas_semanales: Decimal) -> Option<Decimal> {
    let posible = horas_semanales >= Decimal::ONE && horas_semanales <= Decimal::from(60);
    if !posible || !crate::pesos::calculable(sueldo) {
        return None;
    }
    // 28 / (30 × 4) × 1.5 = 7 / 20
    Some(sueldo * Decimal::from(7) / (Decimal::from(20) * horas_semanales))
}

/// What an employer pays besides, in percent of the capped pay, by the pension reform
/// (Ley 21.735).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reforma {
    /// Into the worker's own account.
    pub cuenta: Decimal,
    /// Contribution with protected return.
    pub rentabilidad_protegida: Decimal,
    /// Social insurance: life expectancy; from August 2026 with the SIS in it.
    pub seguro_social: Decimal,
    /// Whether the SIS is part of it and no longer apart.
    pub incluye_sis: bool,
}

impl Reforma {
    /// All of it together.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.cuenta + self.rentabilidad_protegida + self.seguro_social
    }

    /// What is due for the pay of a month: nothing before August 2025. `None` from August 2027
    /// on, where the steps aren't confirmed.
    #[must_use]
    pub fn del_mes(periodo: Periodo) -> Option<Self> {
        if periodo < Periodo::de(2025, 8) {
            Some(Self::default())
        } else if periodo < Periodo::de(2026, 8) {
            Some(Self {
                cuenta: d(1, 1),
                seguro_social: d(9, 1),
                ..Self::default()
            })
        } else if periodo < Periodo::de(2027, 8) {
            Some(Self {
                cuenta: d(1, 1),
                rentabilidad_protegida: d(9, 1),
                seguro_social: d(25, 1),
                incluye_sis: true,
            })
        } else {
            None
        }
    }
}

/// The bracket of the family allowance for an income: its letter and the amount for each
/// dependant; `None` where the month's brackets aren't known.
#[must_use]
pub fn asignacion_familiar(renta: Decimal, indicadores: &Indicadores) -> Option<(char, Decimal)> {
    for (letra, hasta, monto) in [
        ('A', Campo::AsigFam1Hasta, Campo::AsigFam1),
        ('B', Campo::AsigFam2Hasta, Campo::AsigFam2),
        ('C', Campo::AsigFam3Hasta, Campo::AsigFam3),
    ] {
        if renta <= indicadores.get(hasta)? {
            return Some((letra, indicadores.get(monto)?));
        }
    }
    Some(('D', Decimal::ZERO))
}

#[cfg(test)]
mod tests;
