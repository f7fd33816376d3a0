//! One answer of a model: asked, checked while it comes, judged at its end.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use futures_util::StreamExt as _;
use knowledge_base::Module;
use llm_client::{Error, ErrorKind, LanguageModel, Request, StopReason, StreamEvent, Usage};

use crate::answer::{Citation, Outcome};
use crate::confidence::{Evidence, confidence};
use crate::filter::{Filter, Runs};
use crate::find::Passage;
use crate::prompt::{ABSTENTION, CANARY, RULES};
use crate::words::{self, sentences};
use crate::{Failure, metrics_names};

/// Said in the place of what must stay inside.
pub(crate) const WITHHELD: &str = "No puedo mostrar esa respuesta. Puedo ayudarle con dudas sobre documentos tributarios, \
     remuneraciones, contabilidad e inventario.";

/// Said after an answer that rests on nothing found.
const UNFOUNDED: &str = "\n\nNota: no encontré esto en la base de conocimiento; confírmelo con una \
     fuente oficial antes de usarlo.";

/// Words of a sentence from which on it says something.
const SAYS_SOMETHING: usize = 4;
/// Modules whose words are remembered.
const MAX_MODULES: usize = 64;

/// The words of the instructions and of the modules' prompts, each made once.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    modules: Mutex<HashMap<String, Known>>,
}

/// A module as it was when its words were taken.
type Known = (Arc<Module>, Arc<Runs>);

static SYSTEM_RUNS: LazyLock<Arc<Runs>> = LazyLock::new(|| Arc::new(Runs::of(RULES)));

impl Guard {
    fn runs(&self, module: Option<&Arc<Module>>) -> Vec<Arc<Runs>> {
        let system = Arc::clone(&SYSTEM_RUNS);
        let Some(module) = module else {
            return vec![system];
        };
        let mut known = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, runs)) = known.get(&module.name).filter(|(same, _)| same == module) {
            return vec![system, Arc::clone(runs)];
        }
        if known.len() >= MAX_MODULES {
            known.clear();
        }
        let runs = Arc::new(Runs::of(&module.prompt));
        known.insert(module.name.clone(), (Arc::clone(module), Arc::clone(&runs)));
        vec![system, runs]
    }

    /// A filter for the answer to a prompt with this fence and these passages. `given` is
    /// what an answer may repeat identifiers of.
    pub(crate) fn filter(
        &self,
        module: Option<&Arc<Module>>,
        fence: String,
        given: Vec<Arc<str>>,
        passages: usize,
    ) -> Filter {
        let secrets = vec![CANARY.clone(), fence];
        Filter::new(self.runs(module), secrets, given, passages)
    }
}

/// A question for a model. It owns all it needs: it may outlive who asked first. It is boxed,
/// since every future that it is handed through would have room for one of its own.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) model: Arc<dyn LanguageModel>,
    /// Until it is sent: a prompt is large, and streams are many.
    pub(crate) request: Option<Request>,
    pub(crate) filter: Filter,
    pub(crate) passages: Arc<[Passage]>,
    /// Whether something was said before that an answer may rest on.
    pub(crate) follows: bool,
}

/// Where an answer is said. It is asked for the whole at the end, so that no second text is held
/// beside it meanwhile: answers may be long, and streams many.
pub(crate) trait Sink: Send + Sync {
    /// Says a piece; whether there is room for more.
    fn say(&self, piece: &str) -> bool;

    /// What was said so far.
    fn said(&self) -> String;
}

/// What came of the model's stream.
#[derive(Default)]
struct Said {
    model: String,
    usage: Usage,
    stop: Option<StopReason>,
    /// There was no room for more.
    full: bool,
}

impl Job {
    /// Asks, and says each piece.
    ///
    /// # Errors
    /// Why the answer isn't whole. What was said stays said.
    pub(crate) async fn run(mut self: Box<Self>, sink: impl Sink) -> Result<Outcome, Failure> {
        let mut said = Said::default();
        self.listen(&mut said, &sink)
            .await
            .map_err(|error| failure(&error))?;
        let rest = self.filter.finish();
        if self.filter.leaked() {
            metrics::counter!(metrics_names::WITHHELD).increment(1);
            tracing::warn!(
                operation = crate::OPERATION,
                "withheld an answer that gave away instructions"
            );
            let apart = if sink.said().is_empty() { "" } else { "\n\n" };
            sink.say(&format!("{apart}{WITHHELD}"));
            return Ok(self.outcome(said, 0, false));
        }
        said.full |= !rest.is_empty() && !sink.say(&rest);
        let text = sink.said();
        if text.trim().is_empty() {
            return Err(Failure::Interrupted);
        }
        let abstained = abstains(&text) || said.stop == Some(StopReason::Refusal);
        if self.passages.is_empty() && !abstained && !self.follows {
            sink.say(UNFOUNDED);
        }
        let evidence = self.evidence(&said, &text, abstained);
        let complete = !evidence.cut;
        Ok(self.outcome(said, confidence(&evidence), complete))
    }

