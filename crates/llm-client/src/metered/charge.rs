//! One call's money: reserved, and settled exactly once, however the call ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{counter, gauge};
use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing::field;

use super::lessons::Lesson;
use super::{FIRST_EVENT_FACTOR, FIRST_EVENT_FLOOR, Inner, Meter, Metered};
use crate::budget::book::Reservation;
use crate::ledger::{Booking, lost_bookings};
use crate::{
    CountMethod, Error, ErrorKind, Observed, Prediction, Prices, Provider, Request, Stage,
    TokenEstimate, Usage, Usd,
};

/// Counter, nano-dollars (10⁻⁹ USD, rounded down): what calls have cost. Labels `provider`,
/// `model`, `operation`. The ledger has the exact sums.
pub const COST: &str = "llm_cost_nanodollars_total";
/// Gauge: reservations of calls under way in this process.
pub const RESERVATIONS_OPEN: &str = "llm_reservations_open";

/// How many reservations are open.
#[derive(Debug, Default, Clone)]
pub(super) struct Open(Arc<AtomicUsize>);

/// One more open reservation, until it is dropped.
#[derive(Debug)]
struct Held(Open);

impl Open {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn hold(&self) -> Held {
        self.0.fetch_add(1, Ordering::Relaxed);
        gauge!(RESERVATIONS_OPEN).increment(1.0);
        Held(self.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
        gauge!(RESERVATIONS_OPEN).decrement(1.0);
    }
}

/// A call that is let in. Dropped unsettled, it is booked by an upper estimate if the call
/// had begun, and given back if it hadn't.
pub(super) struct Charge {
    meter: Arc<Inner>,
    runtime: Handle,
    prices: Prices,
    provider: Provider,
    booking: Booking,
    max_tokens: u32,
    estimate: TokenEstimate,
    prediction: Prediction,
    /// The request, where the tokenizer's count of it is to be compared with the figures.
    lesson: Option<Box<Request>>,
    reservation: Option<(Reservation, Held)>,
    began: Option<Instant>,
    first_event: Option<Instant>,
}

impl Charge {
    /// A call that nothing is reserved for yet. Within a runtime.
    pub(super) fn new(
        metered: &Metered,
        request: &Request,
        estimate: TokenEstimate,
        prediction: Prediction,
    ) -> Self {
        let Meter(meter) = &metered.meter;
        let uncounted = estimate.method == CountMethod::Characters;
        let lesson =
            (uncounted && meter.lessons.due(Instant::now())).then(|| Box::new(request.clone()));
        tracing::debug!(
            model = metered.inner.model(),
            operation = request.operation(),
            input_tokens = estimate.expected,
            output_tokens_p95 = prediction.output_tokens.p95,
            cost_usd_p50 = prediction.cost.p50.map(field::display),
            latency_ms_p50 = prediction.latency.p50.map(millis),
            latency_ms_p95 = prediction.latency.p95.map(millis),
            "a call's prediction"
        );
        Self {
            meter: Arc::clone(meter),
            runtime: Handle::current(),
            prices: metered.priced.prices,
            provider: metered.inner.provider(),
            booking: Booking {
                operation: request.operation(),
                model: metered.inner.model().to_owned(),
                account: request.account().cloned(),
                usage: Usage::default(),
                cost: Usd::ZERO,
                prompt_saved: Usd::ZERO,
            },
            max_tokens: request.max_tokens(),
            estimate,
            prediction,
            lesson,
            reservation: None,
            began: None,
            first_event: None,
        }
    }

    pub(super) async fn reserve(&mut self, cost: Usd) -> Result<(), Error> {
        let account = self.booking.account.as_deref();
        let reservation = self.meter.book.reserve(account, cost).await?;
        self.reservation = Some((reservation, self.meter.open.hold()));
        Ok(())
    }

    /// The call is made now.
    pub(super) fn begin(&mut self) {
        self.began = Some(Instant::now());
    }

