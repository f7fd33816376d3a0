//! The axes of a failure: what went wrong, at which stage, and whose fault it was.

use std::fmt;

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection could be opened: name, TCP or TLS.
    Connect,
    /// An open connection broke before the whole answer had come.
    Connection,
    /// A stream ended before its end, after it had begun. The tokens up to then are spent.
    Interrupted,
    /// A limit of time ran out.
    Timeout {
        /// Which one.
        stage: Stage,
    },
    /// Too many requests or tokens for the account's rate (429).
    RateLimited,
    /// The account's spend limit is reached (429 with `enforced_spend_limit_reached`).
    SpendLimit,
    /// The provider is out of capacity (529).
    Overloaded,
    /// The key is wrong (401).
    Authentication,
    /// The key may not do this (403).
    Permission,
    /// The account's payment has a problem (402).
    Billing,
    /// The provider, or this crate before sending, refuses the request's form (400).
    InvalidRequest,
    /// The model or the path isn't there (404).
    NotFound,
    /// The request is too large (413).
    TooLarge,
    /// The request conflicts with another (409).
    Conflict,
    /// The provider failed (5xx).
    Upstream,
    /// The provider's answer isn't what its API promises: not JSON, a part missing, over the
    /// size limit, a redirect.
    InvalidResponse,
    /// JSON was asked for, and the model's text isn't one JSON value or doesn't fit.
    InvalidOutput,
    /// JSON was asked for, and the model refused to answer.
    Refused,
    /// JSON was asked for, and the answer stopped at a limit of tokens.
    Truncated,
    /// The breaker lets no call through for now: this one was never made.
    CircuitOpen,
    /// The call was given up before it ended. The client itself never returns it, as a
    /// dropped call has nobody to tell: it is the metric's label, and for layers that queue.
    Cancelled,
}

impl ErrorKind {
    /// A stable word, fit for a metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Connection => "connection",
            Self::Interrupted => "interrupted",
            Self::Timeout { stage } => match stage {
                Stage::Connect => "timeout_connect",
                Stage::FirstByte => "timeout_first_byte",
                Stage::Idle => "timeout_idle",
                Stage::Total => "timeout_total",
                Stage::Deadline => "timeout_deadline",
                Stage::Provider => "timeout_provider",
            },
            Self::RateLimited => "rate_limited",
            Self::SpendLimit => "spend_limit",
            Self::Overloaded => "overloaded",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::Billing => "billing",
            Self::InvalidRequest => "invalid_request",
            Self::NotFound => "not_found",
            Self::TooLarge => "too_large",
            Self::Conflict => "conflict",
            Self::Upstream => "upstream",
            Self::InvalidResponse => "invalid_response",
            Self::InvalidOutput => "invalid_output",
            Self::Refused => "refused",
            Self::Truncated => "truncated",
            Self::CircuitOpen => "circuit_open",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whose fault a failure of this kind is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Connect | Self::Connection | Self::Interrupted => Fault::Network,
            Self::Timeout { stage } => match stage {
                Stage::Connect => Fault::Network,
                Stage::FirstByte | Stage::Idle | Stage::Total | Stage::Provider => Fault::Provider,
                Stage::Deadline => Fault::Caller,
            },
            Self::Overloaded
            | Self::Conflict
            | Self::Upstream
            | Self::InvalidResponse
            | Self::InvalidOutput
            | Self::Refused
            | Self::CircuitOpen => Fault::Provider,
            Self::SpendLimit
            | Self::Authentication
            | Self::Permission
            | Self::Billing
            | Self::NotFound => Fault::Configuration,
            Self::RateLimited
            | Self::InvalidRequest
            | Self::TooLarge
            | Self::Truncated
            | Self::Cancelled => Fault::Caller,
        }
    }

    /// Whether a failure of this kind passes by itself. The default is no: what isn't named
    /// here isn't retried. The list is the official clients' (408, 409, 429, 5xx, connection
    /// errors and their time-outs).
    #[must_use]
    pub const fn is_transient(self) -> bool {
        match self {
            Self::Connect
            | Self::Connection
            | Self::Interrupted
            | Self::RateLimited
            | Self::Overloaded
            | Self::Conflict
            | Self::Upstream => true,
            Self::Timeout { stage } => !matches!(stage, Stage::Deadline),
            _ => false,
        }
    }
}

impl ErrorKind {
    /// Whether the same request may succeed with another provider: the failure lies with this
    /// one, its account or the way to it, and not with the request or with what a model made
    /// of it.
    #[must_use]
    pub const fn may_pass_elsewhere(self) -> bool {
        match self {
            Self::Timeout { stage } => !matches!(stage, Stage::Deadline),
            Self::Connect
            | Self::Connection
            | Self::Interrupted
            | Self::RateLimited
            | Self::SpendLimit
            | Self::Overloaded
            | Self::Authentication
            | Self::Permission
            | Self::Billing
            | Self::NotFound
            | Self::Conflict
            | Self::Upstream
            | Self::InvalidResponse
            | Self::CircuitOpen => true,
            _ => false,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "reach the model: no connection",
            Self::Connection => "hear the model out: connection broken",
            Self::Interrupted => "hear the model out: its stream broke off",
            Self::Timeout { stage } => return write!(f, "get an answer in time: {stage}"),
            Self::RateLimited => "call the model: rate limit reached",
            Self::SpendLimit => "call the model: spend limit reached",
            Self::Overloaded => "call the model: provider overloaded",
            Self::Authentication => "call the model: key not accepted",
            Self::Permission => "call the model: not permitted",
            Self::Billing => "call the model: billing problem",
            Self::InvalidRequest => "call the model: invalid request",
            Self::NotFound => "call the model: not found",
            Self::TooLarge => "call the model: request too large",
            Self::Conflict => "call the model: conflicting request",
            Self::Upstream => "call the model: provider failed",
            Self::InvalidResponse => "read the provider's answer: not as its API promises",
            Self::InvalidOutput => "use the model's answer: not the JSON that was asked for",
            Self::Refused => "use the model's answer: it refused",
            Self::Truncated => "use the model's answer: cut off at a token limit",
            Self::CircuitOpen => "call the model: the breaker is open",
            Self::Cancelled => "finish the call: cancelled",
        })
    }
}

/// Which limit of time ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Opening a connection, TLS included.
    Connect,
    /// From an open connection to the answer's headers; of a stream, to its first event.
    FirstByte,
    /// Between one event of a stream and the next.
    Idle,
    /// The whole call, by the client's own limit.
    Total,
    /// The whole call, by the request's deadline.
    Deadline,
    /// The provider's own limit: it answered 408 or 504.
    Provider,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection",
            Self::FirstByte => "no first byte",
            Self::Idle => "nothing more came",
            Self::Total => "not finished",
            Self::Deadline => "past the request's deadline",
            Self::Provider => "the provider itself ran out of time",
        })
    }
}

/// Whose fault a failure is: who has to do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The calling program: what it asked, how much, or how soon it wanted it.
    Caller,
    /// The provider or its model.
    Provider,
    /// Something between here and the provider.
    Network,
    /// The operator: key, account, model name, base URL.
    Configuration,
}

impl Fault {
    /// A stable word, fit for a metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Provider => "provider",
            Self::Network => "network",
            Self::Configuration => "configuration",
        }
    }
}
