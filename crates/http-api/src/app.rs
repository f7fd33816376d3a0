//! The application: what handlers share, and how it is put together.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ::chat::Chat;
use bytes::Bytes;
use cache::{Cache, KeyMemo};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use llm_client::LanguageModel;
use observability::{HttpMetrics, Metrics};
use store::{Clock, Store};
use tokio::net::TcpListener;

use crate::chat::StreamPlaces;
use crate::config::Config;
use crate::offload::Offload;
use crate::openapi::Page;
use crate::places::Places;
use crate::routes::Routes;
use crate::server::Server;
use crate::validate::ModelWatch;

/// Memory, in bytes, for bodies whose cache keys are remembered.
const REMEMBERED_BODIES: u64 = 16 * 1024 * 1024;

/// What the application stands on. Each can be replaced by another of its kind.
#[derive(Debug, Clone)]
pub struct Deps {
    /// Answers worth keeping.
    pub cache: Cache,
    /// Shared state; here only its health is asked, the cache has its own handle.
    pub store: Arc<dyn Store>,
    /// The language model, where one is configured.
    pub model: Option<Arc<dyn LanguageModel>>,
    /// What answers `/api/chat`, where there is one.
    pub chat: Option<Arc<Chat>>,
    /// The installed recorder.
    pub metrics: Metrics,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// The API, ready to serve. Nothing is bound or spawned before [`App::spawn`].
#[derive(Debug, Clone)]
pub struct App {
    shared: Arc<Shared>,
}

/// What every request sees.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) deps: Deps,
    pub(crate) routes: Routes,
    pub(crate) http: HttpMetrics,
    pub(crate) places: Places,
    pub(crate) stream_places: StreamPlaces,
    pub(crate) offload: Offload,
    pub(crate) model_watch: ModelWatch,
    pub(crate) keys_of_bodies: KeyMemo,
    pub(crate) description: OnceLock<Bytes>,
    pub(crate) page: Page,
    pub(crate) started: Instant,
    draining: AtomicBool,
    zone: TimeZone,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Puts the application together over what it depends on.
    #[must_use]
    pub fn build(self, deps: Deps) -> App {
        let shared = Shared {
            routes: Routes::new(),
            http: HttpMetrics::new(&Routes::labels()),
            places: Places::new(&self.limits),
            stream_places: StreamPlaces::new(&self.limits),
            offload: Offload::default(),
            model_watch: ModelWatch::default(),
            keys_of_bodies: KeyMemo::new(REMEMBERED_BODIES),
            description: OnceLock::new(),
            page: Page::default(),
            started: Instant::now(),
            draining: AtomicBool::new(false),
            // The bundled database has it; UTC is only what the types ask for.
            zone: TimeZone::get("America/Santiago").unwrap_or(TimeZone::UTC),
            config: self,
            deps,
        };
        App {
            shared: Arc::new(shared),
        }
    }
}

impl App {
    /// Starts to serve on `listener`, until the returned server is drained.
    #[must_use]
    pub fn spawn(self, listener: TcpListener) -> Server {
        Server::spawn(self.shared, listener)
    }
}

impl Shared {
    /// From now on `/ready` says no.
    pub(crate) fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Ends what still streams; says whether anything did.
    pub(crate) fn end_streams(&self) -> bool {
        self.deps
            .chat
            .as_ref()
            .is_some_and(|chat| chat.shut_down() > 0)
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Now, to the second.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::try_from(self.deps.clock.now()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Today in Chile: a document's date is a date there, wherever this process runs.
    pub(crate) fn today(&self) -> Date {
        self.now().to_zoned(self.zone.clone()).date()
    }
}
