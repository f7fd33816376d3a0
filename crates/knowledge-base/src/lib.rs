//! Markdown in, ranked passages out.
//!
//! # When to use it
//!
//! When a person asks in everyday Spanish and the answer stands in a few hundred or some ten
//! thousand passages that fit into memory. No model is needed; embeddings can join the ranking.
//! Not for millions of documents, nor for other languages: stems and stop words are Spanish.
//!
//! ```
//! use jiff::civil::date;
//! use knowledge_base::{Config, Document, KnowledgeBase, Query};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), knowledge_base::KnowledgeError> {
//! let text = "Una factura aceptada se anula con una nota de crédito (61) con CodRef 1.";
//! let anular = Document::new("dte/anular", "Anular una factura", text)
//!     .module("l10n_cl_dte")
//!     .tags(["anulación"]);
//! let caf = Document::new("dte/caf", "Pedir folios (CAF)", "Los folios se piden en el SII.")
//!     .module("l10n_cl_dte");
//! let base = KnowledgeBase::from_documents([anular, caf], Config::default())?
//!     .with_synonyms("nc = nota de crédito\nechar para atrás = anular")?;
//!
//! let hits = base.search(&Query::new("¿la puedo echar para atrás con una NC?"));
//! assert_eq!(hits[0].document_id, "dte/anular");
//! assert!(hits[0].is_relevant());
//! let hits = base.search(&Query::new("¿quién ganó el mundial?"));
//! assert!(!hits.iter().any(|hit| hit.is_relevant()));
//!
//! // Documents come and go while others search.
//! let news = Document::new("sii/154", "Guías con patente", "Desde mayo la guía lleva patente.")
//!     .url("https://www.sii.cl/")
//!     .valid(Some(date(2026, 5, 1)), None);
//! base.upsert(news).await?;
//! let patente = Query::new("patente en la guia").today(date(2026, 11, 22));
//! assert_eq!(base.search(&patente)[0].document_id, "sii/154");
//! base.supersede("sii/154", date(2026, 10, 31)).await?;
//! assert!(base.search(&patente).iter().all(|hit| hit.document_id != "sii/154"));
//! # Ok(())
//! # }
//! ```
//!
//! [`KnowledgeBase::open`] reads a folder of Markdown files with front matter, and
//! [`KnowledgeBase::watch`] reads what changes in it.
//!
//! # How it ranks
//!
//! BM25F over title, headings, tags and text, on Spanish stems without accents and stop words;
//! numbers, RUTs and codes are kept whole (`REF-2-780`, `76192083-9`, `art. 21`). A synonym
//! counts as the word that was asked, a little less, and never on top of it. Words that are
//! nowhere are taken for typing errors. A second BM25F over character 4-grams joins it. Both are
//! divided by what a passage full of the question would have, so that [`Hit::score`] is a share,
//! 0–1, and comparable among questions; the final score is 0.7 of the one and 0.3 of the other.
//! That fusion was measured against reciprocal rank, and won: `docs/knowledge-base.md`.
//!
//! # Guarantees
//!
//! - **Pure core.** Reading a text, indexing and searching do no I/O. Only
//!   [`KnowledgeBase::open`], [`reload`](KnowledgeBase::reload) and
//!   [`watch`](KnowledgeBase::watch) touch files, off the runtime's threads.
//! - **Readers never wait.** A change makes another index and swaps it in; a search sees what
//!   was before or what is after. Small changes are indexed beside the large index, which is
//!   made anew when there are many.
//! - **Changes aren't lost.** One is made at a time; one that began goes on when its caller
//!   stops waiting; one that fails changes nothing.
//! - **Bounded.** Documents, passages, files, questions, corrections and hits ([`Config`],
//!   [`MAX_QUESTION_CHARS`], [`MAX_TOP_K`]). No input makes it panic.
//! - **The same question has the same answer**, in the same order.
//!
//! # Absent on purpose
//!
//! - No index file: 20,000 passages are indexed in under a second.
//! - No operators (`AND`, quotes): those who ask are people, and models.
//! - No embeddings of its own: [`DenseRetriever`] is where they come in.

mod base;
mod config;
mod dense;
mod document;
mod error;
mod folder;
mod front_matter;
mod hit;
mod markdown;
mod modules;
mod query;
mod search;
mod segment;
mod snapshot;
mod stats;
mod synonyms;
mod text;

pub use base::{KnowledgeBase, ReloadReport, Watch};
pub use config::{Config, Ranking};
pub use dense::{DenseError, DenseRetriever, Ranked};
pub use document::Document;
pub use error::{DocumentError, KnowledgeError, LoadError, LoadErrorKind};
pub use hit::{Hit, Snippet};
pub use modules::{Module, ModuleChoice};
pub use query::{MAX_QUESTION_CHARS, MAX_TOP_K, Query};
pub use stats::Stats;
