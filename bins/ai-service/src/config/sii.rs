//! What watches the tax service: sources, times, politeness, and who is told.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use sii_monitor::deliver::Outlet;
use sii_monitor::fetch::{FetchConfig, HttpFetcher};
use sii_monitor::run::MonitorConfig;
use sii_monitor::schedule::Schedule;
use sii_monitor::source::{self, Source};

use super::channels::{EmailFile, SlackFile, WebhookFile, outlets};
use super::limits::time;
use super::settings::{SettingsError, wrong};

/// The longest that one message to a channel may take, where nothing is said.
const CHANNEL_TIMEOUT: Duration = Duration::from_secs(10);

/// The section as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SiiMonitor {
    mode: Mode,
    every_minutes: Option<u64>,
    jitter_minutes: Option<u64>,
    default_sources: Option<bool>,
    sources: Vec<Source>,
    report_existing: bool,
    look_seconds: Option<u64>,
    lease_seconds: Option<u64>,
    run_limit_minutes: Option<u64>,
    sources_at_a_time: Option<usize>,
    max_documents: Option<usize>,
    max_questions: Option<usize>,
    user_agent: Option<String>,
    request_interval_ms: Option<u64>,
    requests_per_host: Option<usize>,
    fetch_timeout_ms: Option<u64>,
    max_document_bytes: Option<usize>,
    allow_private_hosts: Vec<String>,
    channel_timeout_ms: Option<u64>,
    pub(super) slack: SlackFile,
    webhook: WebhookFile,
    email: EmailFile,
}

/// When it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// Never: nothing of it is there.
    Off,
    /// When `POST /api/ai/sii/monitor` asks for it.
    #[default]
    OnRequest,
    /// Then, and on schedule.
    Scheduled,
}

/// What watches the tax service, checked.
#[derive(Debug)]
pub(crate) struct SiiSettings {
    mode: Mode,
    /// Its schedule is there where runs are scheduled; its shifts have no seed yet.
    pub(crate) monitor: MonitorConfig,
    /// The time between runs, and their shifts.
    pub(crate) times: (Duration, Duration),
    pub(crate) fetch: FetchConfig,
    pub(crate) outlets: Vec<Outlet>,
}

impl SiiSettings {
    /// Whether there is a monitor at all.
    pub(crate) fn is_on(&self) -> bool {
        self.mode != Mode::Off
    }
}

/// Checks the section, whether or not it is used.
pub(super) fn sii_monitor(file: SiiMonitor) -> Result<SiiSettings, SettingsError> {
    let minutes = |key, value, bounds| number(key, value, bounds).map(|n| minutes(n));
    let times = (
        minutes(
            "sii_monitor.every_minutes",
            file.every_minutes.unwrap_or(360),
            1..=44_640,
        )?,
        minutes(
            "sii_monitor.jitter_minutes",
            file.jitter_minutes.unwrap_or(10),
            0..=44_640,
        )?,
    );
    let schedule = Schedule::try_new(times.0, times.1, "")
        .map_err(|error| wrong("sii_monitor.jitter_minutes", error.to_string()))?;
    let run_limit = file.run_limit_minutes.unwrap_or(30);
    let monitor = MonitorConfig {
        schedule: (file.mode == Mode::Scheduled).then_some(schedule),
        report_existing: file.report_existing,
        tick: seconds("sii_monitor.look_seconds", file.look_seconds, 30, 1..=600)?,
        lease: seconds(
            "sii_monitor.lease_seconds",
            file.lease_seconds,
            60,
            3..=3_600,
        )?,
        run_limit: minutes("sii_monitor.run_limit_minutes", run_limit, 1..=720)?,
        ..MonitorConfig::default()
    };
    let monitor = MonitorConfig {
        at_a_time: count(
            "sii_monitor.sources_at_a_time",
            file.sources_at_a_time,
            monitor.at_a_time,
            1..=64,
        )?,
        max_documents: count(
            "sii_monitor.max_documents",
            file.max_documents,
            monitor.max_documents,
            0..=1_000,
        )?,
        max_questions: count(
            "sii_monitor.max_questions",
            file.max_questions,
            monitor.max_questions,
            0..=1_000,
        )?,
        sources: sources(file.default_sources.unwrap_or(true), file.sources)?,
        ..monitor
    };
    let limit = time(
        "sii_monitor.channel_timeout_ms",
        file.channel_timeout_ms,
        CHANNEL_TIMEOUT,
    )?;
    Ok(SiiSettings {
        mode: file.mode,
        monitor,
        times,
        fetch: fetch(FetchFile {
            user_agent: file.user_agent,
            request_interval_ms: file.request_interval_ms,
            requests_per_host: file.requests_per_host,
            fetch_timeout_ms: file.fetch_timeout_ms,
            max_document_bytes: file.max_document_bytes,
            allow_private_hosts: file.allow_private_hosts,
        })?,
        outlets: outlets(file.slack, file.webhook, file.email, limit)?,
    })
}

