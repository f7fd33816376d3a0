//! Calls of language models, and what they cost.

use super::words::{MODEL, OPERATION, PROVIDER, gen_ai, words};
use super::{Area, Metric, Unit};

const PART: &str = "a model";

pub(super) const AREA: Area = Area {
    title: "Language models",
    metrics: &[
        Metric::histogram(
            "gen_ai.client.operation.duration",
            Unit::Seconds,
            &[
                0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96,
                81.92,
            ],
            "Duration of calls to a language model",
        )
        .labels(&[
            gen_ai::OPERATION,
            gen_ai::PROVIDER,
            gen_ai::MODEL,
            gen_ai::ERROR_TYPE,
        ]),
        Metric::histogram(
            "gen_ai.client.token.usage",
            Unit::Tokens,
            &[
                1.0,
                4.0,
                16.0,
                64.0,
                256.0,
                1_024.0,
                4_096.0,
                16_384.0,
                65_536.0,
                262_144.0,
                1_048_576.0,
                4_194_304.0,
                16_777_216.0,
                67_108_864.0,
            ],
            "Input and output tokens of a call to a language model",
        )
        .labels(&[
            gen_ai::OPERATION,
            gen_ai::PROVIDER,
            gen_ai::MODEL,
            gen_ai::TOKEN_TYPE,
        ]),
        Metric::histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            Unit::Seconds,
            &[
                0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0,
                7.5, 10.0,
            ],
            "From the start of a streamed call to its first text",
        )
        .labels(&[gen_ai::OPERATION, gen_ai::PROVIDER, gen_ai::MODEL]),
        Metric::histogram(
            "gen_ai.client.operation.time_per_output_chunk",
            Unit::Seconds,
            &[
                0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
            ],
            "From one piece of a streamed text to the next",
        )
        .labels(&[gen_ai::OPERATION, gen_ai::PROVIDER, gen_ai::MODEL]),
        Metric::counter(
            "llm_prompt_tokens_total",
            Unit::Tokens,
            "Prompt tokens by what the provider's prompt cache did with them",
        )
        .labels(&[
            gen_ai::PROVIDER,
            gen_ai::MODEL,
            words("cache", &["none", "read", "write_5m", "write_1h"]),
        ]),
        Metric::counter(
            "llm_retries_total",
            Unit::Count,
            "Calls that were made again",
        )
        .labels(&[gen_ai::PROVIDER, gen_ai::MODEL, gen_ai::ERROR_TYPE]),
        Metric::counter(
            "llm_retries_given_up_total",
            Unit::Count,
            "Failed calls that might have passed but weren't made again",
        )
        .labels(&[
            gen_ai::PROVIDER,
            gen_ai::MODEL,
            words("reason", &["attempts", "deadline", "budget"]),
        ]),
        Metric::counter(
            "llm_fallbacks_total",
            Unit::Count,
            "Calls for which the second model was asked",
        )
        .labels(&[gen_ai::PROVIDER, gen_ai::MODEL, gen_ai::ERROR_TYPE]),
        Metric::counter(
            "llm_breaker_transitions_total",
            Unit::Count,
            "Changes of the breaker in front of a model",
        )
        .labels(&[
            gen_ai::PROVIDER,
            gen_ai::MODEL,
            words("to", &["open", "half_open", "closed", "gated", "ungated"]),
            words(
                "cause",
                &[
                    "failures",
                    "probe",
                    "shared",
                    "time",
                    "rate_limited",
                    "spend_limit",
                ],
            ),
        ]),
        Metric::gauge(
            "llm_breaker_state",
            Unit::State,
            "Breaker in front of a model: 0 closed, 1 half-open, 2 open; there from its first \
             change on",
        )
        .labels(&[gen_ai::PROVIDER, gen_ai::MODEL]),
        Metric::counter(
            "llm_cost_nanodollars_total",
            Unit::NanoDollars,
            "Cost of model calls in 1e-9 US dollars",
        )
        .labels(&[PROVIDER, MODEL, OPERATION]),
        Metric::counter(
            "llm_budget_refusals_total",
            Unit::Count,
            "Model calls refused by a budget",
        )
        .labels(&[words(
            "scope",
            &["request_tokens", "request_cost", "account_day", "total_day"],
        )]),
        Metric::counter(
            "llm_budget_local_total",
            Unit::Count,
            "Reservations decided without the store",
        ),
        Metric::counter(
            "llm_budget_abandoned_total",
            Unit::Count,
            "Reservations given back unsettled",
        ),
        Metric::gauge(
            "llm_reservations_open",
            Unit::Count,
            "Reservations of calls under way",
        ),
        Metric::counter(
            "llm_ledger_lost_total",
            Unit::Count,
            "Bookings that the store didn't take",
        )
        .labels(&[super::Label {
            name: "what",
            values: super::Values::Bounded {
                what: "kinds of bookings",
                max: 8,
            },
        }]),
        Metric::gauge(
            "llm_concurrency_limit",
            Unit::Count,
            "Model calls allowed at once",
        )
        .labels(&[PROVIDER, MODEL])
        .with(PART),
        Metric::gauge(
            "llm_concurrency_in_flight",
            Unit::Count,
            "Model calls under way",
        )
        .labels(&[PROVIDER, MODEL])
        .with(PART),
        Metric::gauge(
            "llm_concurrency_queue",
            Unit::Count,
            "Model calls that wait",
        )
        .labels(&[PROVIDER, MODEL])
        .with(PART),
        Metric::histogram(
            "llm_concurrency_wait_seconds",
            Unit::Seconds,
            &[
                0.000_1, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
            ],
            "Time that model calls waited for a place",
        )
        .labels(&[PROVIDER, MODEL]),
        Metric::counter(
            "llm_concurrency_refusals_total",
            Unit::Count,
            "Model calls refused by the queue",
        )
        .labels(&[
            PROVIDER,
            MODEL,
            words("reason", &["full", "deadline", "expired"]),
        ]),
        Metric::counter(
            "llm_prompt_cache_waits_total",
            Unit::Count,
            "Calls that waited for the call that writes their prompt's prefix",
        )
        .labels(&[PROVIDER, MODEL, words("outcome", &["warm", "expired"])]),
        Metric::gauge(
            "llm_prompt_cache_hit_rate",
            Unit::Ratio,
            "Share of prompt tokens read from the provider's cache",
        )
        .labels(&[PROVIDER, MODEL]),
        Metric::gauge(
            "llm_prompt_cache_saved_usd",
            Unit::Dollars,
            "Dollars saved by the provider's cache, less what its writes cost",
        )
        .labels(&[PROVIDER, MODEL]),
        Metric::gauge(
            "llm_prediction_calibration_error",
            Unit::Ratio,
            "How often a predicted quantile held, less the quantile",
        )
        .labels(&[
            OPERATION,
            MODEL,
            words(
                "quantity",
                &["output_tokens", "latency", "first_event", "cost"],
            ),
            words("quantile", &["0.5", "0.95", "0.99"]),
        ]),
        Metric::gauge(
            "llm_token_estimate_correction",
            Unit::Ratio,
            "Learned factor on token estimates",
        )
        .labels(&[MODEL]),
        Metric::gauge(
            "llm_token_estimate_error",
            Unit::Ratio,
            "Recent error of token estimates, as a share of the provider's figures",
        )
        .labels(&[MODEL]),
        Metric::gauge(
            "llm_price_known",
            Unit::State,
            "Whether a model's price is known: 1, or 0",
        )
        .labels(&[MODEL])
        .with(PART),
        Metric::gauge(
            "llm_price_table_date_seconds",
            Unit::Seconds,
            "Date of the price table, in seconds since 1970",
        )
        .with(PART),
    ],
};
