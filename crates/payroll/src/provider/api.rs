//! What the provider stands on, and what it answers.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::error::SourceError;
use crate::indicadores::Indicadores;
use crate::periodo::Periodo;
#[cfg(doc)]
use crate::previred;

/// Where a month's page comes from.
#[async_trait]
pub trait IndicatorSource: std::fmt::Debug + Send + Sync {
    /// Fetches what is published of a month. The caller sets the deadline; the implementation
    /// bounds the size.
    ///
    /// # Errors
    ///
    /// [`SourceError`]: not published, or not to be had now.
    async fn fetch(&self, period: Periodo) -> Result<Fetched, SourceError>;
}

/// What was fetched.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// HTML, JSON, or text taken out of a PDF.
    pub bytes: Bytes,
    /// Where from.
    pub url: String,
}

/// A model that reads a page which the reader doesn't know.
#[async_trait]
pub trait IndicatorExtractor: std::fmt::Debug + Send + Sync {
    /// Asks with the stable prefix, the question and the schema of
    /// [`previred::extraccion`].
    ///
    /// # Errors
    ///
    /// [`SourceError`]: no model, no answer, no budget.
    async fn extract(&self, ask: Ask<'_>) -> Result<Extracted, SourceError>;
}

/// What a model is asked.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The stable prefix.
    pub instructions: &'a str,
    /// The page, fenced.
    pub question: &'a str,
    /// The JSON schema of the answer.
    pub schema: &'a serde_json::Value,
}

/// What a model answered.
#[derive(Debug, Clone)]
pub struct Extracted {
    /// Its text: JSON by the schema.
    pub text: String,
    /// Its name.
    pub model: String,
    /// What it cost in dollars.
    pub cost_usd: Option<Decimal>,
}

/// How long things may take and are kept.
#[derive(Debug, Clone, Copy)]
pub struct ProviderConfig {
    /// One fetch.
    pub fetch_timeout: Duration,
    /// One question to a model.
    pub extract_timeout: Duration,
    /// One operation of the store.
    pub store_timeout: Duration,
    /// How long a failed fetch isn't repeated.
    pub retry_after: Duration,
    /// How long a month that lacks a necessary figure is kept.
    pub incomplete_for: Duration,
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self {
            fetch_timeout: Duration::from_secs(20),
            extract_timeout: Duration::from_secs(60),
            store_timeout: Duration::from_secs(2),
            retry_after: Duration::from_secs(600),
            incomplete_for: Duration::from_secs(3_600),
        }
    }
}

/// A month's indicators and how they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The figures.
    pub indicators: Indicadores,
    /// Where they are from.
    pub metadata: Metadata,
    /// The code of what went wrong, where a newer or fuller answer was wanted and this is what
    /// was known before.
    pub degraded: Option<&'static str>,
}

/// Where a month's indicators are from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// `builtin`, `previred`, or `previred+model`.
    pub source: String,
    /// The page.
    pub url: Option<String>,
    /// When it was fetched, in RFC 3339.
    pub fetched_at: Option<String>,
    /// The model that read it.
    pub model: Option<String>,
    /// What that cost in dollars, as an exact text.
    pub cost_usd: Option<String>,
}

impl Metadata {
    pub(super) fn built_in() -> Self {
        Self {
            source: "builtin".to_owned(),
            url: None,
            fetched_at: None,
            model: None,
            cost_usd: None,
        }
    }
}
