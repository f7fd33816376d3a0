//! Budgets, the ledger and what is learned from calls, as a layer around a model.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::{Clock, Store};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use crate::budget::book::Book;
use crate::budget::{Amount, LimitScope, OverLimit};
use crate::detached::Detached;
use crate::pricing::{PriceTable, Priced};
use crate::{
    BudgetLimits, CacheLifetime, Completion, CompletionStream, Error, ErrorKind, LanguageModel,
    Ledger, Prediction, Predictor, Provider, Request, Stage, TokenCounter, TokenEstimate, Usd,
};
use charge::{Charge, Open};
use lessons::Lessons;
use stream::MeteredStream;

mod charge;
mod lessons;
mod stream;

pub use charge::{COST, RESERVATIONS_OPEN};

/// The longest wait for the provider's own count of a request that is near a limit.
const COUNT_TIME: Duration = Duration::from_secs(2);
/// A first event that takes so many times the predicted p95 isn't waited for.
const FIRST_EVENT_FACTOR: u32 = 4;
/// It is waited for so long in any case.
const FIRST_EVENT_FLOOR: Duration = Duration::from_secs(5);

/// Settings of a [`Meter`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MeterConfig {
    /// The limits.
    pub limits: BudgetLimits,
    /// What tokens cost.
    pub prices: PriceTable,
    /// How much of a daily limit a call reserves.
    pub reserve: Reserve,
}

/// How much of a daily limit a call reserves until its real cost is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Reserve {
    /// What 99 calls in 100 like it stay below, and the most that it can cost until a
    /// hundred calls are known. Calls under way together may exceed a daily limit by what one
    /// in a hundred of them takes more.
    #[default]
    Predicted,
    /// The most that it can cost: its answer as long as `max_tokens`. A daily limit is then
    /// exceeded only where the prompt's upper estimate fails.
    Most,
}

/// What metered models share: budgets, ledger, token counts and predictions. Clones are the
/// same meter; processes share budgets and ledger through the store.
#[derive(Debug, Clone)]
pub struct Meter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: MeterConfig,
    book: Arc<Book>,
    ledger: Ledger,
    tokens: TokenCounter,
    predictor: Predictor,
    detached: Detached,
    lessons: Lessons,
    open: Open,
}

impl Meter {
    /// A meter that keeps its counters in a store and its days by a clock. The token
    /// vocabulary is loaded with the first call: who asks no model doesn't pay its memory.
    #[must_use]
    pub fn new(config: MeterConfig, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let book = Arc::new(Book::new(Arc::clone(&store), clock, config.limits.clone()));
        let detached = Detached::new();
        Self(Arc::new(Inner {
            config,
            ledger: Ledger::new(Arc::clone(&book), store, detached.clone()),
            book,
            tokens: TokenCounter::new(),
            predictor: Predictor::new(),
            detached,
            lessons: Lessons::default(),
            open: Open::default(),
        }))
    }

    /// What calls have cost.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// The counter of tokens and what it has learned.
    #[must_use]
    pub fn tokens(&self) -> &TokenCounter {
        &self.0.tokens
    }

    /// What calls will take, by those before them.
    #[must_use]
    pub fn predictor(&self) -> &Predictor {
        &self.0.predictor
    }

    /// What tokens cost.
    #[must_use]
    pub fn prices(&self) -> &PriceTable {
        &self.0.config.prices
    }

    /// What a request to a model is predicted to take: for a limit on its first byte, for
    /// `Server-Timing`, for debugging.
    #[must_use]
    pub fn predict(&self, model: &str, request: &Request) -> Prediction {
        let estimate = self.0.tokens.by_characters(model, request);
        self.predict_for(model, request, &estimate)
    }

    /// Reservations of calls under way, not yet settled, in this process.
    #[must_use]
    pub fn open_reservations(&self) -> usize {
        self.0.open.count()
    }

    /// Waits until every call that has ended is settled and in the ledger. For the end of
    /// the process, and for tests.
    pub async fn settled(&self) {
        self.0.ledger.flush().await;
    }

    fn predict_for(&self, model: &str, request: &Request, estimate: &TokenEstimate) -> Prediction {
        self.0.predictor.predict(
            request.operation(),
            model,
            estimate.expected,
            request.max_tokens(),
        )
    }
}