    /// The longest wait for the stream's first event; the provider's own limit is another.
    pub(super) fn first_event_limit(&self) -> Duration {
        let usual = self.prediction.first_event.p95;
        usual.map_or(Duration::MAX, |usual| {
            usual
                .saturating_mul(FIRST_EVENT_FACTOR)
                .max(FIRST_EVENT_FLOOR)
        })
    }

    /// The stream's first event is there.
    pub(super) fn first_event(&mut self) {
        self.first_event = Some(Instant::now());
    }

    /// The call ended and used so much.
    pub(super) fn settle(mut self, usage: Usage) {
        self.close(usage);
    }

    /// The call failed: it used what the error says, or what calls that fail so may have.
    pub(super) fn fail(mut self, error: &Error) {
        let usage = error.usage().unwrap_or_else(|| {
            if may_be_billed(error.kind()) {
                self.upper_usage()
            } else {
                Usage::default()
            }
        });
        self.close(usage);
    }

    /// What a call that ended unheard has used, estimated upwards.
    fn upper_usage(&self) -> Usage {
        let output = self.prediction.output_tokens.p95;
        Usage {
            input_tokens: self.estimate.expected,
            output_tokens: output.unwrap_or(u64::from(self.max_tokens)),
            estimated: true,
            ..Usage::default()
        }
    }

    /// Books the figures and learns from them; settles in a task of its own.
    fn close(&mut self, usage: Usage) {
        let Some((reservation, held)) = self.reservation.take() else {
            return;
        };
        if let Some(lesson) = self.learned(&usage) {
            lesson.take_in(&self.meter, &self.runtime);
        }
        let cost = self.prices.cost(&usage);
        self.booking.usage = usage;
        self.booking.cost = cost;
        self.booking.prompt_saved = self.prices.cache_savings(&usage);
        self.count_cost();
        if usage.total() > 0 {
            let ledger = &self.meter.ledger;
            ledger.record(&self.runtime, &reservation.day, &self.booking);
        }
        if !reservation.is_limited() {
            return;
        }
        let meter = Arc::clone(&self.meter);
        let work = async move {
            if meter.book.settle(&reservation, cost).await.is_err() {
                lost_bookings("settlement", 1);
            }
            drop(held);
        };
        if !self.meter.detached.run(&self.runtime, work) {
            lost_bookings("settlement", 1);
        }
    }

    fn count_cost(&self) {
        let nano = u64::try_from(self.booking.cost.pico() / 1_000).unwrap_or(0);
        counter!(COST, "provider" => self.provider.as_str(), "model" => self.booking.model.clone(),
            "operation" => self.booking.operation)
        .increment(nano);
    }

    /// What is to be learned: figures that are the provider's own teach.
    fn learned(&mut self, usage: &Usage) -> Option<Lesson> {
        let began = self.began?;
        if usage.estimated || usage.total() == 0 {
            return None;
        }
        Some(Lesson {
            operation: self.booking.operation,
            model: self.booking.model.clone(),
            estimate: self.estimate,
            request: self.lesson.take().map(|request| *request),
            usage: *usage,
            observed: Observed {
                input_tokens: self.estimate.expected,
                output_tokens: usage.output_tokens,
                latency: began.elapsed(),
                first_event: self.first_event.map(|at| at.duration_since(began)),
                cost: self.prices.cost(usage),
            },
        })
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let usage = match self.began {
            Some(_) => self.upper_usage(),
            None => Usage::default(),
        };
        self.close(usage);
    }
}

/// Whether a call that failed without figures may have been billed: it may have reached the
/// model, and nobody heard how far it got. What the provider refused isn't billed.
fn may_be_billed(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Timeout { stage } => stage != Stage::Connect,
        ErrorKind::Connection
        | ErrorKind::Interrupted
        | ErrorKind::InvalidResponse
        | ErrorKind::InvalidOutput
        | ErrorKind::Refused
        | ErrorKind::Truncated
        | ErrorKind::Cancelled => true,
        _ => false,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
