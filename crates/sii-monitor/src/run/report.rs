//! What runs answer, in the contract's shape.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Monitor;
use crate::archive::{ArchiveError, SourceStatus};

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
    /// When the next one is due.
    pub next_execution: Timestamp,
    /// Items of the last 24 hours.
    pub news_count_last_24h: usize,
    /// Visits so far.
    pub total_checks: i64,
    /// The part of them that failed, from 0 to 1.
    pub error_rate: f64,
    /// Each page.
    pub sources: Vec<SourceStatus>,
}

impl Monitor {
    /// How the monitor fares.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub async fn status(&self) -> Result<Status, ArchiveError> {
        let now = self.now();
        let last = self.last_run().await?;
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
            next_execution: self.config.schedule.next(begun, now),
            news_count_last_24h: self.archive().news_since(day).await?,
            total_checks: checks,
            error_rate: failures as f64 / checks.max(1) as f64,
            sources: self.sources().await?,
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

    /// Sets the gauge of each source's age: what the alert on staleness looks at.
    pub(super) async fn observe_ages(&self) {
        let Ok(sources) = self.sources().await else {
            return;
        };
        let now = self.now();
        for source in sources {
            // A source that was never visited with success has no age; its errors are counted.
            if let Some(success) = source.state.last_success {
                let age = now.as_second().saturating_sub(success.as_second());
                metrics::gauge!("sii_monitor_last_success_age_seconds", "source" => source.key)
                    .set(age as f64);
            }
        }
    }
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