/// A layer that lets a call through only within its budgets, and books what it took.
///
/// It sits right around the provider, inside of retries: every attempt is a call of its own.
///
/// # What it does
///
/// 1. Bounds the request's tokens by its characters; counts them by the public tokenizer only
///    where that bound is over a limit on one request or a daily limit has nothing better to go
///    by, and has the provider count only where the tokenizer's bound is over a limit and its
///    estimate isn't far over.
/// 2. Refuses with [`ErrorKind::Budget`] what exceeds a limit, and
///    says by how much ([`Error::over_limit`]).
/// 3. Reserves in the store, atomically over all processes, before the call.
/// 4. Books it in the [`Ledger`] and settles what was reserved right after, in a task of its
///    own, however the call ended: with the provider's figures; by what had come, for a stream that was dropped or broke off; by an upper
///    estimate where a call was dropped or timed out after it may have reached the model; with
///    nothing where it can't have.
///
/// A stream whose first event takes longer than four times what 95 in 100 calls like it take
/// (and 5 s at least) is given up as a time-out of the first byte: what the provider's own limit
/// of time would wait for much longer, it hardly ever gets.
///
/// A process that dies leaves its reservations open; they are given back half an hour later
/// by whoever meets the limit.
///
/// With the store away the daily limits hold for each process by itself, and what can't be
/// booked is lost and counted ([`LEDGER_LOST`](crate::LEDGER_LOST)): money is counted at most
/// once.
#[derive(Clone)]
pub struct Metered {
    inner: Arc<dyn LanguageModel>,
    meter: Meter,
    priced: Priced,
}

impl Metered {
    /// Meters a model. Warns where its price isn't known ([`PriceTable::announce`]).
    #[must_use]
    pub fn new(inner: Arc<dyn LanguageModel>, meter: Meter) -> Self {
        let priced = meter.prices().announce(inner.model());
        Self {
            inner,
            meter,
            priced,
        }
    }

    /// Lets a call in, or says which limit it exceeds.
    async fn admit(&self, request: &Request) -> Result<Charge, Error> {
        let Meter(meter) = &self.meter;
        let account = request.account().map(|account| &**account);
        let limited = meter.book.is_limited(account);
        let (estimate, prediction) = self.foresee(request, limited).await;
        if let Some(over) = self.over(request, estimate.upper) {
            return Err(over.into());
        }
        let most = self.most(request, estimate.upper);
        let reserved = self
            .likely_cost(&prediction)
            .map_or(most, |cost| cost.min(most));
        let mut charge = Charge::new(self, request, estimate, prediction);
        if limited {
            return self.reserve(charge, reserved).await;
        }
        charge.reserve(reserved).await?;
        Ok(charge)
    }

    /// What the call will take. The characters bound its tokens, in no time; the tokenizer
    /// counts where that bound is over a limit or is all that a reservation goes by, and the
    /// provider where the tokenizer's bound is over as well.
    async fn foresee(&self, request: &Request, limited: bool) -> (TokenEstimate, Prediction) {
        let model = self.inner.model();
        let tokens = &self.meter.0.tokens;
        let mut estimate = tokens.by_characters(model, request);
        let prediction = self.meter.predict_for(model, request, &estimate);
        let unforeseen = limited && self.likely_cost(&prediction).is_none();
        if unforeseen || self.over(request, estimate.upper).is_some() {
            estimate = tokens.estimate(model, request);
        }
        if self.over(request, estimate.upper).is_some() {
            self.count_exactly(request, &mut estimate).await;
        }
        (estimate, prediction)
    }

    /// What is reserved instead of the most that a call may cost.
    fn likely_cost(&self, prediction: &Prediction) -> Option<Usd> {
        match self.meter.0.config.reserve {
            Reserve::Predicted => prediction.cost.p99,
            Reserve::Most => None,
        }
    }

