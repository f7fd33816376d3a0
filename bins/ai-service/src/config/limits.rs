//! The bounds of the configuration.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use http_api::Limits;
use llm_client::ConcurrencyConfig;

use super::file;
use super::settings::{SettingsError, wrong};

/// The bounds on sizes, times and numbers.
pub(super) fn limits(file: &file::Limits) -> Result<Limits, SettingsError> {
    let default = Limits::default();
    let limits = Limits {
        max_body_bytes: at_least("limits.max_body_bytes", file.max_body_bytes, 1_024)?
            .unwrap_or(default.max_body_bytes),
        max_head_bytes: at_least("limits.max_head_bytes", file.max_head_bytes, 8_192)?
            .unwrap_or(default.max_head_bytes),
        head_timeout: time(
            "limits.head_timeout_ms",
            file.head_timeout_ms,
            default.head_timeout,
        )?,
        body_timeout: time(
            "limits.body_timeout_ms",
            file.body_timeout_ms,
            default.body_timeout,
        )?,
        request_timeout: time(
            "limits.request_timeout_ms",
            file.request_timeout_ms,
            default.request_timeout,
        )?,
        model_timeout: time(
            "limits.model_timeout_ms",
            file.model_timeout_ms,
            default.model_timeout,
        )?,
        write_timeout: time(
            "limits.write_timeout_ms",
            file.write_timeout_ms,
            default.write_timeout,
        )?,
        min_body_rate: rate(
            "limits.min_body_rate",
            file.min_body_rate,
            default.min_body_rate,
        )?,
        max_connections_per_peer: count(
            "limits.max_connections_per_peer",
            file.max_connections_per_peer,
            default.max_connections_per_peer,
        )?,
        failed_keys_per_minute: rate(
            "limits.failed_keys_per_minute",
            file.failed_keys_per_minute,
            default.failed_keys_per_minute,
        )?,
        max_connections: count(
            "limits.max_connections",
            file.max_connections,
            default.max_connections,
        )?,
        max_in_flight: count(
            "limits.max_in_flight",
            file.max_in_flight,
            default.max_in_flight,
        )?,
        max_streams: count("limits.max_streams", file.max_streams, default.max_streams)?,
        max_in_flight_bytes: file
            .max_in_flight_bytes
            .unwrap_or(default.max_in_flight_bytes),
        overload_delay: match file.overload_delay_ms {
            Some(ms) => wait("limits.overload_delay_ms", Some(ms), ms)?,
            None => default.overload_delay,
        },
    };
    if limits.max_in_flight_bytes < limits.max_body_bytes {
        let problem = "must be at least limits.max_body_bytes";
        return Err(wrong("limits.max_in_flight_bytes", problem));
    }
    if limits.model_timeout + Duration::from_secs(2) > limits.request_timeout {
        let problem = "must be at least 2000 less than limits.request_timeout_ms, so that the \
                       rules can still answer";
        return Err(wrong("limits.model_timeout_ms", problem));
    }
    Ok(limits)
}

/// Calls of one model at once. Anthropic limits what is asked in a minute and not at once, so
/// that this follows from Little's law. Usual accounts have 1,000 requests a minute (tier 2),
/// which calls of 4 s use up 67 at a time: that is where it begins. The largest (4,000, tier 4)
/// with the longest streams (30 s) use up 2,000; what holds below that is found by adapting
/// and told by the provider's headers. As many as may be under way may wait.
const CONCURRENCY: (u32, u32, u32) = (64, 2_048, 2_048);

/// How many calls of one model may be under way, and wait.
pub(super) fn concurrency(file: &file::Concurrency) -> Result<ConcurrencyConfig, SettingsError> {
    let (initial, max, queue) = CONCURRENCY;
    let max = calls("concurrency.max", file.max, max)?;
    let initial = calls("concurrency.initial", file.initial, initial.min(max))?;
    if initial > max {
        let problem = "must be at most concurrency.max";
        return Err(wrong("concurrency.initial", problem));
    }
    Ok(ConcurrencyConfig {
        initial,
        max,
        queue: calls("concurrency.queue", file.queue, queue)?,
        ..ConcurrencyConfig::default()
    })
}

fn calls(key: &'static str, value: Option<u32>, default: u32) -> Result<u32, SettingsError> {
    match value.unwrap_or(default) {
        calls @ 1..=100_000 => Ok(calls),
        _ => Err(wrong(key, "must be 1 to 100000")),
    }
}

fn at_least(
    key: &'static str,
    value: Option<usize>,
    least: usize,
) -> Result<Option<usize>, SettingsError> {
    match value {
        Some(value) if value < least => Err(wrong(key, format!("must be at least {least}"))),
        value => Ok(value),
    }
}

/// A time-out of 1 ms to an hour.
pub(super) fn time(
    key: &'static str,
    value: Option<u64>,
    default: Duration,
) -> Result<Duration, SettingsError> {
    match value {
        None => Ok(default),
        Some(ms @ 1..=3_600_000) => Ok(Duration::from_millis(ms)),
        Some(_) => Err(wrong(key, "must be 1 to 3600000 (an hour)")),
    }
}

/// A wait of nothing to an hour.
pub(super) fn wait(
    key: &'static str,
    value: Option<u64>,
    default_ms: u64,
) -> Result<Duration, SettingsError> {
    match value.unwrap_or(default_ms) {
        ms @ 0..=3_600_000 => Ok(Duration::from_millis(ms)),
        _ => Err(wrong(key, "must be at most 3600000 (an hour)")),
    }
}

/// So many in a time: as [`count`].
fn rate(
    key: &'static str,
    value: Option<usize>,
    default: NonZeroU32,
) -> Result<NonZeroU32, SettingsError> {
    let Some(value) = value else {
        return Ok(default);
    };
    let value = u32::try_from(value)
        .ok()
        .filter(|value| *value <= 1_000_000);
    value
        .and_then(NonZeroU32::new)
        .ok_or_else(|| wrong(key, "must be 1 to 1000000"))
}

fn count(
    key: &'static str,
    value: Option<usize>,
    default: NonZeroUsize,
) -> Result<NonZeroUsize, SettingsError> {
    match value {
        None => Ok(default),
        Some(value) if value > 1_000_000 => Err(wrong(key, "must be at most 1000000")),
        Some(value) => NonZeroUsize::new(value).ok_or_else(|| wrong(key, "must be more than 0")),
    }
}
