//! The names of the metrics and of their labels, and their buckets.

/// Histogram, seconds: how long calls take. Labels [`OPERATION`], [`PROVIDER`], [`MODEL`],
/// and [`ERROR_TYPE`] on the failed ones ([`ErrorKind::as_str`](crate::ErrorKind::as_str); `cancelled` for a call that
/// was dropped).
pub const OPERATION_DURATION: &str = "gen_ai.client.operation.duration";

/// Buckets of [`OPERATION_DURATION`], in seconds: 0.01 doubling to 81.92.
pub const OPERATION_DURATION_BUCKETS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// Histogram, tokens: tokens per call. Labels as above, and [`TOKEN_TYPE`], `input` (cached
/// ones included, as the conventions want it) or `output`.
pub const TOKEN_USAGE: &str = "gen_ai.client.token.usage";

/// Buckets of [`TOKEN_USAGE`]: powers of 4.
pub const TOKEN_USAGE_BUCKETS: [f64; 14] = [
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
];

/// Counter, tokens: the prompt by what the provider's cache did with it. Labels
/// [`PROVIDER`], [`MODEL`], and `cache`: `none`, `read`, `write_5m` or `write_1h`. The prompt
/// hit rate is `read` over the sum.
pub const PROMPT_TOKENS: &str = "llm_prompt_tokens_total";

/// Histogram, seconds: from the start of a streamed call to its first text. Labels
/// [`OPERATION`], [`PROVIDER`], [`MODEL`].
pub const TIME_TO_FIRST_CHUNK: &str = "gen_ai.client.operation.time_to_first_chunk";

/// Buckets of [`TIME_TO_FIRST_CHUNK`], in seconds.
pub const TIME_TO_FIRST_CHUNK_BUCKETS: [f64; 16] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Histogram, seconds: from one piece of a streamed text to the next, as the reader gets
/// them. Labels as [`TIME_TO_FIRST_CHUNK`].
pub const TIME_PER_OUTPUT_CHUNK: &str = "gen_ai.client.operation.time_per_output_chunk";

/// Buckets of [`TIME_PER_OUTPUT_CHUNK`], in seconds.
pub const TIME_PER_OUTPUT_CHUNK_BUCKETS: [f64; 13] = [
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
];

/// Counter: calls made again. Labels [`PROVIDER`], [`MODEL`], and [`ERROR_TYPE`], the failure
/// before.
pub const RETRIES: &str = "llm_retries_total";

/// Counter: failed calls that might have passed but weren't made again. Labels [`PROVIDER`],
/// [`MODEL`], and `reason`: `attempts` (there were enough), `deadline` (the wait would have
/// ended too late) or `budget` (too many retries of late).
pub const RETRIES_GIVEN_UP: &str = "llm_retries_given_up_total";

/// Counter: calls for which the second model was asked. Labels [`PROVIDER`] and [`MODEL`] of
/// the first, and [`ERROR_TYPE`], its failure.
pub const FALLBACKS: &str = "llm_fallbacks_total";

/// Counter: changes of a breaker. Labels [`PROVIDER`], [`MODEL`], `to` (`open`, `half_open`,
/// `closed`, and for its gate `gated`, `ungated`) and `cause` (`failures`, `probe`, `shared`,
/// `time`, `rate_limited`, `spend_limit`).
pub const BREAKER_TRANSITIONS: &str = "llm_breaker_transitions_total";

/// Gauge: 0 for a closed breaker, 1 for a half-open one, 2 for an open one. Labels
/// [`PROVIDER`], [`MODEL`]. It is there from the breaker's first change on.
pub const BREAKER_STATE: &str = "llm_breaker_state";

/// Label: `chat`, or `count_tokens` for a count by the provider.
pub const OPERATION: &str = "gen_ai.operation.name";
/// Label: who runs the model.
pub const PROVIDER: &str = "gen_ai.provider.name";
/// Label: the model that was asked.
pub const MODEL: &str = "gen_ai.request.model";
/// Label: `input` or `output`.
pub const TOKEN_TYPE: &str = "gen_ai.token.type";
/// Label: the kind of a failure.
pub const ERROR_TYPE: &str = "error.type";