    /// Reserves in a task of its own: for a call that is dropped meanwhile it goes on, finds
    /// nobody who takes the reservation, and gives it back.
    async fn reserve(&self, mut charge: Charge, cost: Usd) -> Result<Charge, Error> {
        let Some(under_way) = self.meter.0.detached.track() else {
            return Err(Error::new(ErrorKind::Saturated));
        };
        let (give, reserved) = oneshot::channel();
        Handle::current().spawn(async move {
            let outcome = charge.reserve(cost).await.map(|()| charge);
            drop(give.send(outcome));
            drop(under_way);
        });
        // The task answers unless the runtime is shutting down.
        let cancelled = |_| Err(Error::new(ErrorKind::Cancelled));
        reserved.await.unwrap_or_else(cancelled)
    }

    /// The limit on one request that it would exceed with so many input tokens.
    fn over(&self, request: &Request, input: u64) -> Option<OverLimit> {
        let limits = self.meter.0.book.limits();
        let tokens = input.saturating_add(u64::from(request.max_tokens()));
        let over = |scope, limit, wanted, used| OverLimit {
            scope,
            limit,
            used,
            wanted,
            resets_after: None,
        };
        let by_tokens = limits.request_tokens.filter(|limit| tokens > *limit);
        let by_tokens = by_tokens.map(|limit| {
            over(
                LimitScope::RequestTokens,
                Amount::Tokens(limit),
                Amount::Tokens(tokens),
                Amount::Tokens(0),
            )
        });
        let cost = self.most(request, input);
        let by_cost = limits.request_cost.filter(|limit| cost > *limit);
        let by_cost = by_cost.map(|limit| {
            over(
                LimitScope::RequestCost,
                Amount::Dollars(limit),
                Amount::Dollars(cost),
                Amount::Dollars(Usd::ZERO),
            )
        });
        by_tokens.or(by_cost)
    }

    /// Asks the provider for its own count, unless even half of what is expected is over.
    async fn count_exactly(&self, request: &Request, estimate: &mut TokenEstimate) {
        if self.over(request, estimate.expected / 2).is_some() {
            return;
        }
        let limit = Instant::now() + COUNT_TIME;
        let limit = request.deadline().map_or(limit, |at| at.min(limit));
        let counted = timeout_at(limit, self.inner.count_tokens(request)).await;
        if let Ok(Ok(Some(tokens))) = counted {
            estimate.expected = tokens;
            estimate.upper = tokens;
        }
    }

    fn most(&self, request: &Request, input: u64) -> Usd {
        let marks = request.system().iter().filter_map(|block| block.cache());
        // Marks for an hour come first, and are the dearer ones.
        let dearest = marks.reduce(|first, next| match first {
            CacheLifetime::OneHour => first,
            CacheLifetime::FiveMinutes => next,
        });
        let output = u64::from(request.max_tokens());
        self.priced.prices.most(input, output, dearest)
    }
}

#[async_trait]
impl LanguageModel for Metered {
    fn provider(&self) -> Provider {
        self.inner.provider()
    }

    fn model(&self) -> &str {
        self.inner.model()
    }

    fn origin(&self) -> &str {
        self.inner.origin()
    }

    async fn complete(&self, request: &Request) -> Result<Completion, Error> {
        let mut charge = self.admit(request).await?;
        charge.begin();
        let result = self.inner.complete(request).await;
        match &result {
            Ok(completion) => charge.settle(completion.usage),
            Err(error) => charge.fail(error),
        }
        result
    }

    async fn stream(&self, request: &Request) -> Result<CompletionStream, Error> {
        let mut charge = self.admit(request).await?;
        charge.begin();
        let limit = charge.first_event_limit();
        let begun = match timeout(limit, self.inner.stream(request)).await {
            Ok(begun) => begun,
            Err(_) => {
                let stage = Stage::FirstByte;
                Err(Error::new(ErrorKind::Timeout { stage }))
            }
        };
        match begun {
            Ok(events) => {
                charge.first_event();
                let metered = MeteredStream::new(events, charge);
                Ok(CompletionStream::new(metered, request))
            }
            Err(error) => {
                charge.fail(&error);
                Err(error)
            }
        }
    }

    async fn count_tokens(&self, request: &Request) -> Result<Option<u64>, Error> {
        self.inner.count_tokens(request).await
    }
}

impl fmt::Debug for Metered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metered")
            .field("inner", &self.inner)
            .field("priced", &self.priced)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
