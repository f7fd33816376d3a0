//! What the metrics of the layers are called to whoever reads them.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use crate::budget::{BUDGET_ABANDONED, BUDGET_LOCAL, BUDGET_REFUSALS};
use crate::concurrency::{
    CONCURRENCY_IN_FLIGHT, CONCURRENCY_LIMIT, CONCURRENCY_QUEUE, CONCURRENCY_REFUSALS,
    CONCURRENCY_WAIT,
};
use crate::ledger::LEDGER_LOST;
use crate::metered::{COST, RESERVATIONS_OPEN};
use crate::prediction::PREDICTION_CALIBRATION_ERROR;
use crate::prefix::{PROMPT_CACHE_HIT_RATE, PROMPT_CACHE_SAVED, PROMPT_CACHE_WAITS};
use crate::pricing::{PRICE_KNOWN, PRICE_TABLE_DATE};
use crate::tokens::{TOKEN_CORRECTION, TOKEN_ERROR};

const COUNTERS: [(&str, &str); 7] = [
    (COST, "Cost of model calls in nano-dollars"),
    (BUDGET_REFUSALS, "Model calls refused by a budget"),
    (BUDGET_LOCAL, "Reservations decided without the store"),
    (BUDGET_ABANDONED, "Reservations given back unsettled"),
    (LEDGER_LOST, "Bookings that the store didn't take"),
    (CONCURRENCY_REFUSALS, "Model calls refused by the queue"),
    (PROMPT_CACHE_WAITS, "Calls that waited for a prefix"),
];

const GAUGES: [(&str, &str); 11] = [
    (RESERVATIONS_OPEN, "Reservations of calls under way"),
    (CONCURRENCY_LIMIT, "Model calls allowed at once"),
    (CONCURRENCY_IN_FLIGHT, "Model calls under way"),
    (CONCURRENCY_QUEUE, "Model calls that wait"),
    (TOKEN_CORRECTION, "Learned factor on token estimates"),
    (TOKEN_ERROR, "Recent error of token estimates, as a share"),
    (
        PREDICTION_CALIBRATION_ERROR,
        "How often a predicted quantile held, less the quantile",
    ),
    (
        PROMPT_CACHE_HIT_RATE,
        "Share of prompt tokens read from the provider's cache",
    ),
    (PROMPT_CACHE_SAVED, "Dollars saved by the provider's cache"),
    (PRICE_KNOWN, "Whether a model's price is known"),
    (PRICE_TABLE_DATE, "Date of the price table, Unix seconds"),
];

/// Describes them to the installed recorder.
pub(crate) fn describe() {
    for (name, text) in COUNTERS {
        describe_counter!(name, Unit::Count, text);
    }
    for (name, text) in GAUGES {
        describe_gauge!(name, text);
    }
    describe_histogram!(
        CONCURRENCY_WAIT,
        Unit::Seconds,
        "Time that model calls waited for a place"
    );
}
