//! The application: what handlers share, and how it is put together.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ::chat::Chat;
use arc_swap::ArcSwap;
use bytes::Bytes;
use cache::{Answer, Cache, CacheKey, Cost, KeyBuilder, KeyMemo, Status};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use llm_client::{
    Breaker, BreakerState, Completion, LanguageModel, Meter, PrefixCache, Saved, Usage, Usd,
};
use observability::{HttpMetrics, Metrics};
use payroll::provider::Provider;
use sii_monitor::run::Runner;
use store::{Clock, Store};
use tokio::net::TcpListener;

use crate::auth::Caller;
use crate::chat::StreamPlaces;
use crate::config::Config;
use crate::kept;
use crate::keyring::Keyring;
use crate::offload::Offload;
use crate::openapi::Page;
use crate::overload::Overload;
use crate::payslips::Months;
use crate::peers::FailedTries;
use crate::places::Places;
use crate::problem::Problem;
use crate::routes::Routes;
use crate::server::Server;
use crate::suggestions::Suggestions;
use crate::tls::Tls;
use crate::today::Today;
use crate::turns::Turns;
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
    pub model: Option<Model>,
    /// What answers `/api/chat`, where there is one.
    pub chat: Option<Arc<Chat>>,
    /// What watches the tax service, where that isn't off.
    pub sii: Option<Arc<Runner>>,
    /// The months' indicators, for payslips.
    pub indicators: Arc<Provider>,
    /// What calls of the model cost.
    pub meter: Meter,
    /// The installed recorder.
    pub metrics: Metrics,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// A language model, and those of its layers that have something to tell.
#[derive(Debug, Clone)]
pub struct Model {
    /// What is asked: the outermost layer.
    pub client: Arc<dyn LanguageModel>,
    /// Its breaker, for `/health`.
    pub breaker: Option<Arc<Breaker>>,
    /// What the provider's prompt cache does, for `/health`.
    pub prompt_cache: Option<PrefixCache>,
}

impl Model {
    /// A model without layers.
    #[must_use]
    pub fn new(client: Arc<dyn LanguageModel>) -> Self {
        Self {
            client,
            breaker: None,
            prompt_cache: None,
        }
    }
}

/// The API, ready to serve. Nothing is bound or spawned before [`App::spawn`].
#[derive(Debug, Clone)]
pub struct App {
    shared: Arc<Shared>,
}

/// What every request sees.
pub(crate) struct Shared {
    pub(crate) config: Config,
    /// The keys that are good now.
    pub(crate) keys: ArcSwap<Keyring>,
    pub(crate) failed_tries: FailedTries,
    /// What the listener speaks TLS with, where it does.
    pub(crate) tls: Option<Tls>,
    pub(crate) deps: Deps,
    pub(crate) routes: Routes,
    pub(crate) http: HttpMetrics,
    pub(crate) places: Places,
    pub(crate) overload: Overload,
    pub(crate) turns: Turns,
    pub(crate) stream_places: StreamPlaces,
    pub(crate) offload: Offload,
    pub(crate) model_watch: ModelWatch,
    pub(crate) keys_of_bodies: KeyMemo,
    /// What payslips are judged by.
    pub(crate) months: Months,
    /// What `/api/ai/analytics/stats` tells.
    pub(crate) suggestions: Suggestions,
    pub(crate) description: OnceLock<Bytes>,
    pub(crate) page: Page,
    pub(crate) started: Instant,
    draining: AtomicBool,
    today: Today,
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
    pub fn build(mut self, deps: Deps) -> App {
        let shared = Shared {
            routes: Routes::new(),
            http: HttpMetrics::new(&Routes::labels()),
            places: Places::new(&self.limits),
            overload: Overload::new(self.limits.overload_delay),
            turns: Turns::default(),
            stream_places: StreamPlaces::new(&self.limits),
            offload: Offload::default(),
            model_watch: ModelWatch::default(),
            keys_of_bodies: KeyMemo::new(REMEMBERED_BODIES),
            months: Months::default(),
            suggestions: Suggestions::new(Arc::clone(&deps.store)),
            description: OnceLock::new(),
            page: Page::default(),
            started: Instant::now(),
            draining: AtomicBool::new(false),
            // The bundled database has it; UTC is only what the types ask for.
            today: Today::of(TimeZone::get("America/Santiago").unwrap_or(TimeZone::UTC)),
            keys: ArcSwap::new(Arc::clone(&self.keys)),
            failed_tries: FailedTries::new(self.limits.failed_keys_per_minute.get()),
            tls: self.tls.take(),
            config: self,
            deps,
        };
        App {
            shared: Arc::new(shared),
        }
    }
}

