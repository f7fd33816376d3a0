//! What payslips are judged by: the indicators of their months, as this process knows them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use payroll::provider::Provider;
use payroll::{Indicadores, Periodo};
use tokio::time::Instant;

/// For so long a month is what was read of it last: payslips come by hundreds, a month changes
/// once, and to read it is a way to the store and back. What this process itself fetches counts
/// at once.
const FRESH: Duration = Duration::from_secs(10);

/// Months that are remembered; whoever asks for more reads them each time.
const MOST: usize = 128;

/// A month's indicators.
#[derive(Debug)]
pub(crate) struct Month {
    /// Absent where nothing is known of it without asking anybody outside.
    pub(super) indicators: Option<Indicadores>,
    /// Another one whenever the indicators are others; part of cache keys.
    pub(super) version: String,
}

impl Month {
    pub(super) fn new(indicators: Option<Indicadores>) -> Self {
        // Names and figures: they can't fail to encode.
        let text = serde_json::to_vec(&indicators).unwrap_or_default();
        Self {
            indicators,
            version: blake3::hash(&text).to_hex().to_string(),
        }
    }
}

/// The months that were asked for lately.
#[derive(Debug, Default)]
pub(crate) struct Months(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    months: HashMap<Periodo, (Instant, Arc<Month>)>,
    /// How often something was forgotten: what was read before that isn't remembered after it.
    forgotten: u64,
}

impl Months {
    /// A month, without asking anybody outside. Takes at most the time of one operation of the
    /// store.
    pub(super) async fn of(&self, provider: &Provider, period: Periodo) -> Arc<Month> {
        let forgotten = {
            let known = self.known();
            match known.months.get(&period) {
                Some((read, month)) if read.elapsed() < FRESH => return Arc::clone(month),
                _ => known.forgotten,
            }
        };
        let read = Instant::now();
        let answer = provider.known(period).await;
        let month = Arc::new(Month::new(answer.map(|answer| answer.indicators)));
        let mut known = self.known();
        if known.months.len() >= MOST {
            known.months.retain(|_, (read, _)| read.elapsed() < FRESH);
        }
        if known.forgotten == forgotten && known.months.len() < MOST {
            known.months.insert(period, (read, Arc::clone(&month)));
        }
        month
    }

    /// The next payslip reads this month anew: it may have been fetched.
    pub(super) fn forget(&self, period: Periodo) {
        let mut known = self.known();
        known.forgotten += 1;
        known.months.remove(&period);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context, Waker};

    use async_trait::async_trait;
    use payroll::provider::{Fetched, IndicatorSource, ProviderConfig, SourceError};
    use store::{EmbeddedConfig, EmbeddedStore, SystemClock};
    use tokio::runtime;

    use super::*;

    /// A month that isn't built in.
    fn abril() -> Periodo {
        mes(2026, 4)
    }

    fn mes(year: i16, month: i8) -> Periodo {
        Periodo::new(year, month).unwrap()
    }

    /// Has one month.
    #[derive(Debug)]
    struct Source;

    #[async_trait]
    impl IndicatorSource for Source {
        async fn fetch(&self, _period: Periodo) -> Result<Fetched, SourceError> {
            let page = r#"{"PeriodoMY": "042026", "UFValPeriodo": "39.900,00", "UTMVal": "69889",
                "UTAVal": "838668", "RTIAfpUF": "90", "RTISegCesUF": "135,2",
                "RMITrabDepeInd": "539000", "TasaSIS": "1,54", "AFPUnoTasaDepTrab": "10,46"}"#;
            Ok(Fetched {
                bytes: page.into(),
                url: "https://example.test/p".into(),
            })
        }
    }

    fn provider() -> Provider {
        let clock = Arc::new(SystemClock);
        let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone());
        let config = ProviderConfig::default();
        Provider::new(Arc::new(store.unwrap()), clock, config).with_source(Arc::new(Source))
    }

    #[tokio::test]
    async fn a_month_is_read_once_until_it_is_fetched_or_old() {
        let (months, provider) = (Months::default(), provider());
        let unknown = months.of(&provider, abril()).await;
        assert!(unknown.indicators.is_none());
        provider.get(abril(), false).await.unwrap();
        let again = months.of(&provider, abril()).await;
        assert!(Arc::ptr_eq(&unknown, &again), "it was read again");

        months.forget(abril());
        let fetched = months.of(&provider, abril()).await;
        assert!(fetched.indicators.is_some());
        assert_ne!(unknown.version, fetched.version);

        tokio::time::pause();
        tokio::time::advance(FRESH).await;
        tokio::time::resume();
        let later = months.of(&provider, abril()).await;
        assert!(!Arc::ptr_eq(&fetched, &later), "it wasn't read again");
        assert_eq!(fetched.version, later.version);
    }

    #[test]
    fn what_was_being_read_when_its_month_was_forgotten_isnt_remembered() {
        let mut one_thread = runtime::Builder::new_current_thread();
        let runtime = one_thread
            .enable_time()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (months, provider) = (Months::default(), provider());
            // The store's only thread is taken, so nothing is read before it is let go.
            let (let_go, taken) = mpsc::channel::<()>();
            let taker = runtime.spawn_blocking(move || taken.recv());
            let mut reading = pin!(months.of(&provider, abril()));
            let begun = reading
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(begun.is_pending());
            months.forget(abril());
            drop(let_go);
            taker.await.unwrap().unwrap_err();
            reading.await;
            assert!(months.known().months.is_empty());
        });
    }

    #[tokio::test]
    async fn more_months_than_are_remembered_are_known_all_the_same() {
        let (months, provider) = (Months::default(), provider());
        for year in 1990..2010 {
            for month in 1..=12 {
                months.of(&provider, mes(year, month)).await;
            }
        }
        assert_eq!(months.known().months.len(), MOST);
        assert!(
            months
                .of(&provider, mes(2026, 3))
                .await
                .indicators
                .is_some()
        );
    }
}
