//! The words in which rules and a model say what is wrong with a document.
//!
//! # When to use it
//!
//! A library judges documents of some kind (tax documents, payslips) by rules, may ask a model
//! for its opinion, and answers in the same form as its siblings: how bad a finding is, how
//! sure the whole is, where in a JSON body something stands, amounts as a Chilean reads them.
//! What the documents are, and every rule about them, is the caller's.
//!
//! # Example
//!
//! ```
//! use findings::{Review, Severity, confidence, pesos, review_schema};
//!
//! assert_eq!(pesos(1_234_567.into()), "$1.234.567");
//! assert_eq!(confidence([Severity::Error, Severity::Info]), 59);
//!
//! // What a model answers is a review or an error, never something in between.
//! let schema = review_schema("el documento está correcto");
//! assert_eq!(schema["required"][0], "confidence");
//! let review = Review::parse(r#"{"confidence": 93, "findings": []}"#)?;
//! assert_eq!(review.confidence(), 93);
//! assert!(Review::parse(r#"{"confidence": 930, "findings": []}"#).is_err());
//! # Ok::<(), findings::ReviewError>(())
//! ```
//!
//! # Guarantees
//!
//! Pure functions: no I/O, no clock, no global state; no panic on any input. A model can't say
//! `error`: only a rule rejects a document.
//!
//! # Absent on purpose
//!
//! Recommendations and catalogues of codes: "send" and "approve" answer different questions (both
//! follow from an [`Outcome`]), and a rule's source is its own library's business.

mod judgement;
mod members;
mod pesos;
mod review;
mod severity;
mod shape;

pub use judgement::{Judgement, Outcome};
pub use members::{Members, text_of};
pub use pesos::{numero, pesos};
pub use review::{MODEL_CODE, Origin, Remark, Review, ReviewError, ReviewErrorKind, review_schema};
pub use severity::{Severity, confidence};
pub use shape::{PathSegment, ShapeError};
