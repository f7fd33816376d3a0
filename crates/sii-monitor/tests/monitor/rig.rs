//! Monitors over one store, with channels and a sink that remember.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sii_monitor::deliver::{Channel, Deliveries, Notice, Outlet, Policy, SendError};
use sii_monitor::fetch::Fetcher;
use sii_monitor::item::Item;
use sii_monitor::run::{Monitor, MonitorConfig, Parts};
use sii_monitor::sink::{NewsSink, SinkError};
use sii_monitor::source::Source;
use store::{EmbeddedConfig, EmbeddedStore, ManualClock, Store};
use tokio::sync::Notify;

/// 22 November 2026, about noon in Chile.
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(
        std::time::UNIX_EPOCH + Duration::from_secs(1_795_359_600),
    ))
}

pub fn store(clock: &Arc<ManualClock>) -> Arc<dyn Store> {
    let clock = Arc::clone(clock);
    Arc::new(EmbeddedStore::in_memory(EmbeddedConfig::default(), clock).unwrap())
}

/// Ends a replica at one of its operations, before or after it has had its effect: from there on
/// nothing that it does comes to an end.
#[derive(Debug)]
pub struct Fuse {
    at: usize,
    after: bool,
    count: AtomicUsize,
    pub burnt: Notify,
}

impl Fuse {
    pub fn at(at: usize, after: bool) -> Arc<Self> {
        Arc::new(Self {
            at,
            after,
            count: AtomicUsize::new(0),
            burnt: Notify::new(),
        })
    }

    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    pub async fn guard<T>(&self, operation: impl Future<Output = T>) -> T {
        let n = self.count.fetch_add(1, Ordering::SeqCst);
        if n > self.at || n == self.at && !self.after {
            self.burn().await;
        }
        let done = operation.await;
        if n >= self.at {
            self.burn().await;
        }
        done
    }

    async fn burn(&self) {
        self.burnt.notify_one();
        std::future::pending().await
    }
}

/// What was told, over all monitors of a test.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub fuse: Option<Arc<Fuse>>,
    pub notices: Arc<Mutex<Vec<String>>>,
    pub passages: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Channel for Told {
    fn most(&self) -> usize {
        10
    }

    async fn send(&self, _: &str, notices: &[Notice], _: Timestamp) -> Result<(), SendError> {
        let ids: Vec<String> = notices.iter().map(|notice| notice.id.clone()).collect();
        self.tell(async { self.notices.lock().unwrap().extend(ids) })
            .await;
        Ok(())
    }
}

#[async_trait]
impl NewsSink for Told {
    async fn accept(&self, item: &Item) -> Result<(), SinkError> {
        self.tell(async { self.passages.lock().unwrap().push(item.id.clone()) })
            .await;
        Ok(())
    }
}

impl Told {
    async fn tell(&self, effect: impl Future<Output = ()>) {
        match &self.fuse {
            Some(fuse) => fuse.guard(effect).await,
            None => effect.await,
        }
    }
}

/// One replica.
pub fn monitor(
    sources: Vec<Source>,
    store: Arc<dyn Store>,
    fetcher: Arc<dyn Fetcher>,
    clock: &Arc<ManualClock>,
    told: &Told,
) -> Monitor {
    let config = MonitorConfig {
        sources,
        ..MonitorConfig::default()
    };
    made(config, store, fetcher, clock, told)
}

/// One that runs only when it is asked to.
pub fn monitor_on_request(
    sources: Vec<Source>,
    store: Arc<dyn Store>,
    fetcher: Arc<dyn Fetcher>,
    clock: &Arc<ManualClock>,
    told: &Told,
) -> Monitor {
    let config = MonitorConfig {
        sources,
        schedule: None,
        ..MonitorConfig::default()
    };
    made(config, store, fetcher, clock, told)
}

fn made(
    config: MonitorConfig,
    store: Arc<dyn Store>,
    fetcher: Arc<dyn Fetcher>,
    clock: &Arc<ManualClock>,
    told: &Told,
) -> Monitor {
    let outlet = Outlet {
        name: "prueba".into(),
        policy: Policy::default(),
        channel: Box::new(told.clone()),
    };
    let zone = TimeZone::get("America/Santiago").unwrap();
    let parts = Parts {
        deliveries: Deliveries::new(Arc::clone(&store), vec![outlet], zone),
        store,
        fetcher,
        model: None,
        sink: Some(Arc::new(told.clone())),
        clock: Arc::clone(clock) as Arc<dyn store::Clock>,
    };
    Monitor::try_new(config, parts).unwrap()
}
