//! Runs: one at a time over all replicas, on schedule or on demand.

mod lease;
mod report;
mod runner;
mod tell;
mod turn;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use llm_client::LanguageModel;
use store::{Clock, Store};
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::analyse::Analyst;
use crate::archive::{Archive, ArchiveError};
use crate::deliver::Deliveries;
use crate::fetch::Fetcher;
use crate::pdf::{PdfLimits, PdfReader};
use crate::schedule::Schedule;
use crate::sink::NewsSink;
use crate::source::{self, Source, SourceError};
use crate::visit::Visitor;

pub use report::{LastRun, RunReport, RunStatus, Status};
pub use runner::Runner;

/// What is watched, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitorConfig {
    /// What is watched.
    pub sources: Vec<Source>,
    /// When; `None`: only when somebody asks for it.
    pub schedule: Option<Schedule>,
    /// How long a runner that has died keeps others from running.
    pub lease: Duration,
    /// How long one run may take.
    pub run_limit: Duration,
    /// Sources that are visited at a time.
    pub at_a_time: usize,
    /// Linked documents that one run fetches.
    pub max_documents: usize,
    /// Questions to the model that one run asks.
    pub max_questions: usize,
    /// The time for one question to the model.
    pub question_limit: Duration,
    /// Whether what is there at the first visit of a source is news.
    pub report_existing: bool,
    /// How much of a PDF is read.
    pub pdf: PdfLimits,
    /// How often [`Monitor::serve`] looks whether something is due or waits to be told.
    pub tick: Duration,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            sources: source::defaults(),
            schedule: Some(Schedule::default()),
            lease: Duration::from_secs(60),
            run_limit: Duration::from_secs(30 * 60),
            at_a_time: 4,
            max_documents: 60,
            max_questions: 30,
            question_limit: Duration::from_secs(60),
            report_existing: false,
            pdf: PdfLimits::default(),
            tick: Duration::from_secs(30),
        }
    }
}

/// What the monitor works with.
#[derive(Debug)]
pub struct Parts {
    /// Where everything is kept, shared by all replicas.
    pub store: Arc<dyn Store>,
    /// What fetches.
    pub fetcher: Arc<dyn Fetcher>,
    /// Who is asked what a change means; nobody: the rules alone.
    pub model: Option<Arc<dyn LanguageModel>>,
    /// Who is told.
    pub deliveries: Deliveries,
    /// Where items go besides, such as the knowledge base.
    pub sink: Option<Arc<dyn NewsSink>>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// Watches the sources.
pub struct Monitor {
    config: MonitorConfig,
    visitor: Visitor,
    deliveries: Deliveries,
    sink: Option<Arc<dyn NewsSink>>,
    clock: Arc<dyn Clock>,
    zone: TimeZone,
    /// When it was made.
    since: Timestamp,
    stop: watch::Sender<bool>,
}

/// Why a monitor can't be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// A source is wrong.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A lease under 3 seconds, a limit or an interval of zero.
    #[error("the lease must be 3 seconds or more, limits and intervals more than zero")]
    Limits,
    /// The time zone data has no Chile.
    #[error("no time zone America/Santiago")]
    Zone,
}

impl Monitor {
    /// A monitor.
    ///
    /// # Errors
    /// [`MonitorError`]: what is wrong with the configuration.
    pub fn try_new(config: MonitorConfig, parts: Parts) -> Result<Self, MonitorError> {
        source::check(&config.sources)?;
        let limits = [config.run_limit, config.question_limit, config.tick];
        if config.lease < Duration::from_secs(3) || limits.contains(&Duration::ZERO) {
            return Err(MonitorError::Limits);
        }
        let zone = TimeZone::get("America/Santiago").map_err(|_| MonitorError::Zone)?;
        let mut monitor = Self {
            visitor: Visitor {
                archive: Archive::new(parts.store),
                fetcher: parts.fetcher,
                analyst: Analyst::new(parts.model, config.question_limit),
                pdfs: PdfReader::new(config.pdf, 1),
                report_existing: config.report_existing,
            },
            deliveries: parts.deliveries,
            sink: parts.sink,
            clock: parts.clock,
            zone,
            since: Timestamp::UNIX_EPOCH,
            stop: watch::Sender::new(false),
            config,
        };
        monitor.since = monitor.now();
        Ok(monitor)
    }

    /// The items and pages that are kept.
    #[must_use]
    pub const fn archive(&self) -> &Archive {
        &self.visitor.archive
    }

    /// The channels and what they were told.
    #[must_use]
    pub const fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }

    /// Runs when a run is due, tells what waits, until it is shut down. It returns once what was
    /// under way has stopped.
    pub async fn serve(&self) {
        while !self.is_stopped() {
            self.tick().await;
            tokio::select! {
                () = sleep(self.config.tick) => {}
                () = self.stopped() => {}
            }
        }
    }

    /// One look at the clock: a run where one is due, and whoever waits is told.
    pub async fn tick(&self) {
        if let Err(error) = self.due_or_waiting().await {
            tracing::warn!(%error, "the monitor's store is out of reach");
        }
        if let Some(schedule) = &self.config.schedule {
            self.observe_ages(schedule).await;
        }
    }

    async fn due_or_waiting(&self) -> Result<(), ArchiveError> {
        if let Some(schedule) = &self.config.schedule {
            let begun = self.last_run().await?.map(|last| last.started_at);
            if schedule.is_due(begun, self.now()) {
                return self.turn().await.map(drop);
            }
        }
        self.tell_waiting().await.map(drop)
    }

    /// Ends it: a run that is under way stops where it is and gives its lease back, and the next
    /// one, here or on another replica, goes on; no other begins.
    pub fn shut_down(&self) {
        self.stop.send_replace(true);
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Resolves once it is shut down.
    async fn stopped(&self) {
        // The sender is this monitor's own: it can't be gone.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// The work's outcome, unless the monitor is shut down before it comes.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stopped() => None,
            done = work => Some(done),
        }
    }

    /// Now, in whole seconds.
    fn now(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now())
            .ok()
            .and_then(|now| Timestamp::from_second(now.as_second()).ok())
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }

    async fn last_run(&self) -> Result<Option<LastRun>, ArchiveError> {
        let kept = self.archive().store().get(report::LAST).await?;
        Ok(kept.and_then(|kept| serde_json::from_slice(&kept).ok()))
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
