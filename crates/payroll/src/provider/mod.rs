//! A month's indicators from wherever they are: built in, kept in the store, or fetched, read and
//! checked. Who fetches, and who asks a model, are behind traits.
//!
//! A month that is built in whole needs no store. What was fetched is kept for good once it holds
//! every figure that a month is paid by and passed [`previred::comprobar`];
//! what lacks one is kept for an hour. A failed fetch isn't repeated for a while, so that a site
//! that is down isn't asked at every request. One fetch is under way at a time in a process;
//! replicas may each fetch once.

mod api;
mod error;

use std::sync::Arc;

use bytes::Bytes;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use store::{Clock, Store};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::indicadores::{Campo, Cifra, Confianza, Indicadores, integrados};
use crate::ley::Reforma;
use crate::periodo::Periodo;
use crate::previred::{self, PreviredError, Vecinos, extraccion};

pub use api::{
    Answer, Ask, Extracted, Fetched, IndicatorExtractor, IndicatorSource, Metadata, ProviderConfig,
};
pub use error::{ProviderError, ProviderErrorKind, SourceError, SourceErrorKind};

/// What is kept in the store.
#[derive(Serialize, Deserialize)]
struct Kept {
    indicators: Indicadores,
    metadata: Metadata,
}

/// The provider of indicators.
#[derive(Debug)]
pub struct Provider {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    source: Option<Arc<dyn IndicatorSource>>,
    extractor: Option<Arc<dyn IndicatorExtractor>>,
    config: ProviderConfig,
    fetching: Mutex<()>,
}

