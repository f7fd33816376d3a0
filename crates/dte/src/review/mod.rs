//! The model's share of a verdict: what is asked, how the answer is read, what follows.
//!
//! Everything here is a pure function: it makes text for a model and reads a model's text;
//! who calls the model, and whether, is the caller's business.
//!
//! 0. [`bounded`] keeps the rules' findings within what anybody reads.
//! 1. [`instructions`] is the stable prefix of every call, fit for prompt caching.
//! 2. [`question`] is the document with the rules' findings, fenced as data.
//! 3. [`Review::parse`] reads the answer; anything but what [`schema`] describes is an error.
//! 4. [`Verdict::new`] joins rules and review. The model can add warnings and lower the
//!    confidence; it can't take away a rule's finding nor turn a `reject` into a `send`.

mod bound;
mod prompt;
mod render;
mod verdict;

use serde_json::Value;

pub use bound::{OMITTED_CODE, bounded};
pub use findings::{MODEL_CODE, Origin, Remark, Review, ReviewError, ReviewErrorKind};
pub use prompt::{PROMPT_VERSION, instructions, question};
pub use verdict::{Verdict, VerdictFinding};

/// The JSON schema of a review, within what structured output supports.
#[must_use]
pub fn schema() -> Value {
    findings::review_schema("el documento está correcto")
}

#[cfg(test)]
mod tests;
