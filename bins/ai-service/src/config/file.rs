//! The file as it is written. Every key is optional; an unknown one is an error.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cache::CacheConfig;
use llm_client::Usd;
use secrecy::SecretString;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::security::{AdminFile, CorsFile, ProxiesFile, TlsFile};
use super::sii::SiiMonitor;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) log_level: Option<String>,
    pub(super) auth: Auth,
    pub(super) store: Store,
    pub(super) redis: Redis,
    pub(super) cache: CacheConfig,
    pub(super) model: Model,
    pub(super) second_model: SecondModel,
    pub(super) concurrency: Concurrency,
    pub(super) budget: Budget,
    pub(super) prices: BTreeMap<String, Price>,
    pub(super) limits: Limits,
    pub(super) knowledge: Knowledge,
    pub(super) validate: Validate,
    pub(super) answers: Answers,
    pub(super) indicators: Indicators,
    pub(super) sii_monitor: SiiMonitor,
    pub(super) metrics: Metrics,
    pub(super) traces: Traces,
    pub(super) drain: Drain,
    pub(super) tls: TlsFile,
    pub(super) cors: CorsFile,
    pub(super) proxies: ProxiesFile,
    pub(super) admin: AdminFile,
}

/// Who may ask.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Auth {
    #[serde(deserialize_with = "secret")]
    pub(super) api_key: Option<SecretString>,
    pub(super) api_key_file: Option<PathBuf>,
    pub(super) keys: Vec<Key>,
    pub(super) keys_file: Option<PathBuf>,
    pub(super) requests_per_minute: Option<u32>,
    pub(super) burst: Option<u32>,
}

/// The file of `auth.keys_file`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeysFile {
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
    #[serde(deserialize_with = "secret")]
    pub(super) previous: Option<SecretString>,
    pub(super) previous_until: Option<String>,
    pub(super) companies: Option<Vec<u64>>,
    pub(super) role: Option<String>,
    pub(super) requests_per_minute: Option<u32>,
    pub(super) burst: Option<u32>,
    pub(super) day_usd: Option<Dollars>,
}

/// Shared state.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Store {
    pub(super) engine: Option<String>,
    pub(super) path: Option<PathBuf>,
    pub(super) max_bytes: Option<u64>,
}

/// Shared state in Redis. What isn't given here is the store's own default.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Redis {
    #[serde(deserialize_with = "secret")]
    pub(super) url: Option<SecretString>,
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) db: Option<u8>,
    pub(super) username: Option<String>,
    #[serde(deserialize_with = "secret")]
    pub(super) password: Option<SecretString>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) sentinel_enabled: Option<bool>,
    pub(super) sentinel_hosts: Option<String>,
    pub(super) sentinel_master_name: Option<String>,
    pub(super) sentinel_username: Option<String>,
    #[serde(deserialize_with = "secret")]
    pub(super) sentinel_password: Option<SecretString>,
    pub(super) sentinel_password_file: Option<PathBuf>,
    pub(super) replica_reads: Option<bool>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) prefix: Option<String>,
    pub(super) pool_max: Option<usize>,
    pub(super) pool_start: Option<usize>,
    pub(super) keepalive_idle_ms: Option<u64>,
    pub(super) keepalive_interval_ms: Option<u64>,
    pub(super) keepalive_count: Option<u32>,
    pub(super) connect_timeout_ms: Option<u64>,
    pub(super) command_timeout_ms: Option<u64>,
    pub(super) unresponsive_timeout_ms: Option<u64>,
    pub(super) heartbeat_ms: Option<u64>,
    pub(super) queue_len: Option<usize>,
    pub(super) reconnect_min_ms: Option<u64>,
    pub(super) reconnect_max_ms: Option<u64>,
    pub(super) reconnect_jitter_ms: Option<u64>,
    pub(super) sentinel_interval_ms: Option<u64>,
    pub(super) journal_len: Option<usize>,
    pub(super) journal_bytes: Option<usize>,
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
    pub(super) ca_file: Option<PathBuf>,
    pub(super) connect_timeout_ms: Option<u64>,
    pub(super) first_byte_timeout_ms: Option<u64>,
}

/// A model behind OpenAI's chat completions: where the first one fails, or the only one.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SecondModel {
    pub(super) base_url: Option<String>,
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "secret")]
    pub(super) api_key: Option<SecretString>,
    pub(super) api_key_file: Option<PathBuf>,
    pub(super) allow_insecure_http: bool,
    pub(super) ca_file: Option<PathBuf>,
}

/// Calls of one model at once.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Concurrency {
    pub(super) initial: Option<u32>,
    pub(super) max: Option<u32>,
    pub(super) queue: Option<u32>,
}

/// What the model may cost.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Budget {
    pub(super) request_tokens: Option<u64>,
    pub(super) request_usd: Option<Dollars>,
    pub(super) key_day_usd: Option<Dollars>,
    pub(super) day_usd: Option<Dollars>,
}

/// What a model's tokens cost, in dollars per million.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    pub(super) input: Dollars,
    pub(super) output: Dollars,
    pub(super) cache_read: Dollars,
    pub(super) cache_write_5m: Dollars,
    pub(super) cache_write_1h: Dollars,
}

/// An amount of dollars, written as a text (`"0.30"`) or a whole number: never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dollars(pub(super) Usd);

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Whole(u32),
        }
        let amount = match Written::deserialize(deserializer) {
            Ok(Written::Whole(whole)) => dollars(&whole.to_string()),
            Ok(Written::Text(text)) => dollars(text.trim()),
            Err(_) => None,
        };
        amount.map(Self).ok_or_else(|| {
            D::Error::custom("an amount of dollars must be a text such as \"1.50\", or whole")
        })
    }
}

/// `12`, `0.30`: at most a million dollars, with at most twelve decimals.
fn dollars(text: &str) -> Option<Usd> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 7 || fraction.len() > 12 {
        return None;
    }
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let pico = format!("{whole}{fraction:0<12}").parse().ok()?;
    (whole.parse::<u32>().ok()? <= 1_000_000).then(|| Usd::from_pico(pico))
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
    pub(super) min_body_rate: Option<usize>,
    pub(super) max_connections: Option<usize>,
    pub(super) max_connections_per_peer: Option<usize>,
    pub(super) failed_keys_per_minute: Option<usize>,
    pub(super) max_in_flight: Option<usize>,
    pub(super) max_streams: Option<usize>,
    pub(super) max_in_flight_bytes: Option<usize>,
    pub(super) overload_delay_ms: Option<u64>,
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

/// The other answers that are kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Answers {
    pub(super) lifetime_seconds: Option<u64>,
}

/// Where the indicators of months that aren't built in come from.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Indicators {
    pub(super) fetch: Option<bool>,
    pub(super) url: Option<String>,
    pub(super) timeout_ms: Option<u64>,
}

/// `GET /metrics`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Metrics {
    pub(super) public: bool,
}

/// Where traces go.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Traces {
    pub(super) endpoint: Option<String>,
    pub(super) sample_ratio: Option<f64>,
    pub(super) slow_ms: Option<u64>,
    pub(super) timeout_ms: Option<u64>,
    pub(super) model_content: bool,
}

/// The end of the process.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Drain {
    pub(super) grace_ms: Option<u64>,
    pub(super) deadline_ms: Option<u64>,
}

/// The parser's own error would repeat what is there.
pub(super) fn secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)
        .map_err(|_| D::Error::custom("a key must be a string"))?;
    Ok(text.map(SecretString::from))
}
