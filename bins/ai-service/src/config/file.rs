//! The file as it is written. Every key is optional; an unknown one is an error.

use std::path::PathBuf;

use cache::CacheConfig;
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) log_level: Option<String>,
    pub(super) auth: Auth,
    pub(super) store: Store,
    pub(super) cache: CacheConfig,
    pub(super) model: Model,
    pub(super) limits: Limits,
    pub(super) knowledge: Knowledge,
    pub(super) validate: Validate,
    pub(super) metrics: Metrics,
    pub(super) drain: Drain,
}

/// Who may ask.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Auth {
    #[serde(deserialize_with = "secret")]
    pub(super) api_key: Option<SecretString>,
    pub(super) api_key_file: Option<PathBuf>,
    pub(super) keys: Vec<Key>,
}

/// A key of its own name.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Key {
    pub(super) name: String,
    #[serde(deserialize_with = "secret")]
    pub(super) key: Option<SecretString>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) companies: Option<Vec<u64>>,
}

/// Shared state.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Store {
    pub(super) engine: Option<String>,
    pub(super) path: Option<PathBuf>,
    pub(super) max_bytes: Option<u64>,
}

/// The language model.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Model {
    pub(super) name: Option<String>,
    pub(super) base_url: Option<String>,
    #[serde(deserialize_with = "secret")]
    pub(super) api_key: Option<SecretString>,
    pub(super) api_key_file: Option<PathBuf>,
    pub(super) allow_insecure_http: bool,
    pub(super) connect_timeout_ms: Option<u64>,
    pub(super) first_byte_timeout_ms: Option<u64>,
}

/// Bounds on sizes, times and numbers.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) max_body_bytes: Option<usize>,
    pub(super) max_head_bytes: Option<usize>,
    pub(super) head_timeout_ms: Option<u64>,
    pub(super) body_timeout_ms: Option<u64>,
    pub(super) request_timeout_ms: Option<u64>,
    pub(super) model_timeout_ms: Option<u64>,
    pub(super) write_timeout_ms: Option<u64>,
    pub(super) max_connections: Option<usize>,
    pub(super) max_in_flight: Option<usize>,
    pub(super) max_streams: Option<usize>,
    pub(super) max_in_flight_bytes: Option<usize>,
}

/// What the chat knows.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Knowledge {
    pub(super) path: Option<PathBuf>,
}

/// `POST /api/ai/validate`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Validate {
    pub(super) lifetime_seconds: Option<u64>,
}

/// `GET /metrics`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Metrics {
    pub(super) public: bool,
}

/// The end of the process.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Drain {
    pub(super) grace_ms: Option<u64>,
    pub(super) deadline_ms: Option<u64>,
}

/// The parser's own error would repeat what is there.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)
        .map_err(|_| D::Error::custom("a key must be a string"))?;
    Ok(text.map(SecretString::from))
}
