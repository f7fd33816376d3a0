//! The configuration, whole and checked.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cache::CacheConfig;
use http_api::{ApiKey, Limits, PreviredPage};
use llm_client::{AnthropicConfig, ConcurrencyConfig, MeterConfig, OpenAiConfig};
use observability::TracesConfig;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use store::EmbeddedConfig;
use thiserror::Error;

use super::Environment;
use super::SharedStore;
use super::file::{self, File};
use super::keys::{Keys, keys};
use super::limits::{concurrency, limits, time, wait};
use super::model::{model, second};
use super::money::meter;
use super::redis::redis;
use super::security::{Security, security};
use super::sii::{SiiSettings, sii_monitor};
use super::traces::traces;

const DEFAULT_LISTEN: &str = "127.0.0.1:8002";
/// A verdict is of a day: to keep one longer than this is a slip of the pen.
const MAX_LIFETIME_SECONDS: u64 = 31 * 24 * 60 * 60;
/// A public page answers within this or is left for later.
const DEFAULT_INDICATORS_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_STORE: &str = "data/ai-service.redb";

/// Everything that the service is told.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) log_level: String,
    pub(crate) keys: Vec<ApiKey>,
    /// The key that was made up because none is configured.
    pub(crate) made_up_key: Option<SecretString>,
    pub(crate) engine: Engine,
    pub(crate) store: EmbeddedConfig,
    /// Redis in front of the engine, where it is configured.
    pub(crate) shared: Option<SharedStore>,
    pub(crate) cache: CacheConfig,
    pub(crate) model: Option<AnthropicConfig>,
    /// The folder of what the chat knows; without one, the articles of the binary.
    pub(crate) knowledge: Option<PathBuf>,
    pub(crate) second_model: Option<OpenAiConfig>,
    pub(crate) concurrency: ConcurrencyConfig,
    pub(crate) meter: MeterConfig,
    pub(crate) limits: Limits,
    pub(crate) validate_lifetime: Duration,
    pub(crate) answer_lifetime: Duration,
    /// The page that months' indicators are fetched from, unless nothing is to be fetched.
    pub(crate) indicators_url: Option<String>,
    pub(crate) indicators_timeout: Duration,
    /// What watches the tax service.
    pub(crate) sii: SiiSettings,
    pub(crate) metrics_public: bool,
    /// Where traces go, where they go anywhere.
    pub(crate) traces: Option<TracesConfig>,
    pub(crate) security: Security,
    /// The files whose change is read while the service serves: keys and certificates.
    pub(crate) watched: Vec<PathBuf>,
    pub(crate) drain_grace: Duration,
    pub(crate) drain_deadline: Duration,
}

/// Where shared state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Engine {
    /// In this file.
    File(PathBuf),
    /// In memory, for as long as the process runs.
    Memory,
}

