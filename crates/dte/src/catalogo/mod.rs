//! The catalogue: for every kind of finding its cause and its cure in Spanish, and when it
//! holds.
//!
//! `docs/dte-rules.md` is generated from it (`cargo xtask rules`), and a test holds the two in
//! step.

mod conocido;
mod encabezado;
mod estructura;
#[cfg(feature = "firma")]
mod firma;
mod montos;
mod orden;
mod pagina;

pub use self::pagina::catalogo_markdown;
use crate::report::Code;
use crate::rules::RULES;
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
    /// The rule that finds it, or `firma` for what is found in the bytes of a file.
    pub rule: &'static str,
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

static FICHAS: &[&[Ficha]] = &[
    estructura::FICHAS,
    encabezado::FICHAS,
    montos::FICHAS,
    conocido::FICHAS,
    orden::FICHAS,
    #[cfg(feature = "firma")]
    firma::FICHAS,
];

/// A rule, or what is verified beside the rules: its name, what it looks at, its codes.
#[derive(Clone, Copy)]
struct Seccion {
    nombre: &'static str,
    about: &'static str,
    codes: &'static [&'static Code],
}

#[cfg(feature = "firma")]
static FIRMA: &[Seccion] = &[Seccion {
    nombre: "firma",
    about: "Timbre, CAF, firmas y carátula, sobre los bytes del archivo.",
    codes: crate::firma::CODES,
}];
#[cfg(not(feature = "firma"))]
static FIRMA: &[Seccion] = &[];

fn secciones() -> impl Iterator<Item = Seccion> {
    let reglas = RULES.iter().map(|rule| Seccion {
        nombre: rule.name,
        about: rule.about,
        codes: rule.codes,
    });
    reglas.chain(FIRMA.iter().copied())
}

/// Every kind of finding with its cause and cure, in the order of [`RULES`]; those of stamps
/// and signatures last.
pub fn catalogo() -> impl Iterator<Item = Entrada> {
    secciones().flat_map(|seccion| {
        seccion.codes.iter().map(move |code| Entrada {
            rule: seccion.nombre,
            code,
            ficha: Ficha::de(code.code),
        })
    })
}

impl Ficha {
    /// The cause and cure of a finding's code; `None` for a code that nothing here has.
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
