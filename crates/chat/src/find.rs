//! From a question, and what was said before it, to passages and a module.

use std::sync::Arc;

use jiff::civil::Date;
use knowledge_base::{Hit, KnowledgeBase, Module, ModuleChoice, Query};

use crate::session::History;
use crate::words::{salient, words};

/// A question with no more words than this that say something may lean on the one before it.
const SHORT: usize = 3;
/// Words of the question before that join such a one.
const CARRIED: usize = 12;
/// Under this a module is chosen for want of a better: the conversation's own goes on.
const UNSURE: f64 = 0.35;

/// What a question found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The relevant passages, best first; none where nothing is about it.
    pub(crate) passages: Arc<[Passage]>,
    pub(crate) module: Option<Arc<Module>>,
}

/// What an answer needs of a hit. It is held for as long as the answer streams, a thousand times at
/// once; a hit is twice as large.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) id: Box<str>,
    pub(crate) title: Box<str>,
    pub(crate) section: Arc<str>,
    pub(crate) content: Arc<str>,
    pub(crate) url: Option<Box<str>>,
    pub(crate) valid_from: Option<Date>,
    pub(crate) valid_to: Option<Date>,
    pub(crate) relevance: f64,
}

impl From<Hit> for Passage {
    fn from(hit: Hit) -> Self {
        Self {
            id: hit.id.into(),
            title: hit.title.into(),
            section: hit.section,
            content: hit.content,
            url: hit.url.map(Into::into),
            valid_from: hit.valid_from,
            valid_to: hit.valid_to,
            relevance: hit.relevance,
        }
    }
}

/// Passages, and bytes of a question, up to which a search takes less than it would to hand it to
/// another thread and back where there is something to do: some 0.1 ms.
const QUICK_PASSAGES: usize = 2_000;
const QUICK_BYTES: usize = 400;

/// Whether to search where the question is, instead of on another thread.
pub(crate) fn is_quick(base: &KnowledgeBase, question: &str) -> bool {
    question.len() <= QUICK_BYTES && base.passages() <= QUICK_PASSAGES
}

/// Searches. It computes for up to some milliseconds and never waits.
pub(crate) fn find(
    base: &KnowledgeBase,
    question: &str,
    history: &History,
    today: Date,
    limit: usize,
) -> Found {
    let span = tracing::info_span!("knowledge search", passages = tracing::field::Empty);
    let _searching = span.enter();
    let asked = with_the_turn_before(question, history);
    let query = Query::new(asked.as_str()).top_k(limit).today(today);
    let (hits, choice) = base.search_and_choose(&query.without_snippets());
    let hits = hits.into_iter().filter(Hit::is_relevant);
    let passages: Arc<[Passage]> = hits.map(Passage::from).collect();
    span.record(
        "passages",
        i64::try_from(passages.len()).unwrap_or(i64::MAX),
    );
    Found {
        passages,
        module: choice.and_then(|choice| module(base, &choice, history)),
    }
}

fn module(base: &KnowledgeBase, choice: &ModuleChoice, history: &History) -> Option<Arc<Module>> {
    let before = history
        .turns
        .iter()
        .rev()
        .find_map(|turn| turn.answer.as_ref()?.plugin.as_deref());
    let name = match before {
        Some(before) if choice.confidence < UNSURE => before,
        _ => choice.module.as_str(),
    };
    base.modules()
        .into_iter()
        .find(|module| module.name == name)
}

/// The question; one that says little by itself with the words of the one before it.
fn with_the_turn_before(question: &str, history: &History) -> String {
    const LEANS: [&str; 12] = [
        "y", "eso", "esa", "ese", "esto", "este", "esta", "lo", "la", "ahi", "entonces", "tambien",
    ];
    let Some(before) = history.turns.last() else {
        return question.to_owned();
    };
    let short = salient(question).count() <= SHORT;
    let leans = words(question)
        .take(3)
        .any(|word| LEANS.contains(&word.as_str()));
    if !(short || leans) {
        return question.to_owned();
    }
    let carried: Vec<String> = salient(&before.question).take(CARRIED).collect();
    format!("{question} {}", carried.join(" "))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::session::Turn;

    #[test]
    fn a_question_that_leans_takes_the_words_before_it_along() {
        let turn = Turn {
            number: 0,
            id: String::new(),
            question: "¿Cómo anulo una factura con nota de crédito?".to_owned(),
            asked: Timestamp::UNIX_EPOCH,
            answer: None,
        };
        let history = History {
            turns: vec![turn],
            ..History::default()
        };
        let asked = with_the_turn_before("¿Y el plazo?", &history);
        assert_eq!(asked, "¿Y el plazo? anulo factura nota credito");
        let whole = "Necesito saber los topes imponibles vigentes para cotizaciones en AFP";
        assert_eq!(with_the_turn_before(whole, &history), whole);
        assert_eq!(
            with_the_turn_before("¿Y el plazo?", &History::default()),
            "¿Y el plazo?"
        );
    }
}
