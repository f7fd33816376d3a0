//! The rules: one file each, listed in [`RULES`].
//!
//! A code is `LIQ-AREA-WHAT` and never reused for something else. Each rule judges on its own,
//! over the pay that the lines add up to, so that one wrong figure isn't reported again by the
//! rules after it.

mod afc;
mod afp;
mod asignacion;
pub(crate) mod caso;
mod empleador;
mod fechas;
mod gratificacion;
mod horas_extra;
mod impuesto;
mod indicadores;
mod lectura;
mod limites;
mod minimo;
mod salud;
mod sueldo;
mod totales;

#[cfg(test)]
pub(crate) mod pruebas;
#[cfg(test)]
mod tests;

use self::caso::Caso;
use crate::indicadores::Indicadores;
use crate::model::Liquidacion;
use crate::report::{Code, Findings, Report};

/// Changes whenever a verdict can change; part of the key of every cached answer.
pub const RULES_VERSION: &str = "2026-11-22.1";

/// One rule: a few related checks in a file of their own.
pub struct Rule {
    /// Its name: that of its file.
    pub name: &'static str,
    /// What it looks at, in a Spanish sentence.
    pub about: &'static str,
    /// The kinds of finding that it makes.
    pub codes: &'static [&'static Code],
    check: fn(&Caso<'_>, &mut Findings),
}

/// Every rule, in the order in which they run.
pub static RULES: &[&Rule] = &[
    &lectura::RULE,
    &fechas::RULE,
    &sueldo::RULE,
    &minimo::RULE,
    &horas_extra::RULE,
    &gratificacion::RULE,
    &afp::RULE,
    &salud::RULE,
    &afc::RULE,
    &impuesto::RULE,
    &asignacion::RULE,
    &empleador::RULE,
    &totales::RULE,
    &limites::RULE,
    // Last: it says what the others lacked.
    &indicadores::RULE,
];

/// Judges a payslip by the rules, with the indicators of its month.
///
/// Without indicators, or with those of another month, what needs them isn't judged, and that
/// is a finding. Never fails: whatever is wrong is a finding.
#[must_use]
pub fn validate(liquidacion: &Liquidacion, indicadores: Option<&Indicadores>) -> Report {
    let caso = Caso::new(liquidacion, indicadores);
    let mut out = Findings::default();
    for rule in RULES {
        (rule.check)(&caso, &mut out);
    }
    out.into_report()
}
