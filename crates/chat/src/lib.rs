//! Questions in everyday Spanish, answered from a knowledge base: sessions, citations,
//! confidence, streams.
//!
//! # When to use it
//!
//! Where a person asks an ERP "how do I do this?" and the answer must rest on what is written.
//! A language model words it where there is one; without one the best passages answer. It knows
//! nothing of HTTP.
//!
//! ```
//! use std::sync::Arc;
//!
//! use cache::{Cache, CacheConfig};
//! use chat::{Ask, Chat, Config, Deps, NO_MODEL, Tenant, UserContext};
//! use knowledge_base::{Document, KnowledgeBase};
//! use store::{EmbeddedConfig, EmbeddedStore, Store, SystemClock};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = "Una factura aceptada se anula con una nota de crédito (61) con CodRef 1.";
//! let anular = Document::new("dte/anular", "Anular una factura", text).module("l10n_cl_dte");
//! let knowledge = KnowledgeBase::from_documents([anular], knowledge_base::Config::default())?;
//! let clock = Arc::new(SystemClock);
//! let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone())?;
//! let store: Arc<dyn Store> = Arc::new(store);
//! let cache = Cache::new(&CacheConfig::default(), &[chat::OPERATION], None, clock.clone())?;
//! // With a model: `model: Some(Arc::new(...))`.
//! let deps = Deps { knowledge, store, cache, model: None, clock };
//! let chat = Chat::new(deps, Config::default());
//!
//! let tenant = Tenant::new("erp-sur", Some(1));
//! let opened = chat.new_session(&tenant, UserContext::default()).await?;
//! let ask = Ask {
//!     session: Some(opened.session_id),
//!     message: "¿Cómo anulo una factura?".into(),
//!     ..Ask::default()
//! };
//! let answer = chat.message(&tenant, ask).await?;
//! assert!(answer.message.contains("nota de crédito (61)"), "{}", answer.message);
//! assert_eq!(answer.citations[0].title, "Anular una factura");
//! assert_eq!(answer.llm_used, NO_MODEL);
//!
//! let view = chat.session(&tenant, opened.session_id).await?;
//! assert_eq!(view.messages.len(), 2);
//! let other = Tenant::new("erp-norte", None);
//! assert!(chat.session(&other, opened.session_id).await.is_err());
//! chat.delete(&tenant, opened.session_id).await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Chat::message_stream`] gives the same answer piece by piece; [`Chat::resume`] goes on with
//! it after a connection was lost.
//!
//! # Confidence
//!
//! 55 × the relevance of the best cited passage + 45 × the share of sentences with a citation;
//! −15 for each invented citation; at most 40 with nothing cited, 25 where the model says that
//! it doesn't know, 15 where nothing relevant was found. An extract without a model has
//! 15 + 55 × relevance; one that was withheld, or found nothing, has 0.
//!
//! # Guarantees
//!
//! - **A session is its tenant's**: of another key it can't be found, and of another company of
//!   the same key neither. It lives an hour from its last message and keeps ten; of older ones
//!   it keeps what was asked.
//! - **Two messages at once** are two pairs of question and answer in the order in which they
//!   were accepted, also among replicas.
//! - **A store that can't be asked** for a session costs its history and no turn: the answer is
//!   [`degraded`](Answer::degraded), and the turn waits beside the session until it can. What
//!   can't wait is refused before it is answered.
//! - **A model is optional.** One that is off, down, late or over its budget is replaced by the
//!   sentences of the best passages. Only what broke off after it had begun to stream is a
//!   [`Failure`].
//! - **Citations exist.** One of a passage that wasn't given is taken out of the text, also of
//!   a stream, and lowers the confidence.
//! - **Data stays data.** What others wrote (question, context, passages, earlier questions)
//!   stands between fences with a random word that it can't know. An answer that repeats eight
//!   words of the instructions in a row, the fences, the canary, a provider's key or an
//!   identifier that wasn't given is withheld from there on. A model that paraphrases,
//!   translates or encodes its instructions isn't seen through.
//! - **Nobody waits for a slow reader**, and a stream that nobody reads is cancelled within
//!   [`Config::abandon_after`] and kept in its session as partial.
//! - **Deletion is complete.** Only answers to first questions are shared, within one key and
//!   company, and neither they nor their keys know of a session or a person's name.
//! - Messages, contexts and answers are never logged.
//!
//! # Absent on purpose
//!
//! Tools that the model calls: it answers, it doesn't act. Streams across replicas: one is
//! resumed where it runs.

mod answer;
mod aside;
mod chat;
mod confidence;
mod config;
mod context;
mod error;
mod extract;
mod filter;
mod find;
mod live;
mod millis;
mod model;
mod prompt;
mod session;
mod tenant;
mod turn;
mod words;

/// The metrics that this crate counts.
pub mod metrics_names {
    /// Answers by their `source`: `model`, `extract`, `nothing`, `failed`.
    pub const ANSWERS: &str = "chat_answers_total";
    /// Turns that were put beside their session, because the store couldn't be asked for it.
    pub const ASIDE: &str = "chat_turns_aside_total";
    /// Sessions that were opened.
    pub const SESSIONS: &str = "chat_sessions_total";
    /// Answers withheld because they gave away instructions.
    pub const WITHHELD: &str = "chat_withheld_total";
}

pub use answer::{Answer, Citation, NO_MODEL};
pub use chat::{Ask, Chat, Deps, Opened};
pub use config::Config;
pub use context::UserContext;
pub use error::{ChatError, Failure};
pub use live::{Event, EventBody, EventId, Reader};
pub use session::{SessionView, ShownMessage};
pub use tenant::Tenant;

/// What caches, models and figures call this.
pub const OPERATION: &str = "chat";

/// Longest message, in characters.
pub const MAX_MESSAGE_CHARS: usize = 5_000;
