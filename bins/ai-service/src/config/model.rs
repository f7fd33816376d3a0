//! The models: where they are, who vouches for them, how long they may take.

use std::path::PathBuf;

use http_api::Limits;
use llm_client::{AnthropicConfig, OpenAiConfig, Timeouts, TrustRoots};

use super::file;
use super::keys::{secret, text_of};
use super::limits::time;
use super::settings::{SettingsError, wrong};

const DEFAULT_MODEL: &str = "claude-sonnet-4-6";

/// What the file says of the first model, if it gives a key.
pub(super) fn model(
    file: file::Model,
    limits: &Limits,
) -> Result<Option<AnthropicConfig>, SettingsError> {
    let Some(key) = secret("model.api_key", file.api_key, file.api_key_file)? else {
        return Ok(None);
    };
    let name = file.name.unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    let mut config = AnthropicConfig::new(key, name);
    if let Some(base_url) = file.base_url {
        config.base_url = base_url;
    }
    config.allow_insecure_http = file.allow_insecure_http;
    config.trust_roots = trust_roots(file.ca_file)?;
    config.propagate = Some(observability::traces::inject);
    let default = config.timeouts;
    let total = limits.model_timeout;
    let connect = time(
        "model.connect_timeout_ms",
        file.connect_timeout_ms,
        default.connect(),
    )?;
    let first_byte = time(
        "model.first_byte_timeout_ms",
        file.first_byte_timeout_ms,
        default.first_byte(),
    )?;
    config.timeouts = Timeouts::try_new(connect.min(total), first_byte.min(total), total)?;
    llm_client::Anthropic::try_new(config.clone())?;
    Ok(Some(config))
}

/// What the file says of the second model, if it says where and which one it is.
pub(super) fn second(
    file: file::SecondModel,
    limits: &Limits,
) -> Result<Option<OpenAiConfig>, SettingsError> {
    let (Some(base_url), Some(name)) = (&file.base_url, &file.name) else {
        return match (file.base_url, file.name) {
            (None, None) => Ok(None),
            _ => Err(wrong("second_model", "needs both base_url and name")),
        };
    };
    let mut config = OpenAiConfig::new(base_url, name);
    config.api_key = secret("second_model.api_key", file.api_key, file.api_key_file)?;
    config.allow_insecure_http = file.allow_insecure_http;
    config.trust_roots = trust_roots(file.ca_file)?;
    config.propagate = Some(observability::traces::inject);
    let (default, total) = (config.timeouts, limits.model_timeout);
    let (connect, first_byte) = (
        default.connect().min(total),
        default.first_byte().min(total),
    );
    config.timeouts = Timeouts::try_new(connect, first_byte, total)?;
    llm_client::OpenAiCompatible::try_new(config.clone())?;
    Ok(Some(config))
}

/// The authorities in this file, or those that come with the client.
fn trust_roots(ca_file: Option<PathBuf>) -> Result<TrustRoots, SettingsError> {
    ca_file.map_or(Ok(TrustRoots::Bundled), |path| {
        text_of(&path).map(TrustRoots::Pem)
    })
}