impl App {
    /// What changes the application while it serves.
    #[must_use]
    pub fn controls(&self) -> Controls {
        Controls {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Starts to serve on `listener`, until the returned server is drained.
    #[must_use]
    pub fn spawn(self, listener: TcpListener) -> Server {
        Server::spawn(self.shared, listener)
    }
}

/// What changes an application while it serves, and tells how it is. Clones are handles of the
/// same.
#[derive(Debug, Clone)]
pub struct Controls {
    pub(crate) shared: Arc<Shared>,
}

impl Controls {
    /// From the next request on these are the keys that open. What was made under a name stays
    /// readable to the key of that name.
    pub fn replace_keys(&self, keys: Keyring) {
        self.shared.keys.store(Arc::new(keys));
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

    /// The key of a question that is the whole body, asked of the configured model.
    pub(crate) fn keyed(&self, builder: KeyBuilder, body: &[u8]) -> Result<CacheKey, Problem> {
        let builder = match &self.deps.model {
            Some(model) => builder
                .model(model.client.model())
                .parameter("origin", model.client.origin()),
            None => builder,
        };
        // It decoded, so it is UTF-8.
        let text = std::str::from_utf8(body).map_err(|_| Problem::not_json(1, 1))?;
        let keyed = builder.json(text, &[]);
        Ok(keyed.map_err(|error| kept::unkeyable(&error))?.finish())
    }

    /// How the model's breaker is, where it has one.
    pub(crate) fn circuit(&self) -> Option<BreakerState> {
        let model = self.deps.model.as_ref()?;
        model.breaker.as_ref().map(|breaker| breaker.state())
    }

    /// What a call took, in money and tokens.
    pub(crate) fn cost_of(&self, completion: &Completion) -> Cost {
        self.price(&completion.model, &completion.usage)
    }

    /// What so many tokens of a model cost.
    pub(crate) fn price(&self, model: &str, usage: &Usage) -> Cost {
        let usd = self.deps.meter.prices().of(model).prices.cost(usage);
        Cost {
            pico_usd: u64::try_from(usd.pico()).unwrap_or(0),
            tokens: usage.total(),
        }
    }

    /// Books what an answer that wasn't computed for this caller would have cost.
    pub(crate) fn count_saved(&self, operation: &'static str, caller: &Caller, answer: &Answer) {
        let spared = !matches!(answer.status, Status::Miss | Status::Bypass);
        if let (true, Some(model)) = (spared && answer.cost.tokens > 0, &self.deps.model) {
            let pico = i64::try_from(answer.cost.pico_usd).unwrap_or(i64::MAX);
            self.deps.meter.ledger().record_saved(&Saved {
                operation,
                model: model.client.model(),
                account: Some(caller.name()),
                tokens: answer.cost.tokens,
                cost: Usd::from_pico(pico),
            });
        }
    }

    /// Chile's time zone.
    pub(crate) fn zone(&self) -> &TimeZone {
        self.today.zone()
    }

    /// Now, to the second.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::try_from(self.deps.clock.now()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Today in Chile: a document's date is a date there, wherever this process runs.
    pub(crate) fn today(&self) -> Date {
        self.today.at(self.deps.clock.now())
    }
}
