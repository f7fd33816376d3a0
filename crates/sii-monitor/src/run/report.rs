//! What runs answer, in the contract's shape.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Monitor;
use crate::archive::{ArchiveError, SourceStatus};
use crate::schedule::Schedule;

/// Under which key the last run is kept.
pub(super) const LAST: &str = "sii:run:last";

/// Under which keys visits and their failures are counted.
pub(super) const CHECKS: &str = "sii:checks";
pub(super) const FAILURES: &str = "sii:failures";

/// While a run goes on, its id.
pub(super) const RUNNING: &str = "sii:run:lease";

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Every page was visited.
    Success,
    /// Some couldn't be.
    Partial,
    /// None could be, or the run was cut short.
    Error,
    /// Another run is going on: this one didn't begin.
    Running,
}

/// What `POST /api/ai/sii/monitor` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// How it ended.
    pub status: RunStatus,
    /// How long it took, as `1.23s`.
    pub execution_time: String,
    /// Pages that were visited.
    pub urls_scraped: usize,
    /// Changes that were found.
    pub changes_detected: usize,
    /// Items that are new.
    pub news_created: usize,
    /// Notices that channels took during the run.
    pub notifications_sent: usize,
    /// `PAGE: NAME: what happened`, one for each failure.
    pub errors: Vec<String>,
    /// This run's id, or that of the one that is going on.
    pub run_id: String,
}

/// The last run that came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// What it answered.
    pub report: RunReport,
}

/// What `GET /api/ai/sii/status` answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// `never_run`, or how the last run ended.
    pub status: String,
    /// Whether there is a monitor at all: always true.
    pub orchestrator_initialized: bool,
    /// When the last run began.
    pub last_execution: Option<Timestamp>,
    /// When the next one is due; none where runs are only asked for.
    pub next_execution: Option<Timestamp>,
    /// Items of the last 24 hours.
    pub news_count_last_24h: usize,
    /// Visits so far.
    pub total_checks: i64,
    /// The part of them that failed, from 0 to 1.
    pub error_rate: f64,
    /// Each page.
    pub sources: Vec<SourceStatus>,
    /// What the last run answered: whoever was told `running` finds it here by its `run_id`.
    pub last_run: Option<RunReport>,
}

impl Monitor {
    /// How the monitor fares.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn status(&self) -> BoxFuture<'_, Result<Status, ArchiveError>> {
        Box::pin(self.as_it_is())
    }

    async fn as_it_is(&self) -> Result<Status, ArchiveError> {
        let now = self.now();
        let last = self.last_run().await?;
        let schedule = self.config.schedule.as_ref();
        let begun = last.as_ref().map(|last| last.started_at);
        let counters = self.archive().store().counters(&[CHECKS, FAILURES]).await?;
        let count = |at: usize| counters.get(at).copied().unwrap_or_default();
        let (checks, failures) = (count(0), count(1));
        let day = Timestamp::from_second(now.as_second().saturating_sub(86_400)).unwrap_or(now);
        Ok(Status {
            status: match &last {
                None => "never_run".to_owned(),
                Some(last) => last.report.status.as_str().to_owned(),
            },
            orchestrator_initialized: true,
            last_execution: begun,
            next_execution: schedule.map(|schedule| schedule.next(begun, now)),
            news_count_last_24h: self.archive().news_since(day).await?,
            total_checks: checks,
            error_rate: failures as f64 / checks.max(1) as f64,
            sources: self.sources().await?,
            last_run: last.map(|last| last.report),
        })
    }

    async fn sources(&self) -> Result<Vec<SourceStatus>, ArchiveError> {
        let today = self.today();
        let mut list = Vec::new();
        for source in &self.config.sources {
            for page in source.pages(today) {
                list.push(SourceStatus {
                    state: self.archive().source(&page.key).await?,
                    url: page.url.into(),
                    key: page.key,
                });
            }
        }
        Ok(list)
    }

    /// Sets each page's age and the age from which it is stale: what the alert on staleness
    /// compares. Where runs are only asked for, nothing is ever late.
    pub(super) async fn observe_ages(&self, schedule: &Schedule) {
        let (now, today) = (self.now(), self.today());
        for source in &self.config.sources {
            for page in source.pages(today) {
                let Ok(state) = self.archive().source(&page.key).await else {
                    return;
                };
                // A page that was never visited with success is as old as this process.
                let success = state.last_success.unwrap_or(self.since);
                let age = now.as_second().saturating_sub(success.as_second()).max(0);
                metrics::gauge!("sii_monitor_last_success_age_seconds", "source" => page.key.clone())
                    .set(age as f64);
                metrics::gauge!("sii_monitor_stale_after_seconds", "source" => page.key)
                    .set(source.stale_after(schedule).as_secs() as f64);
            }
        }
    }
}

impl RunReport {
    /// Of a run that goes on: who was told so asks [`Monitor::status`] for its report later.
    pub(super) fn running(run_id: String, waited: Duration) -> Self {
        Self {
            status: RunStatus::Running,
            execution_time: seconds(waited),
            urls_scraped: 0,
            changes_detected: 0,
            news_created: 0,
            notifications_sent: 0,
            errors: Vec::new(),
            run_id,
        }
    }
}

/// As the contract writes it: `1.23s`.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.2}s", time.as_secs_f64())
}

impl RunStatus {
    /// The word of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Partial => "partial",
            Self::Error => "error",
            Self::Running => "running",
        }
    }
}
