//! How to reach an endpoint that speaks OpenAI's chat completions.

use http::{HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};

use crate::config::{Base, check_model};
use crate::{ConfigError, Propagate, Timeouts, TrustRoots};

/// Settings of an [`OpenAiCompatible`](crate::OpenAiCompatible) client. Start from
/// [`new`](Self::new) and change what differs.
#[derive(Debug, Clone)]
pub struct OpenAiConfig {
    /// The key for `authorization: Bearer`; most endpoints of one's own need none.
    pub api_key: Option<SecretString>,
    /// The model to ask, as the endpoint names it.
    pub model: String,
    /// Everything before `/chat/completions`, such as `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// Allows `http://` to a host that isn't loopback. Default: no.
    pub allow_insecure_http: bool,
    /// Limits of time. See [`Timeouts`].
    pub timeouts: Timeouts,
    /// The largest answer that is read, in bytes. Default: 4 MiB.
    pub max_response_bytes: usize,
    /// Which certificate authorities are trusted. Default: [`TrustRoots::Bundled`].
    pub trust_roots: TrustRoots,
    /// As [`AnthropicConfig::propagate`](crate::AnthropicConfig::propagate).
    pub propagate: Option<Propagate>,
    /// As [`AnthropicConfig::content_in_spans`](crate::AnthropicConfig::content_in_spans).
    pub content_in_spans: bool,
    /// The field that bounds the answer. Default: [`MaxTokensField::MaxTokens`].
    pub max_tokens_field: MaxTokensField,
    /// How JSON is asked for. Default: [`ResponseFormat::JsonSchema`].
    pub response_format: ResponseFormat,
    /// Whether streams are asked for their usage (`stream_options.include_usage`); an endpoint
    /// that refuses unknown fields may need a no. Default: yes.
    pub stream_usage: bool,
    /// Whether a temperature is sent. Default: yes.
    pub temperature: bool,
}

/// The field that bounds the answer's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MaxTokensField {
    /// `max_tokens`: vLLM, llama.cpp, Ollama, and OpenAI's older models.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`: OpenAI's newer models.
    MaxCompletionTokens,
}

/// How JSON is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ResponseFormat {
    /// `response_format` of type `json_schema`: the endpoint holds the model to the schema.
    #[default]
    JsonSchema,
    /// `response_format` of type `json_object`, with the schema in the instructions.
    JsonObject,
}

impl OpenAiConfig {
    /// Defaults for an endpoint and a model, without a key.
    #[must_use]
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            api_key: None,
            model: model.into(),
            base_url: base_url.into(),
            allow_insecure_http: false,
            timeouts: Timeouts::default(),
            max_response_bytes: 4 << 20,
            trust_roots: TrustRoots::Bundled,
            propagate: None,
            content_in_spans: false,
            max_tokens_field: MaxTokensField::default(),
            response_format: ResponseFormat::default(),
            stream_usage: true,
            temperature: true,
        }
    }

    /// Checks the settings that stand alone, and makes what the client needs of them.
    pub(super) fn check(&self) -> Result<Checked, ConfigError> {
        check_model(&self.model)?;
        if self.max_response_bytes == 0 {
            return Err(ConfigError::MaxResponseBytes);
        }
        let base = Base::parse(&self.base_url, self.allow_insecure_http)?;
        Ok(Checked {
            endpoint: base.endpoint("/chat/completions")?,
            is_https: base.is_https,
            authorization: self.api_key.as_ref().map(bearer).transpose()?,
        })
    }
}

/// The usable form of the checked settings.
pub(super) struct Checked {
    pub(super) endpoint: Uri,
    pub(super) is_https: bool,
    pub(super) authorization: Option<HeaderValue>,
}

fn bearer(key: &SecretString) -> Result<HeaderValue, ConfigError> {
    let key = key.expose_secret().trim();
    if key.is_empty() {
        return Err(ConfigError::ApiKey);
    }
    let mut value =
        HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| ConfigError::ApiKey)?;
    value.set_sensitive(true);
    Ok(value)
}