    async fn listen(&mut self, said: &mut Said, sink: &impl Sink) -> Result<(), Error> {
        let request = self.request.take();
        let request = request.ok_or_else(|| Error::new(ErrorKind::InvalidRequest))?;
        let mut stream = self.model.stream(&request).await?;
        drop(request);
        while let Some(event) = stream.next().await {
            match event? {
                StreamEvent::Started { model, usage, .. } => {
                    said.model = model;
                    said.usage = usage;
                }
                StreamEvent::Usage(usage) => said.usage = usage,
                StreamEvent::Text(piece) => {
                    let ready = self.filter.push(&piece);
                    said.full = !ready.is_empty() && !sink.say(&ready);
                    if said.full || self.filter.leaked() {
                        said.usage = stream.usage_so_far().0;
                        return Ok(());
                    }
                }
                StreamEvent::Finished(completion) => {
                    said.model = completion.model;
                    said.usage = completion.usage;
                    said.stop = Some(completion.stop_reason);
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(Error::new(ErrorKind::Interrupted))
    }

    fn evidence(&self, said: &Said, text: &str, abstained: bool) -> Evidence {
        let relevance = |number: &usize| {
            let passage = self.passages.get(number.saturating_sub(1));
            passage.map_or(0.0, |passage| passage.relevance)
        };
        let best = |found: f64, other: f64| found.max(other);
        Evidence {
            given: self
                .passages
                .iter()
                .map(|passage| passage.relevance)
                .fold(0.0, best),
            cited: self.filter.cited().iter().map(relevance).fold(0.0, best),
            coverage: coverage(text),
            invented: self.filter.invented(),
            abstained,
            cut: said.full || said.stop == Some(StopReason::MaxTokens),
            extract: false,
        }
    }

    fn outcome(&self, said: Said, confidence: u8, complete: bool) -> Outcome {
        let cited = self.filter.cited().iter().copied();
        Outcome {
            confidence,
            llm_used: said.model,
            tokens: Outcome::pack(&said.usage),
            citations: Citation::of(cited, &self.passages),
            complete,
        }
    }
}

fn failure(error: &Error) -> Failure {
    tracing::warn!(%error, retryable = error.is_retryable(), "the model didn't answer");
    match error.kind() {
        ErrorKind::Timeout { .. } => Failure::Timeout,
        _ => Failure::Interrupted,
    }
}

/// Whether the model says that it doesn't know, as it was told to.
fn abstains(text: &str) -> bool {
    let begin: Vec<String> = words::words(text).take(12).collect();
    let marker: Vec<String> = words::words(ABSTENTION).collect();
    begin.windows(marker.len()).any(|run| run == marker)
}

/// The share of the sentences that say something and carry a citation, in them or right after.
fn coverage(text: &str) -> f64 {
    let mut says: Vec<bool> = Vec::new();
    let mut last_says_something = false;
    for sentence in text.lines().flat_map(sentences) {
        let sentence = sentence.trim_start();
        if sentence.starts_with('[')
            && last_says_something
            && let Some(last) = says.last_mut()
        {
            *last |= cites(sentence.split_whitespace().next().unwrap_or_default());
        }
        last_says_something = words::words(sentence).count() >= SAYS_SOMETHING;
        if last_says_something {
            says.push(cites(
                sentence.trim_start_matches(|c: char| "[]0123456789 ".contains(c)),
            ));
        }
    }
    let covered = says.iter().filter(|covered| **covered).count();
    covered as f64 / says.len().max(1) as f64
}

fn cites(text: &str) -> bool {
    text.split('[').skip(1).any(|rest| {
        let number = rest.split(']').next().unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_covers_its_sentence_also_from_behind() {
        let cases = [
            (
                "Se anula con una nota de crédito [1]. Lleva los mismos montos siempre [2].",
                1.0,
            ),
            (
                "Se anula con una nota de crédito. [1] Lleva los mismos montos siempre.",
                0.5,
            ),
            (
                "Se anula con una nota de crédito. [1] Lleva los mismos montos siempre. [2]",
                1.0,
            ),
            ("Sí. Se anula con una nota de crédito.", 0.0),
            ("", 0.0),
        ];
        for (text, expected) in cases {
            assert!(
                (coverage(text) - expected).abs() < 1e-9,
                "{text}: {}",
                coverage(text)
            );
        }
    }

    #[test]
    fn abstention_is_its_sentence_and_not_its_words() {
        assert!(abstains("«No encuentro esa información» en los pasajes."));
        assert!(abstains("Lo siento, no encuentro esa informacion."));
        assert!(!abstains("La información se encuentra en el CAF [1]."));
    }
}
