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
mod tests {
    use super::*;
    use crate::indicadores::integrados;

    fn dec(texto: &str) -> Decimal {
        texto.parse().unwrap()
    }

    #[test]
    fn caps_of_the_gratificacion() {
        for (minimo, tope) in [
            (460_000, 182_083),
            (500_000, 197_917),
            (510_636, 202_127),
            (529_000, 209_396),
            (539_000, 213_354),
        ] {
            assert_eq!(tope_gratificacion(minimo.into()), Decimal::from(tope));
        }
    }

    #[test]
    fn overtime_follows_the_week() {
        // The Dirección del Trabajo's factors: 0.0077777 (45), 0.00795454 (44), 0.00875 (40).
        for (horas, factor) in [
            (45, "0.0077778"),
            (44, "0.0079545"),
            (42, "0.0083333"),
            (40, "0.00875"),
        ] {
            let hora = hora_extra(Decimal::ONE, horas.into()).unwrap();
            assert_eq!(hora.round_dp(7), dec(factor), "{horas}");
        }
        assert_eq!(hora_extra(Decimal::ONE, Decimal::ZERO), None);
        assert_eq!(hora_extra(Decimal::MAX, Decimal::from(44)), None);
    }

    #[test]
    fn the_week_shortens_on_its_days() {
        for (dia, horas) in [
            (date(2024, 4, 25), 45),
            (date(2024, 4, 26), 44),
            (date(2026, 4, 25), 44),
            (date(2026, 4, 26), 42),
            (date(2028, 4, 26), 40),
        ] {
            assert_eq!(jornada_ordinaria(dia), Decimal::from(horas), "{dia}");
        }
        assert_eq!(jornada_del_mes(Periodo::de(2024, 4)), Decimal::from(45));
    }

    #[test]
    fn the_reform_has_its_steps() {
        let total = |anio, mes| Reforma::del_mes(Periodo::de(anio, mes)).map(|r| r.total());
        assert_eq!(total(2025, 7), Some(Decimal::ZERO));
        assert_eq!(total(2025, 8), Some(Decimal::ONE));
        assert_eq!(total(2026, 7), Some(Decimal::ONE));
        assert_eq!(total(2026, 8), Some(dec("3.5")));
        assert_eq!(total(2027, 8), None);
    }

    #[test]
    fn family_allowance_by_bracket() {
        let mes = integrados(Periodo::de(2025, 7)).unwrap();
        for (renta, tramo) in [
            (0, ('A', 22_007)),
            (620_251, ('A', 22_007)),
            (620_252, ('B', 13_505)),
            (1_412_957, ('C', 4_267)),
            (1_412_958, ('D', 0)),
        ] {
            let (letra, monto) = asignacion_familiar(renta.into(), &mes).unwrap();
            assert_eq!((letra, monto), (tramo.0, Decimal::from(tramo.1)), "{renta}");
        }
        let sin_tramos = integrados(Periodo::de(2025, 2)).unwrap();
        assert_eq!(asignacion_familiar(Decimal::ZERO, &sin_tramos), None);
    }

    #[test]
    fn contracts_and_regimes_by_their_names() {
        for (texto, tipo) in [
            ("Indefinido", Some(TipoContrato::Indefinido)),
            ("indefinite", Some(TipoContrato::Indefinido)),
            ("Plazo Fijo", Some(TipoContrato::PlazoFijo)),
            ("fixed_term", Some(TipoContrato::PlazoFijo)),
            ("Por obra o faena", Some(TipoContrato::Obra)),
            ("Contrato de Aprendizaje", Some(TipoContrato::Aprendizaje)),
            (
                "Trabajador de casa particular",
                Some(TipoContrato::CasaParticular),
            ),
            ("otro", None),
        ] {
            assert_eq!(TipoContrato::leer(texto), tipo, "{texto}");
        }
        assert_eq!(
            RegimenGratificacion::leer("Art. 50"),
            Some(RegimenGratificacion::Articulo50)
        );
        assert_eq!(
            RegimenGratificacion::leer("art47"),
            Some(RegimenGratificacion::Articulo47)
        );
        assert_eq!(
            RegimenGratificacion::leer("none"),
            Some(RegimenGratificacion::Ninguno)
        );
        assert_eq!(RegimenGratificacion::leer("?"), None);
        let mes = integrados(Periodo::de(2025, 7)).unwrap();
        let tasas = |tipo, anios| tasas_afc(tipo, anios, &mes).unwrap();
        assert_eq!(
            tasas(TipoContrato::Indefinido, Some(10)),
            (dec("0.6"), dec("2.4"))
        );
        assert_eq!(
            tasas(TipoContrato::Indefinido, Some(11)),
            (dec("0"), dec("0.8"))
        );
        assert_eq!(tasas(TipoContrato::Obra, None), (dec("0"), dec("3")));
        assert_eq!(tasas(TipoContrato::Aprendizaje, None), (dec("0"), dec("0")));
    }
}
