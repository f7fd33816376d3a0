//! The pension funds (AFP).

use crate::texto;

/// A pension fund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Afp {
    /// AFP Capital.
    Capital,
    /// AFP Cuprum.
    Cuprum,
    /// AFP Habitat.
    Habitat,
    /// AFP Modelo.
    Modelo,
    /// AFP PlanVital.
    PlanVital,
    /// AFP ProVida.
    ProVida,
    /// AFP Uno.
    Uno,
}

impl Afp {
    /// All of them, in the order of their names.
    pub const TODAS: [Self; 7] = [
        Self::Capital,
        Self::Cuprum,
        Self::Habitat,
        Self::Modelo,
        Self::PlanVital,
        Self::ProVida,
        Self::Uno,
    ];

    /// Its name as it writes it.
    #[must_use]
    pub const fn nombre(self) -> &'static str {
        match self {
            Self::Capital => "Capital",
            Self::Cuprum => "Cuprum",
            Self::Habitat => "Habitat",
            Self::Modelo => "Modelo",
            Self::PlanVital => "PlanVital",
            Self::ProVida => "ProVida",
            Self::Uno => "Uno",
        }
    }

    /// The fund that a text names: `AFP Provida`, `PLAN VITAL`, `afp_uno`, `AFPCAPITAL`.
    #[must_use]
    pub fn leer(nombre: &str) -> Option<Self> {
        let plano = texto::plano(nombre);
        let junto = plano.replace(' ', "");
        Self::TODAS.into_iter().find(|afp| {
            let clave = afp.nombre().to_lowercase();
            match afp {
                // A short word that is part of many others.
                Self::Uno => texto::tiene_palabra(&plano, &clave) || junto.ends_with("afpuno"),
                // Words of other things (a model of payslip, a capital repayment) need the AFP.
                Self::Modelo | Self::Capital => {
                    plano == clave || (junto.contains("afp") && junto.contains(&clave))
                }
                _ => junto.contains(&clave),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn funds_are_told_by_their_names() {
        for (nombre, afp) in [
            ("AFP Provida", Some(Afp::ProVida)),
            ("PLAN VITAL", Some(Afp::PlanVital)),
            ("A.F.P. Hábitat", Some(Afp::Habitat)),
            ("afp_uno", Some(Afp::Uno)),
            ("AFPUNO", Some(Afp::Uno)),
            ("uno", Some(Afp::Uno)),
            ("capital", Some(Afp::Capital)),
            ("AFP Capital 11,44%", Some(Afp::Capital)),
            ("Abono a capital", None),
            ("AFP", None),
            ("alguno", None),
        ] {
            assert_eq!(Afp::leer(nombre), afp, "{nombre}");
        }
    }
}
