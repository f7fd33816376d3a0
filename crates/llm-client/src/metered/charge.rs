//! One call's money: reserved, and settled exactly once, however the call ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::{counter, gauge};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::{Inner, Meter, Metered};
use crate::budget::book::Reservation;
use crate::ledger::{Booking, lost_bookings};
use crate::{
    Error, ErrorKind, Observed, Prediction, Prices, Provider, Request, Stage, TokenEstimate, Usage,
    Usd,
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

    /// Learns from the figures, and writes them down in a task of its own.
    fn close(&mut self, usage: Usage) {
        let Some((reservation, held)) = self.reservation.take() else {
            return;
        };
        self.learn(&usage);
        let mut booking = self.booking.clone();
        booking.usage = usage;
        booking.cost = self.prices.cost(&usage);
        booking.prompt_saved = self.prices.cache_savings(&usage);
        let nano = u64::try_from(booking.cost.pico() / 1_000).unwrap_or(0);
        counter!(COST, "provider" => self.provider.as_str(), "model" => booking.model.clone(),
            "operation" => booking.operation)
        .increment(nano);
        let meter = Arc::clone(&self.meter);
        let lost = booking.usage.total() > 0;
        let work = async move {
            let entries = if booking.usage.total() > 0 {
                meter.ledger.entries(&reservation.day, &booking).await
            } else {
                Vec::new()
            };
            let settled = meter.book.settle(&reservation, booking.cost, &entries);
            if settled.await.is_err() {
                lost_bookings("call", 1);
            }
            drop(held);
        };
        if !self.meter.detached.run(&self.runtime, work) && lost {
            lost_bookings("call", 1);
        }
    }

    /// Figures that are the provider's own teach.
    fn learn(&self, usage: &Usage) {
        let Some(began) = self.began else {
            return;
        };
        if usage.estimated || usage.total() == 0 {
            return;
        }
        let model = self.booking.model.as_str();
        self.meter.tokens.observe(model, &self.estimate, usage);
        let observed = Observed {
            input_tokens: self.estimate.expected,
            output_tokens: usage.output_tokens,
            latency: began.elapsed(),
            first_event: self.first_event.map(|at| at.duration_since(began)),
            cost: self.prices.cost(usage),
        };
        self.meter
            .predictor
            .observe(self.booking.operation, model, &observed);
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