impl Provider {
    /// A provider over a store; without a source only what is built in or kept is known.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, config: ProviderConfig) -> Self {
        Self {
            store,
            clock,
            source: None,
            extractor: None,
            config,
            fetching: Mutex::new(()),
        }
    }

    /// The same with a source.
    #[must_use]
    pub fn with_source(mut self, source: Arc<dyn IndicatorSource>) -> Self {
        self.source = Some(source);
        self
    }

    /// The same with a model for pages that the reader doesn't know.
    #[must_use]
    pub fn with_extractor(mut self, extractor: Arc<dyn IndicatorExtractor>) -> Self {
        self.extractor = Some(extractor);
        self
    }

    /// The indicators of a month. With `force` the source is asked even where the month is known;
    /// where it fails then, what is known is the answer, and [`Answer::degraded`] says why.
    ///
    /// Takes at most twice the time of a fetch and a question: it may wait for another one's.
    ///
    /// # Errors
    ///
    /// [`ProviderError`] where nothing is known of the month and the source has nothing that can
    /// be taken.
    pub async fn get(&self, period: Periodo, force: bool) -> Result<Answer, ProviderError> {
        let known = self.known(period).await;
        if let Some(answer) = &known
            && !force
            && answer.indicators.completo()
        {
            return Ok(answer.clone());
        }
        let fetched = match self.fetch(period, force).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match known {
            Some(answer) => Ok(Answer {
                degraded: Some(fetched.code()),
                ..answer
            }),
            None => Err(fetched),
        }
    }

    /// What is known of a month without asking the source: what is kept, filled up with what is
    /// built in; else that alone. Takes at most the time of one operation of the store.
    pub async fn known(&self, period: Periodo) -> Option<Answer> {
        let built_in = integrados(period);
        let kept = self.kept(period).await;
        let (indicators, metadata) = match (kept, built_in) {
            (Some(kept), Some(built_in)) => {
                (kept.indicators.completado_con(&built_in), kept.metadata)
            }
            (Some(kept), None) => (kept.indicators, kept.metadata),
            (None, Some(built_in)) => (built_in, Metadata::built_in()),
            (None, None) => return None,
        };
        Some(Answer {
            indicators,
            metadata,
            degraded: None,
        })
    }

    async fn fetch(&self, period: Periodo, force: bool) -> Result<Answer, ProviderError> {
        if period > self.this_month() {
            return Err(ProviderErrorKind::NotPublished.into());
        }
        let source = self.source.as_ref().ok_or(ProviderErrorKind::NoSource)?;
        let longest = self.config.fetch_timeout + self.config.extract_timeout;
        let _one_at_a_time = timeout(longest, self.fetching.lock())
            .await
            .map_err(|_| ProviderErrorKind::Timeout)?;
        if !force {
            // Somebody may have fetched it, or failed to, while this call waited.
            if let Some(answer) = self.known(period).await.filter(|a| a.indicators.completo()) {
                return Ok(answer);
            }
            if let Some(failure) = self.failed_lately(period).await {
                return Err(failure.into());
            }
        }
        let outcome = self.fetch_and_check(source.as_ref(), period).await;
        match &outcome {
            Ok(kept) => self.keep(period, kept).await,
            Err(error) => {
                tracing::warn!(%period, %error, code = error.code(), "indicators not taken");
                self.mark_failed(period, error.is_not_found()).await;
            }
        }
        let Kept {
            indicators,
            metadata,
        } = outcome?;
        let indicators = match integrados(period) {
            Some(built_in) => indicators.completado_con(&built_in),
            None => indicators,
        };
        Ok(Answer {
            indicators,
            metadata,
            degraded: None,
        })
    }

    async fn fetch_and_check(
        &self,
        source: &dyn IndicatorSource,
        period: Periodo,
    ) -> Result<Kept, ProviderError> {
        let fetched = timeout(self.config.fetch_timeout, source.fetch(period))
            .await
            .map_err(|_| ProviderErrorKind::Timeout)??;
        let mut metadata = Metadata {
            source: "previred".to_owned(),
            url: Some(fetched.url),
            fetched_at: Some(self.now().to_string()),
            model: None,
            cost_usd: None,
        };
        let bytes = fetched.bytes;
        let (read, bytes) =
            off_the_runtime(move || (previred::leer(&bytes, period), bytes)).await?;
        let mut indicators = match (read, &self.extractor) {
            (Err(error), Some(extractor)) if error.may_be_extracted() => {
                self.extract(extractor.as_ref(), bytes, period, &mut metadata)
                    .await?
            }
            (read, _) => read?,
        };
        let (one, two) = (period.anterior(), period.anterior().anterior());
        let (previous, before) = (self.known(one).await, self.known(two).await);
        let neighbours = Vecinos {
            anterior: previous.as_ref().map(|answer| &answer.indicators),
            trasanterior: before.as_ref().map(|answer| &answer.indicators),
        };
        previred::comprobar(&indicators, neighbours)?;
        add_laws(&mut indicators);
        Ok(Kept {
            indicators,
            metadata,
        })
    }

    async fn extract(
        &self,
        extractor: &dyn IndicatorExtractor,
        bytes: Bytes,
        period: Periodo,
        metadata: &mut Metadata,
    ) -> Result<Indicadores, ProviderError> {
        let question = off_the_runtime(move || extraccion::question(&bytes, period)).await?;
        let ask = Ask {
            instructions: extraccion::instructions(),
            question: &question,
            schema: &extraccion::schema(),
        };
        let extracted = timeout(self.config.extract_timeout, extractor.extract(ask))
            .await
            .map_err(|_| ProviderErrorKind::Timeout)??;
        metadata.source = "previred+model".to_owned();
        metadata.model = Some(extracted.model);
        metadata.cost_usd = extracted.cost_usd.map(|cost| cost.to_string());
        Ok(extraccion::leer_respuesta(&extracted.text, period)?)
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::try_from(self.clock.now()).unwrap_or_default()
    }

    /// The month in which it is anywhere: a month is published at its end.
    fn this_month(&self) -> Periodo {
        let today = self.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        Periodo::del_dia(today).unwrap_or(Periodo::de(1980, 1))
    }

    async fn kept(&self, period: Periodo) -> Option<Kept> {
        let read = timeout(self.config.store_timeout, self.store.get(&key(period))).await;
        match read {
            Ok(Ok(bytes)) => {
                let kept: Kept = serde_json::from_slice(&bytes?).ok()?;
                (kept.indicators.periodo() == period).then_some(kept)
            }
            Ok(Err(error)) => {
                tracing::warn!(%period, %error, "indicators not read from the store");
                None
            }
            Err(_) => None,
        }
    }

    async fn keep(&self, period: Periodo, kept: &Kept) {
        let lifetime = (!kept.indicators.completo()).then_some(self.config.incomplete_for);
        let Ok(bytes) = serde_json::to_vec(kept) else {
            return;
        };
        let key = key(period);
        let write = self.store.set(&key, bytes.into(), lifetime);
        if let Ok(Err(error)) = timeout(self.config.store_timeout, write).await {
            tracing::warn!(%period, %error, "indicators not kept");
        }
    }

    async fn failed_lately(&self, period: Periodo) -> Option<ProviderErrorKind> {
        let key = failed_key(period);
        let read = timeout(self.config.store_timeout, self.store.get(&key)).await;
        let Ok(Ok(Some(mark))) = read else {
            return None;
        };
        Some(if mark == NOT_PUBLISHED {
            ProviderErrorKind::NotPublished
        } else {
            ProviderErrorKind::FailedLately
        })
    }

    /// Without a store nothing remembers it; the next request then asks again.
    async fn mark_failed(&self, period: Periodo, not_published: bool) {
        let key = failed_key(period);
        let mark = if not_published { NOT_PUBLISHED } else { FAILED };
        let write = self
            .store
            .set(&key, mark.into(), Some(self.config.retry_after));
        let _ = timeout(self.config.store_timeout, write).await;
    }
}