/// The defaults, and over them those that are configured: one with a default's key replaces it.
fn sources(defaults: bool, own: Vec<Source>) -> Result<Vec<Source>, SettingsError> {
    const KEY: &str = "sii_monitor.sources";
    source::check(&own).map_err(|error| wrong(KEY, error.to_string()))?;
    let mut all = if defaults {
        source::defaults()
    } else {
        Vec::new()
    };
    all.retain(|source| own.iter().all(|other| other.key != source.key));
    all.extend(own);
    source::check(&all).map_err(|error| wrong(KEY, error.to_string()))?;
    Ok(all)
}

/// What concerns fetching.
struct FetchFile {
    user_agent: Option<String>,
    request_interval_ms: Option<u64>,
    requests_per_host: Option<usize>,
    fetch_timeout_ms: Option<u64>,
    max_document_bytes: Option<usize>,
    allow_private_hosts: Vec<String>,
}

fn fetch(file: FetchFile) -> Result<FetchConfig, SettingsError> {
    let default = FetchConfig::default();
    let max_bytes = count(
        "sii_monitor.max_document_bytes",
        file.max_document_bytes,
        default.max_bytes,
        4_096..=256 * 1024 * 1024,
    )?;
    let interval = "sii_monitor.request_interval_ms";
    let config = FetchConfig {
        agent: file.user_agent.unwrap_or(default.agent),
        interval: match file.request_interval_ms {
            // Tests and mirrors in one's own network needn't be spared.
            Some(0) => Duration::ZERO,
            given => time(interval, given, default.interval)?,
        },
        at_a_time: count(
            "sii_monitor.requests_per_host",
            file.requests_per_host,
            default.at_a_time,
            1..=32,
        )?,
        whole: time(
            "sii_monitor.fetch_timeout_ms",
            file.fetch_timeout_ms,
            default.whole,
        )?,
        max_bytes,
        max_unpacked: max_bytes.saturating_mul(3),
        allow_hosts: file.allow_private_hosts,
        ..default
    };
    // What is wrong with it is said now, not at the first run.
    HttpFetcher::try_new(config.clone())
        .map_err(|_| wrong("sii_monitor.user_agent", "can't stand in a header"))?;
    Ok(config)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn seconds(
    key: &'static str,
    given: Option<u64>,
    default: u64,
    bounds: RangeInclusive<u64>,
) -> Result<Duration, SettingsError> {
    number(key, given.unwrap_or(default), bounds).map(Duration::from_secs)
}

fn count(
    key: &'static str,
    given: Option<usize>,
    default: usize,
    bounds: RangeInclusive<usize>,
) -> Result<usize, SettingsError> {
    number(key, given.unwrap_or(default), bounds)
}

fn number<T: Copy + PartialOrd + fmt::Display>(
    key: &'static str,
    given: T,
    bounds: RangeInclusive<T>,
) -> Result<T, SettingsError> {
    if bounds.contains(&given) {
        return Ok(given);
    }
    let (least, most) = (bounds.start(), bounds.end());
    Err(wrong(key, format!("must be {least} to {most}")))
}

/// The settings in force, without secrets.
impl fmt::Display for SiiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Off => "off",
            Mode::OnRequest => "on_request",
            Mode::Scheduled => "scheduled",
        };
        writeln!(f, "sii_monitor.mode = {mode}")?;
        let (every, jitter) = (self.times.0.as_secs() / 60, self.times.1.as_secs() / 60);
        writeln!(f, "sii_monitor.every_minutes = {every}")?;
        writeln!(f, "sii_monitor.jitter_minutes = {jitter}")?;
        let sources = &self.monitor.sources;
        let keys: Vec<&str> = sources.iter().map(|source| source.key.as_str()).collect();
        writeln!(f, "sii_monitor.sources = {}", keys.join(", "))?;
        writeln!(
            f,
            "sii_monitor.report_existing = {}",
            self.monitor.report_existing
        )?;
        writeln!(f, "sii_monitor.look = {:?}", self.monitor.tick)?;
        writeln!(f, "sii_monitor.lease = {:?}", self.monitor.lease)?;
        writeln!(f, "sii_monitor.run_limit = {:?}", self.monitor.run_limit)?;
        writeln!(
            f,
            "sii_monitor.sources_at_a_time = {}",
            self.monitor.at_a_time
        )?;
        writeln!(
            f,
            "sii_monitor.max_documents = {}",
            self.monitor.max_documents
        )?;
        writeln!(
            f,
            "sii_monitor.max_questions = {}",
            self.monitor.max_questions
        )?;
        writeln!(f, "sii_monitor.fetch = {:#?}", self.fetch)?;
        let names: Vec<&str> = self
            .outlets
            .iter()
            .map(|outlet| outlet.name.as_str())
            .collect();
        match names.is_empty() {
            true => write!(f, "sii_monitor.channels = none"),
            false => write!(f, "sii_monitor.channels = {}", names.join(", ")),
        }
    }
}
