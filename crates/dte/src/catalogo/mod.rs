//! The catalogue: for every kind of finding its cause and its cure in Spanish, and when it
//! holds.
//!
//! `docs/dte-rules.md` is generated from it (`cargo xtask rules`), and a test holds the two in
//! step.

mod conocido;
mod encabezado;
mod estructura;
mod montos;
mod pagina;

pub use self::pagina::catalogo_markdown;
use crate::report::Code;
use crate::rules::{RULES, Rule};
use crate::vigencia::Vigencia;

/// What the catalogue adds to a [`Code`].
#[derive(Debug, PartialEq, Eq)]
pub struct Ficha {
    /// The code that it belongs to.
    pub code: &'static str,
    /// How this comes about, in a Spanish sentence or two.
    pub causa: &'static str,
    /// What to do about it.
    pub remedio: &'static str,
    /// The dates of issue to which the rule applies.
    pub vigencia: Vigencia,
}

/// One entry of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entrada {
    /// The rule that finds it.
    pub rule: &'static Rule,
    /// The kind of finding.
    pub code: &'static Code,
    /// Its cause and cure.
    pub ficha: Option<&'static Ficha>,
}

const fn ficha(code: &'static str, causa: &'static str, remedio: &'static str) -> Ficha {
    Ficha {
        code,
        causa,
        remedio,
        vigencia: Vigencia::SIEMPRE,
    }
}

impl Ficha {
    const fn en(mut self, vigencia: Vigencia) -> Self {
        self.vigencia = vigencia;
        self
    }
}

static FICHAS: [&[Ficha]; 4] = [
    estructura::FICHAS,
    encabezado::FICHAS,
    montos::FICHAS,
    conocido::FICHAS,
];

/// Every kind of finding with its cause and cure, in the order of [`RULES`].
pub fn catalogo() -> impl Iterator<Item = Entrada> {
    RULES.iter().flat_map(|rule| {
        rule.codes.iter().map(|code| Entrada {
            rule,
            code,
            ficha: Ficha::de(code.code),
        })
    })
}

impl Ficha {
    /// The cause and cure of a finding's code; `None` for a code that no rule has.
    #[must_use]
    pub fn de(code: &str) -> Option<&'static Self> {
        let mut fichas = FICHAS.iter().flat_map(|parte| parte.iter());
        fichas.find(|ficha| ficha.code == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_one_cause_and_one_cure() {
        let mut vistos = HashSet::new();
        for entrada in catalogo() {
            let code = entrada.code.code;
            assert!(entrada.ficha.is_some(), "{code} has no cause and cure");
            vistos.insert(code);
        }
        for ficha in FICHAS.iter().flat_map(|parte| parte.iter()) {
            assert!(
                vistos.remove(ficha.code),
                "{} twice, or no code",
                ficha.code
            );
            for texto in [ficha.causa, ficha.remedio] {
                assert!(texto.ends_with('.') && texto.len() > 8, "{}", ficha.code);
            }
        }
        assert_eq!(Ficha::de("DTE-NADA"), None);
    }
}
