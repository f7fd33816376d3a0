//! Labels that several areas share.

use super::{Label, Values};

const fn bounded(name: &'static str, what: &'static str, max: usize) -> Label {
    Label {
        name,
        values: Values::Bounded { what, max },
    }
}

/// A label of these words.
pub(super) const fn words(name: &'static str, words: &'static [&'static str]) -> Label {
    Label {
        name,
        values: Values::Words(words),
    }
}

pub(super) const ENDPOINT: Label = bounded("endpoint", "route templates, and `unmatched`", 64);
pub(super) const METHOD: Label = words(
    "method",
    &[
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other",
    ],
);
pub(super) const STATUS: Label = bounded(
    "status",
    "HTTP statuses that the service answers with, and 499 where the client left",
    24,
);
pub(super) const CODE: Label = bounded("code", "codes of docs/http-api.md", 48);
pub(super) const OPERATION: Label =
    bounded("operation", "operations of the service, and `other`", 16);
pub(super) const CLASS: Label = bounded(
    "class",
    "classes of cache keys: `default`, those that code names, and `other`",
    32,
);
pub(super) const PROVIDER: Label = words("provider", &["anthropic", "openai"]);
pub(super) const MODEL: Label = bounded("model", "configured models", 8);
pub(super) const STORE_OPERATION: Label = bounded("operation", "calls of the store", 24);
pub(super) const SOURCE: Label = bounded("source", "configured pages of the tax service", 64);
pub(super) const CHANNEL: Label = bounded("channel", "configured channels", 16);

/// The GenAI conventions' labels.
pub(super) mod gen_ai {
    use super::{Label, bounded, words};

    pub(in super::super) const OPERATION: Label =
        words("gen_ai.operation.name", &["chat", "count_tokens"]);
    pub(in super::super) const PROVIDER: Label =
        words("gen_ai.provider.name", &["anthropic", "openai"]);
    pub(in super::super) const MODEL: Label =
        bounded("gen_ai.request.model", "configured models", 8);
    pub(in super::super) const TOKEN_TYPE: Label = words("gen_ai.token.type", &["input", "output"]);
    pub(in super::super) const ERROR_TYPE: Label = bounded(
        "error.type",
        "kinds of a model's failures (docs/llm-client.md); absent where there is none",
        32,
    );
}
