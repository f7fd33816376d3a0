//! Modules ("plugins"): what the service knows a lot about, each described by a file.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use serde::Deserialize;

use crate::hit::relevance;
use crate::search::About;
use crate::text::{Stems, TokenKind, fold, is_stop_word, tokenise};

/// Longest prompt, in bytes.
const MAX_PROMPT: usize = 20_000;
/// Most keywords or tags of a module.
const MAX_WORDS: usize = 500;

/// A field of knowledge: `knowledge/modules/NAME.toml`, so that one is added without Rust.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Module {
    /// What documents call it, such as `l10n_cl_dte`: letters, digits, `_` and `-`.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// The system prompt's part about it, in Spanish.
    pub prompt: String,
    /// Documents with one of these tags are its own too, whatever their module.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Words and phrases by which a question is known to be its.
    #[serde(default)]
    pub keywords: Vec<String>,
}

/// The module of a question.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ModuleChoice {
    /// Its name.
    pub module: String,
    /// The share of the evidence that speaks for it, 0–1: 1 where all does, 0 where there is
    /// none and `general` is chosen for want of a better.
    pub confidence: f64,
}

/// All modules, ordered by name.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    all: Vec<Known>,
    /// The stems of all keywords, so that they aren't taken for typing errors.
    words: HashSet<Box<str>, RandomState>,
    /// By their first stems.
    keywords: HashMap<Box<str>, Vec<Keyword>, RandomState>,
}

#[derive(Debug)]
struct Known {
    module: Arc<Module>,
    /// Folded.
    tags: HashSet<String>,
}

#[derive(Debug)]
struct Keyword {
    /// Its module's place.
    module: usize,
    /// The stems after the first.
    rest: Box<[Box<str>]>,
    /// How many modules have it.
    shared_by: f64,
}

/// A passage that a question found, as far as modules care.
struct Evidence<'a> {
    module: &'a str,
    /// Folded.
    tags: Vec<String>,
    score: f64,
}

/// The module that takes what no other does.
const GENERAL: &str = "general";
/// The share of keywords in the evidence; the rest is that of the passages found, where the best
/// of them is as good as they are when they answer.
const KEYWORDS: f64 = 0.6;
/// The score that half of the first passages reach which answer their question
/// (docs/knowledge-base.md).
const SURE: f64 = 0.4;

impl Module {
    /// Reads a module's file.
    ///
    /// # Errors
    ///
    /// What is wrong, and the line (from 1) where that is known.
    pub(crate) fn parse(text: &str) -> Result<Self, (Option<u32>, String)> {
        let module: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map(|before| before.matches('\n').count() + 1);
            let line = line.and_then(|line| u32::try_from(line).ok());
            (line, error.message().to_owned())
        })?;
        let fail = |says: &str| Err((None, says.to_owned()));
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        if module.name.is_empty() || module.name.len() > 100 || !module.name.chars().all(plain) {
            return fail("name must be letters, digits, _ and -");
        }
        if module.title.trim().is_empty() || module.prompt.trim().is_empty() {
            return fail("title and prompt must say something");
        }
        if module.prompt.len() > MAX_PROMPT || module.title.len() > 200 {
            return fail("title or prompt is too long");
        }
        if module.keywords.len() > MAX_WORDS || module.tags.len() > MAX_WORDS {
            return fail("too many keywords or tags");
        }
        Ok(module)
    }
}

impl Modules {
    /// From modules with different names.
    pub(crate) fn new(mut modules: Vec<Module>) -> Self {
        modules.sort_by(|one, other| one.name.cmp(&other.name));
        let mut stems = Stems::new();
        let forms: Vec<Vec<Vec<Box<str>>>> = modules
            .iter()
            .map(|module| {
                let keywords = module.keywords.iter();
                keywords.map(|text| form(text, &mut stems)).collect()
            })
            .collect();
        let mut keywords: HashMap<Box<str>, Vec<Keyword>, RandomState> = HashMap::default();
        for (module, own) in forms.iter().enumerate() {
            for form in own {
                let Some((first, rest)) = form.split_first() else {
                    continue;
                };
                let having = forms.iter().filter(|other| other.contains(form));
                keywords.entry(first.clone()).or_default().push(Keyword {
                    module,
                    rest: rest.into(),
                    shared_by: float(having.count().max(1)),
                });
            }
        }
        let all = modules.into_iter().map(|module| Known {
            tags: module.tags.iter().map(|tag| fold(tag)).collect(),
            module: Arc::new(module),
        });
        Self {
            all: all.collect(),
            words: forms.into_iter().flatten().flatten().collect(),
            keywords,
        }
    }

