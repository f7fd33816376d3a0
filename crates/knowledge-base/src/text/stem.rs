//! Words to their stems (Snowball, Spanish), from spelling without accents.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use frostem::{Algorithm, Stemmer};

use super::fold;

/// A stemmer.
///
/// It is given folded words, because half of the questions are typed without accents, and
/// whoever writes `facturacion` must find `facturación`. The accent that Snowball needs to see
/// a suffix is put back where the spelling leaves no doubt.
pub(crate) struct Stems {
    stemmer: Stemmer,
    known: HashMap<String, Box<str>, RandomState>,
}

/// Words remembered at most; then it begins afresh.
const MAX_KNOWN: usize = 4_096;

impl Stems {
    pub(crate) fn new() -> Self {
        Self {
            stemmer: Stemmer::new(Algorithm::Spanish),
            known: HashMap::default(),
        }
    }

    /// The stem of a folded word, itself folded. Words with digits are their own stems.
    pub(crate) fn stem(&mut self, folded: &str) -> &str {
        if self.known.len() >= MAX_KNOWN && !self.known.contains_key(folded) {
            self.known.clear();
        }
        if !self.known.contains_key(folded) {
            let stem = self.compute(folded);
            self.known.insert(folded.to_owned(), stem);
        }
        self.known.get(folded).map_or("", |stem| stem)
    }

    /// The stem without remembering it.
    pub(crate) fn compute(&self, folded: &str) -> Box<str> {
        if folded.bytes().any(|byte| byte.is_ascii_digit()) {
            return folded.into();
        }
        let restored = restore(folded);
        let stem = self.stemmer.stem(restored.as_deref().unwrap_or(folded));
        fold(&stem).into_boxed_str()
    }
}

/// `-cion` and `-sion` are always `-ción` and `-sión`.
fn restore(folded: &str) -> Option<String> {
    let root = folded.strip_suffix("on")?;
    (root.ends_with("ci") || root.ends_with("si")).then(|| format!("{root}ón"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_meet() {
        let mut stems = Stems::new();
        for forms in [
            &["factura", "facturas", "facturar", "facturacion"][..],
            &["boleta", "boletas"],
            &["declarar", "declaracion", "declaraciones"],
            &["anular", "anula", "anulada", "anulacion"],
        ] {
            let first = stems.stem(forms[0]).to_owned();
            for form in forms {
                assert_eq!(stems.stem(form), first, "{form}");
            }
        }
        assert_eq!(stems.stem("ref-2-780"), "ref-2-780");
        assert_eq!(stems.stem(""), "");
    }
}