/// What is wrong with the configuration.
#[derive(Debug, Error)]
pub(crate) enum SettingsError {
    #[error("failed to read {path}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Without the parser's own text: it quotes the line, which may hold a key.
    #[error("failed to understand {path}, line {line}: {problem}")]
    Parse {
        path: PathBuf,
        line: usize,
        problem: String,
    },
    #[error("{key} {problem}")]
    Value { key: &'static str, problem: String },
    #[error("use the model's configuration")]
    Model(#[from] llm_client::ConfigError),
    #[error(transparent)]
    Cache(#[from] cache::ConfigError),
    #[error(transparent)]
    Keys(#[from] http_api::KeyringError),
    #[error("use tls.certificate and tls.key")]
    Tls(#[from] http_api::TlsError),
}

pub(super) fn wrong(key: &'static str, problem: impl Into<String>) -> SettingsError {
    SettingsError::Value {
        key,
        problem: problem.into(),
    }
}

impl Settings {
    /// Reads the file, if there is one, and the environment.
    pub(crate) fn load(
        path: Option<&Path>,
        environment: &Environment,
    ) -> Result<Self, SettingsError> {
        let mut file = path.map_or_else(|| Ok(File::default()), read)?;
        environment.overlay(&mut file)?;
        let mut settings = Self::check(file)?;
        settings.watched.extend(path.map(Path::to_owned));
        Ok(settings)
    }

    /// The same from a file that was read already.
    pub(super) fn from_table(
        table: toml::Table,
        environment: &Environment,
    ) -> Result<Self, SettingsError> {
        let mut file: File = table.try_into().map_err(|error: toml::de::Error| {
            // Only for a table that `load` would refuse as well, with its line.
            wrong("the file", error.message().replace('\n', ", "))
        })?;
        environment.overlay(&mut file)?;
        Self::check(file)
    }

    fn check(file: File) -> Result<Self, SettingsError> {
        let listen = file.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
        let listen: SocketAddr = listen
            .parse()
            .map_err(|_| wrong("listen", "must be ADDRESS:PORT"))?;
        let meter = meter(&file.budget, &file.auth.keys, &file.prices)?;
        let Keys {
            keys,
            made_up: made_up_key,
            files: mut watched,
        } = keys(file.auth, listen)?;
        let security = security(file.tls, file.cors, file.proxies, file.admin)?;
        watched.extend(security.files().cloned());
        let log_level = file.log_level.unwrap_or_else(|| "info".to_owned());
        observability::logs::check_level(&log_level)
            .map_err(|error| wrong("log_level", error.to_string()))?;
        file.cache.check()?;
        let limits = limits(&file.limits)?;
        let content_in_spans = file.traces.model_content;
        let mut model = model(file.model, &limits)?;
        let mut second_model = second(file.second_model, &limits)?;
        let (first, other) = (model.iter_mut(), second_model.iter_mut());
        first.for_each(|config| config.content_in_spans = content_in_spans);
        other.for_each(|config| config.content_in_spans = content_in_spans);
        let validate_lifetime = lifetime(
            "validate.lifetime_seconds",
            file.validate.lifetime_seconds,
            15 * 60,
        )?;
        let answer_lifetime = lifetime(
            "answers.lifetime_seconds",
            file.answers.lifetime_seconds,
            60 * 60,
        )?;
        let indicators_timeout = time(
            "indicators.timeout_ms",
            file.indicators.timeout_ms,
            DEFAULT_INDICATORS_TIMEOUT,
        )?;
        Ok(Self {
            listen,
            log_level,
            keys,
            made_up_key,
            engine: engine(&file.store)?,
            store: embedded(&file.store)?,
            shared: redis(file.redis)?,
            cache: file.cache,
            model,
            second_model,
            concurrency: concurrency(&file.concurrency)?,
            meter,
            limits,
            knowledge: file.knowledge.path,
            validate_lifetime,
            answer_lifetime,
            indicators_url: indicators(file.indicators)?,
            indicators_timeout,
            sii: sii_monitor(file.sii_monitor)?,
            metrics_public: file.metrics.public,
            traces: traces(file.traces)?,
            security,
            watched,
            drain_grace: wait("drain.grace_ms", file.drain.grace_ms, 2_000)?,
            drain_deadline: wait("drain.deadline_ms", file.drain.deadline_ms, 30_000)?,
        })
    }
}

fn read(path: &Path) -> Result<File, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|source| SettingsError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(path, &text)
}

/// A file's text as TOML of that shape.
pub(super) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, SettingsError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        SettingsError::Parse {
            path: path.to_owned(),
            line: before.unwrap_or_default().matches('\n').count() + 1,
            problem: error.message().replace('\n', ", "),
        }
    })
}

fn lifetime(
    key: &'static str,
    given: Option<u64>,
    default: u64,
) -> Result<Duration, SettingsError> {
    let seconds = given.unwrap_or(default);
    if !(1..=MAX_LIFETIME_SECONDS).contains(&seconds) {
        let problem = format!("must be 1 to {MAX_LIFETIME_SECONDS} (31 days)");
        return Err(wrong(key, problem));
    }
    Ok(Duration::from_secs(seconds))
}

fn engine(store: &file::Store) -> Result<Engine, SettingsError> {
    let path = store.path.clone();
    match store.engine.as_deref() {
        None | Some("file") => Ok(Engine::File(path.unwrap_or_else(|| DEFAULT_STORE.into()))),
        Some("memory") if path.is_some() => {
            Err(wrong("store.path", "means nothing to the engine in memory"))
        }
        Some("memory") => Ok(Engine::Memory),
        Some(_) => Err(wrong("store.engine", "must be \"file\" or \"memory\"")),
    }
}

/// The page to fetch months' indicators from, checked.
fn indicators(file: file::Indicators) -> Result<Option<String>, SettingsError> {
    let url = file.url.as_deref().unwrap_or(PreviredPage::PUBLIC_URL);
    PreviredPage::try_new(url).map_err(|error| wrong("indicators.url", error.to_string()))?;
    Ok(file.fetch.unwrap_or(true).then(|| url.to_owned()))
}

fn embedded(store: &file::Store) -> Result<EmbeddedConfig, SettingsError> {
    let mut config = EmbeddedConfig::default();
    if let Some(bytes) = store.max_bytes {
        if bytes < 1024 * 1024 {
            return Err(wrong("store.max_bytes", "must be at least 1048576 (1 MiB)"));
        }
        config.max_bytes = bytes;
    }
    Ok(config)
}

/// The settings in force, without their secrets.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "listen = {}", self.listen)?;
        writeln!(f, "log_level = {}", self.log_level)?;
        let names: Vec<_> = self.keys.iter().map(|key| key.name.as_str()).collect();
        let made_up = if self.made_up_key.is_some() {
            " (made up at each start)"
        } else {
            ""
        };
        writeln!(f, "api keys = {}{made_up}", names.join(", "))?;
        match &self.engine {
            Engine::File(path) => writeln!(f, "store = file {}", path.display())?,
            Engine::Memory => writeln!(f, "store = memory")?,
        }
        writeln!(f, "store.max_bytes = {}", self.store.max_bytes)?;
        match &self.shared {
            Some(shared) => {
                writeln!(f, "redis = {:#?}", shared.redis)?;
                let journal = &shared.resilient;
                writeln!(f, "redis.journal_len = {}", journal.journal_len)?;
                writeln!(f, "redis.journal_bytes = {}", journal.journal_bytes)?;
            }
            None => writeln!(f, "redis = none (this process's own store)")?,
        }
        writeln!(f, "cache.l1_bytes = {}", self.cache.l1_bytes)?;
        match &self.model {
            Some(model) => writeln!(f, "model = {} at {}", model.model, model.base_url)?,
            None => writeln!(f, "model = none (rules only)")?,
        }
        match &self.knowledge {
            Some(path) => writeln!(f, "knowledge = {}", path.display())?,
            None => writeln!(f, "knowledge = the articles that come with it")?,
        }
        if let Some(second) = &self.second_model {
            writeln!(f, "second model = {} at {}", second.model, second.base_url)?;
        }
        writeln!(f, "{:#?}", self.concurrency)?;
        writeln!(f, "{:#?}", self.meter.limits)?;
        writeln!(f, "{:#?}", self.limits)?;
        writeln!(
            f,
            "validate.lifetime_seconds = {}",
            self.validate_lifetime.as_secs()
        )?;
        let answers = self.answer_lifetime.as_secs();
        writeln!(f, "answers.lifetime_seconds = {answers}")?;
        match &self.indicators_url {
            Some(url) => writeln!(f, "indicators.url = {url}")?,
            None => writeln!(f, "indicators.fetch = false")?,
        }
        let timeout = self.indicators_timeout.as_millis();
        writeln!(f, "indicators.timeout_ms = {timeout}")?;
        write!(f, "{}", self.security)?;
        writeln!(f, "{}", self.sii)?;
        writeln!(f, "metrics.public = {}", self.metrics_public)?;
        match &self.traces {
            Some(traces) => {
                writeln!(f, "traces.endpoint = {}", traces.endpoint)?;
                writeln!(f, "traces.sample_ratio = {}", traces.ratio)?;
                writeln!(f, "traces.slow_ms = {}", traces.slow.as_millis())?;
                let first = self.model.iter().any(|model| model.content_in_spans);
                let second = self.second_model.iter().any(|model| model.content_in_spans);
                let content = first || second;
                writeln!(f, "traces.model_content = {content}")?;
            }
            None => writeln!(f, "traces = none")?,
        }
        writeln!(f, "drain.grace_ms = {}", self.drain_grace.as_millis())?;
        write!(f, "drain.deadline_ms = {}", self.drain_deadline.as_millis())
    }
}