    /// Whether a stem stands in a keyword.
    pub(crate) fn knows(&self, stem: &str) -> bool {
        self.words.contains(stem)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Module>> {
        self.all.iter().map(|known| &known.module)
    }

    /// The module of a question.
    pub(crate) fn choose(&self, about: &About<'_>) -> Option<ModuleChoice> {
        let evidence = about.best.iter().map(|(document, score)| Evidence {
            module: &document.module,
            tags: document.tags.iter().map(|tag| fold(tag)).collect(),
            score: *score,
        });
        let evidence: Vec<Evidence<'_>> = evidence.collect();
        self.weigh(&about.stems, &evidence)
    }

    /// The module of a question, from its stems, each with how rare it is, and the passages it
    /// found, best first.
    fn weigh(&self, words: &[(Box<str>, f64)], found: &[Evidence<'_>]) -> Option<ModuleChoice> {
        let keywords = shares(self.keywords(words).into_iter());
        let passages = shares(self.all.iter().map(|known| known.passages(found)));
        // Passages that hardly have to do with the question say little about its module.
        let best = found.first().map_or(0.0, |passage| passage.score);
        let passages_weight = (1.0 - KEYWORDS) * (best / SURE).min(1.0);
        let weights = KEYWORDS + passages_weight;
        let scores = keywords.iter().zip(&passages).map(|(keywords, passages)| {
            // Without one kind of evidence the other speaks alone.
            match (keywords, passages) {
                (Some(keywords), Some(passages)) => {
                    (KEYWORDS * keywords + passages_weight * passages) / weights
                }
                (Some(share), None) | (None, Some(share)) => *share,
                (None, None) => 0.0,
            }
        });
        let (known, confidence) = self
            .all
            .iter()
            .zip(scores)
            .max_by(|one, other| one.1.total_cmp(&other.1))?;
        let has_keyword = keywords.iter().any(Option::is_some);
        if confidence > 0.0 && (has_keyword || relevance(best) >= 0.5) {
            return Some(known.choice(confidence));
        }
        let general = self
            .all
            .iter()
            .find(|known| known.module.name == GENERAL)
            .unwrap_or(known);
        Some(general.choice(0.0))
    }

    /// What a question's words say for each module: a keyword counts as its words are rare among
    /// the passages, and less where other modules have it too.
    fn keywords(&self, words: &[(Box<str>, f64)]) -> Vec<f64> {
        let mut sums = vec![0.0; self.all.len()];
        for (word, rarity) in words {
            for keyword in self.keywords.get(word).into_iter().flatten() {
                let rest = keyword.rest.iter().map(|stem| {
                    let found = words.iter().find(|(word, _)| word == stem);
                    found.map(|(_, rarity)| *rarity)
                });
                let rest: Option<f64> = rest.sum();
                if let (Some(rest), Some(sum)) = (rest, sums.get_mut(keyword.module)) {
                    *sum += (rarity + rest) / keyword.shared_by;
                }
            }
        }
        sums
    }
}

impl Known {
    fn choice(&self, confidence: f64) -> ModuleChoice {
        ModuleChoice {
            module: self.module.name.clone(),
            confidence: confidence.clamp(0.0, 1.0),
        }
    }

    /// What the passages found say for a module: the better and the nearer to the top, the more.
    fn passages(&self, found: &[Evidence<'_>]) -> f64 {
        let own = found.iter().enumerate().filter(|(_, passage)| {
            let mut tags = passage.tags.iter();
            passage.module == self.module.name || tags.any(|tag| self.tags.contains(tag))
        });
        own.map(|(rank, passage)| passage.score.powi(3) / float(rank + 1))
            .sum()
    }
}

/// Each figure's share of their sum; `None` where that is zero.
fn shares(figures: impl Iterator<Item = f64>) -> Vec<Option<f64>> {
    let figures: Vec<f64> = figures.collect();
    let sum: f64 = figures.iter().sum();
    let share = |figure: &f64| (sum > 0.0).then(|| figure / sum);
    figures.iter().map(share).collect()
}

fn form(text: &str, stems: &mut Stems) -> Vec<Box<str>> {
    let mut words: Vec<Box<str>> = Vec::new();
    tokenise(text, |token| {
        if token.kind == TokenKind::Word && !is_stop_word(token.text) {
            words.push(stems.stem(token.text).into());
        }
    });
    words
}

#[expect(clippy::cast_precision_loss, reason = "counts of words and ranks")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &str, keywords: &[&str], tags: &[&str]) -> Module {
        Module {
            name: name.to_owned(),
            title: name.to_owned(),
            prompt: "x".to_owned(),
            tags: tags.iter().map(ToString::to_string).collect(),
            keywords: keywords.iter().map(ToString::to_string).collect(),
        }
    }

    fn modules() -> Modules {
        Modules::new(vec![
            module("general", &["api"], &[]),
            module("pagos", &["sueldo", "plazo fijo"], &["previsión"]),
            module("dte", &["factura", "plazo"], &[]),
        ])
    }

    fn choose(question: &str, found: &[(&str, &str, f64)]) -> ModuleChoice {
        let stems: Vec<(Box<str>, f64)> = form(question, &mut Stems::new())
            .into_iter()
            .map(|stem| (stem, 1.0))
            .collect();
        let evidence: Vec<Evidence<'_>> = found
            .iter()
            .map(|(module, tag, score)| Evidence {
                module,
                tags: vec![fold(tag)],
                score: *score,
            })
            .collect();
        modules().weigh(&stems, &evidence).unwrap()
    }

    #[test]
    fn keywords_and_passages_speak_together() {
        assert_eq!(choose("facturas", &[]).module, "dte");
        assert!((choose("facturas", &[]).confidence - 1.0).abs() < 1e-9);
        assert_eq!(choose("contrato a plazo fijo", &[]).module, "pagos");
        assert_eq!(
            choose("algo", &[("dte", "", 0.5), ("general", "", 0.2)]).module,
            "dte"
        );
        assert_eq!(
            choose("algo", &[("otro", "Prevision", 0.5)]).module,
            "pagos"
        );
        let divided = choose("sueldo", &[("dte", "", 0.5)]);
        assert!((divided.confidence - 0.6).abs() < 1e-9, "{divided:?}");
        assert_eq!(divided.module, "pagos");
        // What hardly has to do with the question says little, and alone nothing.
        let weak = choose("sueldo", &[("dte", "", 0.1)]);
        assert!((weak.confidence - 0.6 / 0.7).abs() < 1e-9, "{weak:?}");
        let irrelevant = choose("algo", &[("dte", "", 0.2)]);
        assert_eq!(
            (irrelevant.module.as_str(), irrelevant.confidence),
            ("general", 0.0)
        );
        let nothing = choose("zzz", &[]);
        assert_eq!(
            (nothing.module.as_str(), nothing.confidence),
            ("general", 0.0)
        );
        assert!(Modules::default().weigh(&[], &[]).is_none());
    }

    #[test]
    fn a_file_is_read_or_refused_with_its_line() {
        let good = "name = \"x\"\ntitle = \"X\"\nprompt = \"p\"\nkeywords = [\"k\"]\n";
        assert_eq!(Module::parse(good).unwrap().keywords, ["k"]);
        let unknown = Module::parse(&format!("{good}keyword = 1\n")).unwrap_err();
        assert_eq!(unknown.0, Some(5), "{unknown:?}");
        for wrong in [
            good.replace("\"x\"", "\"a b\""),
            good.replace("\"p\"", "\" \""),
            "name".to_owned(),
        ] {
            assert!(Module::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
