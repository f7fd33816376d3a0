//! Where traces go, checked.

use observability::TracesConfig;

use super::file;
use super::limits::{time, wait};
use super::settings::{SettingsError, wrong};

/// A trace that takes so long is always kept.
const DEFAULT_SLOW_MS: u64 = 5_000;

/// No traces without an endpoint; what else is set then means nothing.
pub(super) fn traces(file: file::Traces) -> Result<Option<TracesConfig>, SettingsError> {
    let Some(endpoint) = file.endpoint else {
        return Ok(None);
    };
    let mut config = TracesConfig::new(endpoint, env!("CARGO_PKG_VERSION"));
    if let Some(ratio) = file.sample_ratio {
        config.ratio = ratio;
    }
    // Zero keeps every trace.
    config.slow = wait("traces.slow_ms", file.slow_ms, DEFAULT_SLOW_MS)?;
    config.timeout = time("traces.timeout_ms", file.timeout_ms, config.timeout)?;
    config
        .check()
        .map_err(|error| wrong("traces", error.to_string()))?;
    Ok(Some(config))
}
