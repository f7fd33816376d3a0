//! The project's targets beside what was measured.

use serde::Serialize;

/// A target of the project. `met` is absent where the run was filtered.
#[derive(Serialize)]
pub struct Goal {
    pub what: &'static str,
    pub wanted: String,
    pub measured: Option<String>,
    pub met: Option<bool>,
}

impl Goal {
    pub fn at_most(what: &'static str, unit: &str, limit: f64, measured: Option<f64>) -> Self {
        Self {
            what,
            wanted: format!("<= {limit} {unit}"),
            measured: measured.map(|value| format!("{value:.1} {unit}")),
            met: measured.map(|value| value <= limit),
        }
    }

    pub fn at_least(what: &'static str, limit: f64, measured: Option<f64>) -> Self {
        Self {
            what,
            wanted: format!(">= {limit}"),
            measured: measured.map(|value| format!("{value:.3}")),
            met: measured.map(|value| value >= limit),
        }
    }

    pub(super) fn mark(&self) -> &'static str {
        match self.met {
            Some(true) => "pass",
            Some(false) => "FAIL",
            None => "-",
        }
    }
}
