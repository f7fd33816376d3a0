//! What watches the tax service, as the service runs it: on one replica at a time, its news in
//! every replica's knowledge base.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::tz::TimeZone;
use knowledge_base::KnowledgeBase;
use llm_client::LanguageModel;
use sii_monitor::deliver::Deliveries;
use sii_monitor::fetch::{FetchError, HttpFetcher};
use sii_monitor::passages::Passages;
use sii_monitor::run::{Monitor, MonitorConfig, MonitorError, Parts, Runner};
use sii_monitor::schedule::{Schedule, ScheduleError};
use sii_monitor::sink::NewsSink;
use store::{Clock, Store};
use thiserror::Error;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::config::SiiSettings;

/// Under which key the replicas of an installation agree on when they run.
const SEED: &str = "sii:schedule:seed";

/// The longest wait for what is kept to be known before requests are taken.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(5);

/// Why the monitor can't be.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("find the time zone America/Santiago")]
    Zone,
}

/// A monitor at work.
pub(crate) struct Watching {
    pub(crate) runner: Arc<Runner>,
    following: JoinHandle<()>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.following.abort();
    }
}

/// Starts it, unless it is off; it takes the channels out of the settings. What is kept is in the knowledge base when this returns, if the
/// store is there and quick.
pub(crate) async fn start(
    settings: &mut SiiSettings,
    store: &Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    model: Option<Arc<dyn LanguageModel>>,
    base: KnowledgeBase,
) -> Result<Option<Watching>, StartError> {
    if !settings.is_on() {
        return Ok(None);
    }
    let passages = Arc::new(Passages::try_new(base, Arc::clone(store))?);
    match tokio::time::timeout(CATCH_UP_LIMIT, passages.catch_up()).await {
        Ok(Ok(count)) => tracing::info!(count, "news of the tax service are known"),
        Ok(Err(error)) => tracing::info!(%error, "news come when the store does"),
        Err(_) => tracing::info!("news come when the store has given them"),
    }
    let schedule = match settings.monitor.schedule {
        Some(_) => Some(schedule(settings.times, &**store).await?),
        None => None,
    };
    let zone = TimeZone::get("America/Santiago").map_err(|_| StartError::Zone)?;
    let config = MonitorConfig {
        schedule,
        ..settings.monitor.clone()
    };
    let sink: Arc<dyn NewsSink> = passages.clone();
    let outlets = std::mem::take(&mut settings.outlets);
    let parts = Parts {
        deliveries: Deliveries::new(Arc::clone(store), outlets, zone),
        store: Arc::clone(store),
        fetcher: Arc::new(HttpFetcher::try_new(settings.fetch.clone())?),
        model,
        sink: Some(sink),
        clock,
    };
    let monitor = Arc::new(Monitor::try_new(config, parts)?);
    Ok(Some(Watching {
        runner: Arc::new(Runner::spawn(monitor)),
        following: tokio::spawn(async move { passages.follow().await }),
    }))
}

/// The schedule of this installation: not everybody's asks the tax service at the same minute.
async fn schedule(
    (every, jitter): (Duration, Duration),
    store: &dyn Store,
) -> Result<Schedule, ScheduleError> {
    let own = Uuid::new_v4().to_string();
    let seed = async {
        store.set_if_absent(SEED, Bytes::from(own), None).await?;
        store.get(SEED).await
    };
    let seed = match seed.await {
        Ok(seed) => seed.and_then(|seed| String::from_utf8(seed.into()).ok()),
        Err(error) => {
            tracing::info!(%error, "the monitor's schedule has no shift of its own");
            None
        }
    };
    Schedule::try_new(every, jitter, &seed.unwrap_or_default())
}