/// What is remembered of a fetch that gave nothing.
const NOT_PUBLISHED: &str = "not_published";
const FAILED: &str = "failed";

fn key(period: Periodo) -> String {
    format!("payroll:indicators:1:{period}")
}

fn failed_key(period: Periodo) -> String {
    format!("payroll:indicators:failed:{period}")
}

/// A page takes milliseconds to read: too long for a worker thread.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ProviderError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| ProviderErrorKind::Internal.into())
}

/// What the law gives for a month and the page may not show.
fn add_laws(indicators: &mut Indicadores) {
    let period = indicators.periodo();
    let mut add = |field, value: Decimal, law: &'static str| {
        if indicators.get(field).is_none() && !value.is_zero() {
            let cifra = Cifra {
                valor: value,
                fuente: law.into(),
                confianza: Confianza::Alta,
            };
            indicators.poner(field, cifra);
        }
    };
    add(Campo::Fonasa, Decimal::from(7), "DL 3.500, art. 84");
    add(
        Campo::ApvTopeMensualUf,
        Decimal::from(50),
        "DL 824, art. 42 bis",
    );
    add(
        Campo::ApvTopeAnualUf,
        Decimal::from(600),
        "DL 824, art. 42 bis",
    );
    let reform = Reforma::del_mes(period).unwrap_or_default();
    add(Campo::AporteCuenta, reform.cuenta, "Ley 21.735");
    add(
        Campo::RentabilidadProtegida,
        reform.rentabilidad_protegida,
        "Ley 21.735",
    );
    // Where the SIS is part of the Seguro Social, life expectancy is no rate of its own.
    if !reform.incluye_sis {
        add(Campo::ExpectativaVida, reform.seguro_social, "Ley 21.735");
    }
}

impl From<PreviredError> for ProviderError {
    fn from(error: PreviredError) -> Self {
        use crate::previred::PreviredErrorKind::OtherMonth;
        match error.kind() {
            // The page still shows an earlier month.
            OtherMonth { found, asked } if found < asked => ProviderErrorKind::NotPublished.into(),
            _ => ProviderErrorKind::Refused(error).into(),
        }
    }
}

#[cfg(test)]
mod tests;
