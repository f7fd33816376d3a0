//! From settings to a serving process, and to its end.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use http_api::{AdminDeps, AdminServer, Config, Deps, Keyring, Server, Tls};
use llm_client::{Meter, Sharing};
use observability::logs::Logs;
use observability::{Metrics, Traces};
use store::{EmbeddedStore, RedisStore, ResilientStore, Store, SystemClock};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::admin;
use crate::config::{Engine, Settings, Source};
use crate::indicators;
use crate::knowledge;
use crate::model;
use crate::monitor;
use crate::reload::{self, Reloader};
use crate::welcome;

/// `EX_UNAVAILABLE`: something that the service needs to start can't be had.
const EXIT_UNAVAILABLE: u8 = 69;

/// The end of the last writes, after the last request.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// How often this replica's cache figures are added to those of all.
const TOTALS_EVERY: Duration = Duration::from_secs(5);

/// Why the service could not start.
#[derive(Debug, Error)]
enum StartError {
    #[error("start the runtime")]
    Runtime(#[source] io::Error),
    #[error("watch for signals")]
    Signals(#[source] io::Error),
    #[error("use tls.certificate and tls.key")]
    Tls(#[from] http_api::TlsError),
    #[error("listen on {0}")]
    Listen(std::net::SocketAddr, #[source] io::Error),
    #[error("open the store")]
    Store(#[from] store::OpenError),
    #[error("set up the metrics")]
    Metrics(#[from] observability::InstallError),
    #[error("set up the traces")]
    Traces(#[from] observability::TracesError),
    #[error("set up the logs")]
    Logs(#[from] observability::logs::LogsError),
    #[error("set up the cache")]
    Cache(#[from] cache::ConfigError),
    #[error("set up the model")]
    Model(#[from] llm_client::ConfigError),
    #[error("read the knowledge base")]
    Knowledge(#[from] knowledge_base::KnowledgeError),
    #[error("set up the indicators' source")]
    Indicators(#[from] http_api::PageError),
    #[error("set up the tax service's monitor")]
    Monitor(#[from] monitor::StartError),
    #[error("set up the keys")]
    Keys(#[from] http_api::KeyringError),
    #[error("set up Redis")]
    Redis(#[from] store::RedisConfigError),
    #[error("read what was kept for Redis")]
    Journal(#[source] store::StoreError),
}

/// A serving process.
struct Running {
    server: Server,
    cache: Cache,
    store: Arc<dyn Store>,
    meter: Meter,
    sii: Option<monitor::Watching>,
    grace: Duration,
    deadline: Duration,
    _knowledge: Option<knowledge_base::Watch>,
    traces: Option<Traces>,
    _logs: Logs,
    _reloading: reload::Watch,
    _admin: Option<AdminServer>,
    /// Replicas are told of open breakers for as long as this is held.
    _sharing: Vec<Sharing>,
}

/// Serves until a signal comes, then drains.
pub(crate) fn serve(settings: Settings, source: Source) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime.map_err(StartError::Runtime) {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let code = runtime.block_on(async {
        // Before anything else: a signal while starting must find its handler.
        let (mut term, mut int, hangup) = match signals() {
            Ok(signals) => signals,
            Err(error) => return failed(&StartError::Signals(error)),
        };
        match Box::pin(start(settings, source, hangup)).await {
            Ok(running) => running.until(&mut term, &mut int).await,
            Err(error) => failed(&error),
        }
    });
    // What still runs (a hung call) must not hold the process.
    runtime.shutdown_background();
    code
}

fn failed(error: &StartError) -> ExitCode {
    crate::eprintln(&format!("ai-service: failed to {}", crate::chain(error)));
    ExitCode::from(EXIT_UNAVAILABLE)
}

fn signals() -> io::Result<(Signal, Signal, Signal)> {
    Ok((
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    ))
}

async fn start(
    mut settings: Settings,
    source: Source,
    hangup: Signal,
) -> Result<Running, StartError> {
    let (metrics, traces, logs) = observe(&settings)?;
    let clock = Arc::new(SystemClock);
    let Opened { store, shared } = open_store(&settings, clock.clone()).await?;
    let cache = open_cache(&settings, &store, clock.clone()).await?;
    let meter = Meter::new(settings.meter.clone(), Arc::clone(&store), clock.clone());
    let stack = model::build(&settings, &meter, &store)?;
    let (model, sharing, breakers) = match stack {
        Some(stack) => (Some(stack.model), stack.sharing, stack.breakers),
        None => (None, Vec::new(), Vec::new()),
    };
    let known = knowledge::open(settings.knowledge.as_deref()).await?;
    let chat = knowledge::chat(
        known.base.clone(),
        Arc::clone(&store),
        cache.clone(),
        model.as_ref().map(|model| Arc::clone(&model.client)),
        clock.clone(),
        settings.limits.model_timeout,
    );
    let provider = indicators::build(&settings, &store, clock.clone(), model.as_ref(), &meter)?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| StartError::Listen(settings.listen, error))?;
    let admin = admin::bind(settings.security.admin.as_ref()).await;
    let admin = admin.map_err(|(addr, error)| StartError::Listen(addr, error))?;
    let client = model.as_ref().map(|model| Arc::clone(&model.client));
    let sii = monitor::start(
        &mut settings.sii,
        &store,
        clock.clone(),
        client,
        known.base.clone(),
    )
    .await?;
    let tls = certificate(&settings)?;
    let config = api(&settings, tls.clone())?;
    let deps = Deps {
        cache: cache.clone(),
        store: Arc::clone(&store),
        model,
        chat: Some(chat),
        sii: sii.as_ref().map(|sii| Arc::clone(&sii.runner)),
        indicators: Arc::new(provider),
        meter: meter.clone(),
        metrics,
        clock,
    };
    let app = config.build(deps);
    let controls = app.controls();
    let reloader = Reloader::new(source, controls.clone(), tls, &settings);
    let reloading = reloader.watch(hangup);
    let operator = AdminDeps {
        controls,
        knowledge: known.base,
        breakers,
        shared_store: shared,
        log_level: logs.level(),
        settings: settings.to_string(),
        reload: reloader,
    };
    let admin = admin::spawn(settings.security.admin.as_ref().zip(admin), operator)?;
    let server = app.spawn(listener);
    greet(&settings, &server);
    let (grace, deadline) = (settings.drain_grace, settings.drain_deadline);
    Ok(Running {
        server,
        cache,
        store,
        meter,
        sii,
        grace,
        deadline,
        _knowledge: known.watch,
        traces,
        _logs: logs,
        _reloading: reloading,
        _admin: admin,
        _sharing: sharing,
    })
}

/// What is told from here on: metrics, traces and logs.
fn observe(settings: &Settings) -> Result<(Metrics, Option<Traces>, Logs), StartError> {
    let metrics = Metrics::install(&[])?;
    metrics::gauge!("ai_service_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    let traces = settings.traces.as_ref().map(Traces::start).transpose()?;
    let logs = observability::logs::init(&settings.log_level, io::stderr(), traces.as_ref())?;
    observability::log_panics();
    llm_client::telemetry::describe();
    sii_monitor::telemetry::describe();
    Ok((metrics, traces, logs))
}

/// The cache over the store.
async fn open_cache(
    settings: &Settings,
    store: &Arc<dyn Store>,
    clock: Arc<SystemClock>,
) -> Result<Cache, cache::ConfigError> {
    let second_tier = Some(Arc::clone(store));
    let cache = Cache::new(&settings.cache, &http_api::OPERATIONS, second_tier, clock)?;
    // What was flushed before this process was there. It ends with the cache itself.
    cache.share_flushes().await;
    drop(cache.spawn_sharing(TOTALS_EVERY));
    Ok(cache)
}

/// What the listener speaks TLS with, where it does.
fn certificate(settings: &Settings) -> Result<Option<Tls>, http_api::TlsError> {
    let files = settings.security.tls.as_ref();
    let tls = files.map(|files| Tls::load(&files.certificate, &files.key));
    tls.transpose()
}

/// How the API behaves.
fn api(settings: &Settings, tls: Option<Tls>) -> Result<Config, StartError> {
    Ok(Config {
        keys: Arc::new(Keyring::new(&settings.keys)?),
        tls,
        cors: settings.security.cors.clone(),
        proxies: settings.security.proxies.clone(),
        limits: settings.limits,
        metrics_public: settings.metrics_public,
        validate_lifetime: settings.validate_lifetime,
        answer_lifetime: settings.answer_lifetime,
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// The store, and what of it an operator acts on.
struct Opened {
    store: Arc<dyn Store>,
    /// Where it is shared with other replicas.
    shared: Option<Arc<ResilientStore>>,
}

async fn open_store(settings: &Settings, clock: Arc<SystemClock>) -> Result<Opened, StartError> {
    let config = settings.store.clone();
    let engine: Arc<dyn Store> = match &settings.engine {
        Engine::File(path) => Arc::new(EmbeddedStore::open(path, config, clock.clone()).await?),
        Engine::Memory => Arc::new(EmbeddedStore::in_memory(config, clock.clone())?),
    };
    let Some(shared) = &settings.shared else {
        return Ok(Opened {
            store: engine,
            shared: None,
        });
    };
    // It connects in the background: nobody waits for Redis.
    let redis = RedisStore::start(shared.redis.clone())?;
    let config = shared.resilient.clone();
    let store = ResilientStore::start(redis, engine, config, clock);
    let store = Arc::new(store.await.map_err(StartError::Journal)?);
    Ok(Opened {
        store: Arc::clone(&store) as Arc<dyn Store>,
        shared: Some(store),
    })
}

/// Waits for the last writes; a disk that hangs must not hold the process.
async fn flush(store: &dyn Store) {
    match tokio::time::timeout(FLUSH_LIMIT, store.flush()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "failed to flush the store"),
        Err(_) => tracing::error!("the store did not flush in time"),
    }
}

fn greet(settings: &Settings, server: &Server) {
    let addr = server.local_addr().unwrap_or(settings.listen);
    tracing::info!(%addr, version = env!("CARGO_PKG_VERSION"), "listening");
    if let Some(model) = settings
        .model
        .as_ref()
        .filter(|model| !model.capabilities.known)
    {
        tracing::warn!(
            model = model.model,
            "unknown model: what it costs and can is guessed"
        );
    }
    if let Some(key) = &settings.made_up_key {
        crate::println(&welcome::text(addr, key));
    }
}

impl Running {
    /// Serves until the first signal and drains; a second signal ends it at once.
    async fn until(self, term: &mut Signal, int: &mut Signal) -> ExitCode {
        let asked_by_person = tokio::select! {
            _ = term.recv() => false,
            _ = int.recv() => true,
        };
        // Who presses Ctrl-C balances no load: nobody needs time to notice.
        let grace = if asked_by_person {
            Duration::ZERO
        } else {
            self.grace
        };
        tracing::info!(grace_ms = grace.as_millis(), "draining");
        let Self {
            server,
            cache,
            store,
            meter,
            traces,
            sii,
            deadline,
            ..
        } = self;
        let drain = async {
            // A run gives its turn back at once, while requests still end.
            let watched = async {
                if let Some(sii) = &sii
                    && !sii.runner.drain(FLUSH_LIMIT).await
                {
                    tracing::warn!("the monitor did not stop in time");
                }
            };
            let (drained, ()) = tokio::join!(server.drain(grace, deadline), watched);
            cache.drain(FLUSH_LIMIT).await;
            let _ = tokio::time::timeout(FLUSH_LIMIT, meter.ledger().flush()).await;
            flush(&*store).await;
            if let Some(traces) = traces {
                traces.shut_down(FLUSH_LIMIT).await;
            }
            drained
        };
        tokio::select! {
            drained = drain => {
                tracing::info!(unfinished = drained.unfinished, "stopped");
                if drained.unfinished == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            _ = term.recv() => ExitCode::FAILURE,
            _ = int.recv() => ExitCode::FAILURE,
        }
    }
}
