//! The checks by their names, and one that failed.

use std::fmt;

use rust_decimal::Decimal;

use crate::indicadores::Campo;

/// A check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prueba {
    /// The UTA is twelve UTM.
    UtaDoceUtm,
    /// A cap in pesos is the cap in UF × UF, within a peso.
    TopeEnPesos,
    /// UF and UTM are of a size that they can have.
    Magnitud,
    /// The UF is near that of the month before.
    UfContraAnterior,
    /// The UTM is near that of the month before.
    UtmContraAnterior,
    /// The UTM follows the consumer prices that the UF has followed a month before.
    UtmContraUf,
    /// A worker's AFP rate is 10 % and a commission.
    TasaAfp,
    /// Rate to pay and rate of the self-employed follow from the worker's.
    ColumnasAfp,
    /// The SIS is of a size that it can have.
    TasaSis,
    /// The rates of the unemployment insurance are those of the law.
    TasaAfc,
    /// The minimum incomes are in their order, and no lower than the month before.
    SueldoMinimo,
    /// Brackets grow and their amounts shrink.
    TramosAsignacion,
    /// Employer and worker pay the heavy work's total.
    TrabajoPesado,
}

impl Prueba {
    /// Its stable name.
    #[must_use]
    pub const fn nombre(self) -> &'static str {
        match self {
            Self::UtaDoceUtm => "uta_12_utm",
            Self::TopeEnPesos => "tope_uf_x_uf",
            Self::Magnitud => "magnitud",
            Self::UfContraAnterior => "uf_mes_anterior",
            Self::UtmContraAnterior => "utm_mes_anterior",
            Self::UtmContraUf => "utm_contra_uf",
            Self::TasaAfp => "afp_desde_10",
            Self::ColumnasAfp => "columnas_afp",
            Self::TasaSis => "sis",
            Self::TasaAfc => "afc",
            Self::SueldoMinimo => "sueldo_minimo",
            Self::TramosAsignacion => "tramos_asignacion",
            Self::TrabajoPesado => "trabajo_pesado",
        }
    }
}

/// A check that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallo {
    /// Which.
    pub prueba: Prueba,
    /// The figure that can't be.
    pub campo: Campo,
    /// About what it should be.
    pub esperado: Decimal,
    /// What it is.
    pub leido: Decimal,
}

impl fmt::Display for Fallo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nombre, campo) = (self.prueba.nombre(), self.campo.nombre());
        write!(
            f,
            "{nombre}: {campo} is {}, expected about {}",
            self.leido, self.esperado
        )
    }
}
