//! One run.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use jiff::civil::Date;
use store::StoreError;
use tokio::time::{Instant, timeout};
use url::Url;
use uuid::Uuid;

use super::Monitor;
use super::lease::{Turn, under};
use super::report::{CHECKS, FAILURES, LAST, LastRun, RUNNING, RunReport, RunStatus, seconds};
use crate::archive::ArchiveError;
use crate::source::{Kind, PageRef, Source};
use crate::telemetry::VISIT_DURATION;
use crate::visit::{Round, Visit, VisitError};

/// The most errors that a report lists.
const MAX_ERRORS: usize = 100;

/// The most documents of one index that are watched themselves.
const MAX_WATCHED: usize = 50;

/// What a run has done so far.
#[derive(Debug, Default)]
struct Tally {
    visited: usize,
    failed: usize,
    changes: usize,
    created: usize,
    errors: Vec<String>,
}

impl Monitor {
    /// Runs now, whether or not a run is due, unless one is going on somewhere: its id is in the
    /// answer then. With `force`, sources that rest are visited as well.
    ///
    /// It ends within the limit of a run. Dropped half-way it stops where it is, and the next
    /// run goes on; callers whose own caller may go away spawn it: see [`super::Runner`].
    ///
    /// # Errors
    /// [`ArchiveError`] where the store is out of reach.
    pub async fn run(&self, force: bool) -> Result<RunReport, ArchiveError> {
        self.run_as(new_id(), force).await
    }

    /// The same under an id that is known before.
    pub(super) async fn run_as(
        &self,
        run_id: String,
        force: bool,
    ) -> Result<RunReport, ArchiveError> {
        self.one_at_a_time(run_id, force, false).await
    }

    /// Runs if a run is due still once it is this replica's turn.
    pub(super) async fn turn(&self) -> Result<RunReport, ArchiveError> {
        self.one_at_a_time(new_id(), false, true).await
    }

    /// Boxed here, and so compiled in this crate once: not again in every crate that awaits it,
    /// with the fetcher's whole HTTP client.
    fn one_at_a_time(
        &self,
        run_id: String,
        force: bool,
        only_due: bool,
    ) -> BoxFuture<'_, Result<RunReport, ArchiveError>> {
        Box::pin(self.alone(run_id, force, only_due))
    }

    async fn alone(
        &self,
        run_id: String,
        force: bool,
        only_due: bool,
    ) -> Result<RunReport, ArchiveError> {
        let began = Instant::now();
        let store = self.archive().store();
        let lease = self.config.lease;
        let work = Box::pin(self.unless_stopped(self.all(force, only_due, &run_id)));
        let turn = under(store.as_ref(), RUNNING, &run_id, lease, work).await?;
        let cut_short = match turn {
            Turn::Done(Some(report)) => return report,
            Turn::Held(other) => return Ok(RunReport::running(other, began.elapsed())),
            Turn::Done(None) => {
                "stopped: el servicio se está deteniendo; la próxima revisión sigue."
            }
            Turn::Lost => "lease_lost: otra réplica puede haber tomado el turno.",
        };
        let tally = Tally {
            errors: vec![cut_short.to_owned()],
            ..Tally::default()
        };
        Ok(report(RunStatus::Error, began, run_id, tally, 0))
    }

    async fn all(
        &self,
        force: bool,
        only_due: bool,
        run_id: &str,
    ) -> Result<RunReport, ArchiveError> {
        let (began, started_at) = (Instant::now(), self.now());
        if only_due {
            // Another replica may have run between the look at the clock and this turn.
            let last = self.last_run().await?;
            let schedule = self.config.schedule.as_ref();
            if let (Some(last), Some(schedule)) = (last, schedule)
                && !schedule.is_due(Some(last.started_at), started_at)
            {
                return Ok(last.report);
            }
        }
        let mut tally = Tally::default();
        let whole = timeout(self.config.run_limit, self.visit_all(force, &mut tally)).await;
        let cut = whole.is_err();
        if cut {
            tally
                .errors
                .push("time_limit: la revisión no alcanzó a terminar.".to_owned());
        }
        let sent = self.tell_waiting().await?;
        let status = match (tally.visited, tally.failed) {
            (visited, failed) if visited > 0 && failed == visited => RunStatus::Error,
            _ if tally.errors.is_empty() => RunStatus::Success,
            _ => RunStatus::Partial,
        };
        let report = report(status, began, run_id.to_owned(), tally, sent);
        self.keep_run(&LastRun {
            started_at,
            finished_at: self.now(),
            report: report.clone(),
        })
        .await?;
        Ok(report)
    }

    async fn keep_run(&self, last: &LastRun) -> Result<(), ArchiveError> {
        metrics::counter!("sii_monitor_runs_total", "status" => last.report.status.as_str())
            .increment(1);
        let body = serde_json::to_vec(last).map_err(|_| ArchiveError::Pack)?;
        self.archive().store().set(LAST, body.into(), None).await?;
        Ok(())
    }

    /// The day in Chile.
    pub(super) fn today(&self) -> Date {
        self.now().to_zoned(self.zone.clone()).date()
    }

    async fn visit_all(&self, force: bool, tally: &mut Tally) {
        let round = Round {
            today: self.today(),
            now: self.now(),
            documents: AtomicUsize::new(self.config.max_documents),
            questions: AtomicUsize::new(self.config.max_questions),
        };
        let round = &round;
        let mut visits: Vec<BoxFuture<'_, Tally>> = Vec::new();
        for source in &self.config.sources {
            visits.push(self.visit_source(source, force, round).boxed());
        }
        let mut visits = stream::iter(visits).buffer_unordered(self.config.at_a_time.max(1));
        while let Some(part) = visits.next().await {
            tally.add(part);
        }
    }

    async fn visit_source(&self, source: &Source, force: bool, round: &Round) -> Tally {
        let mut tally = Tally::default();
        for page in source.pages(round.today) {
            if !force && self.rests(source, &page).await {
                continue;
            }
            let documents = self.visit_page(source, &page, round, &mut tally).await;
            if source.watch_documents {
                for url in documents.into_iter().take(MAX_WATCHED) {
                    let (source, page) = document(source, url);
                    self.visit_page(&source, &page, round, &mut tally).await;
                }
            }
        }
        tally
    }

    /// Whether a page was visited lately enough for a source with an interval of its own.
    async fn rests(&self, source: &Source, page: &PageRef) -> bool {
        let Some(hours) = source.every_hours else {
            return false;
        };
        let state = self.archive().source(&page.key).await.unwrap_or_default();
        // A tenth of slack, as runs don't come to the minute.
        let rest = i64::from(hours) * 3_240;
        let now = self.now().as_second();
        state
            .last_success
            .is_some_and(|last| now.saturating_sub(last.as_second()) < rest)
    }

    async fn visit_page(
        &self,
        source: &Source,
        page: &PageRef,
        round: &Round,
        tally: &mut Tally,
    ) -> Vec<Url> {
        let began = Instant::now();
        let outcome = self.visitor.visit(source, page, round).await;
        let kept = self
            .keep_visit(source, page, &outcome, began.elapsed())
            .await;
        if let Err(error) = kept {
            tracing::warn!(page = page.key, %error, "a visit's figures aren't kept");
        }
        tally.visited += 1;
        match outcome {
            Ok(visit) => {
                tally.changes += visit.changes;
                tally.created += visit.created;
                tally.errors.extend(visit.notes);
                visit.documents
            }
            Err(error) => {
                tally.failed += 1;
                let name = error.as_str();
                tracing::warn!(page = page.key, reason = name, %error, "a page couldn't be visited");
                tally
                    .errors
                    .push(format!("{}: {name}: {}", page.key, error.message()));
                Vec::new()
            }
        }
    }

    async fn keep_visit(
        &self,
        source: &Source,
        page: &PageRef,
        outcome: &Result<Visit, VisitError>,
        took: Duration,
    ) -> Result<(), StoreError> {
        let label = source.key.clone();
        let status = match outcome {
            Ok(visit) => visit.status,
            Err(error) => error.as_str(),
        };
        metrics::counter!("sii_monitor_visits_total", "source" => label.clone(), "status" => status)
            .increment(1);
        metrics::histogram!(VISIT_DURATION, "source" => label.clone()).record(took.as_secs_f64());
        match outcome {
            Ok(visit) => {
                metrics::counter!("sii_monitor_bytes_total", "source" => label.clone())
                    .increment(visit.bytes);
                metrics::counter!("sii_monitor_changes_total", "source" => label)
                    .increment(visit.changes as u64);
            }
            Err(_) => {
                metrics::counter!("sii_monitor_errors_total", "source" => label, "reason" => status)
                    .increment(1);
            }
        }
        let store = self.archive().store();
        store.increment(CHECKS, 1, None).await?;
        if outcome.is_err() {
            store.increment(FAILURES, 1, None).await?;
        }
        let now = self.now();
        let mut state = self.archive().source(&page.key).await.unwrap_or_default();
        state.last_checked = Some(now);
        state.last_status = Some(status.to_owned());
        state.duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        state.checks += 1;
        match outcome {
            Ok(visit) => {
                state.last_success = Some(now);
                state.bytes = visit.bytes;
                state.etag.clone_from(&visit.etag);
                if visit.changes > 0 {
                    state.changes += 1;
                    state.last_changed = Some(now);
                }
            }
            Err(_) => state.errors += 1,
        }
        match self.archive().keep_source(&page.key, &state).await {
            Err(ArchiveError::Store(error)) => Err(error),
            _ => Ok(()),
        }
    }
}

/// The id of a run: ids of later runs come later.
pub(super) fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// A document of an index as a page of its own.
fn document(source: &Source, url: Url) -> (Source, PageRef) {
    let path = url.path().to_ascii_lowercase();
    let kind = match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("pdf") => Kind::Pdf,
        Some("xsd" | "xml" | "zip" | "rar") => Kind::Xsd,
        _ => Kind::Article,
    };
    let sum = blake3::hash(url.as_str().as_bytes()).to_hex();
    let key: String = format!("{}:doc:{sum}", source.key)
        .chars()
        .take(100)
        .collect();
    let document = Source {
        kind,
        watch_documents: false,
        ..source.clone()
    };
    let page = PageRef {
        key,
        url,
        year: None,
    };
    (document, page)
}

impl Tally {
    fn add(&mut self, part: Self) {
        self.visited += part.visited;
        self.failed += part.failed;
        self.changes += part.changes;
        self.created += part.created;
        self.errors.extend(part.errors);
    }
}

fn report(
    status: RunStatus,
    began: Instant,
    run_id: String,
    mut tally: Tally,
    sent: usize,
) -> RunReport {
    tally.errors.sort();
    tally.errors.truncate(MAX_ERRORS);
    RunReport {
        status,
        execution_time: seconds(began.elapsed()),
        urls_scraped: tally.visited,
        changes_detected: tally.changes,
        news_created: tally.created,
        notifications_sent: sent,
        errors: tally.errors,
        run_id,
    }
}
