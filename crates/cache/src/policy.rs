//! What a call allows: its times, what may be served late, who shares an error.

use std::time::Duration;

/// How long a call may take, how long its answer lives, and what may be served instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long the caller waits for an answer, whoever computes it. For a stream: how long a
    /// reader waits for the beginning, and then for each event.
    pub wait: Duration,
    /// How long one computation may run before it is dropped. It is apart from `wait`: a
    /// computation outlives callers that gave up, but it can't hold its key for ever.
    pub compute_limit: Duration,
    /// How long an answer is fresh.
    pub lifetime: Lifetime,
    /// How long after its lifetime an answer may still be served at once, as
    /// [`crate::Status::Stale`], while one computation renews it. Zero: never.
    pub stale_while_revalidate: Duration,
    /// How long after its lifetime an answer may still be served, as
    /// [`crate::Status::Stale`], if a new one can't be had: the computation failed, or the
    /// caller's time is over. Zero: never.
    pub stale_if_error: Duration,
    /// Whether hits shortly before the end of a lifetime may renew the answer beforehand (see
    /// [`Policy::refresh_early`]).
    pub refresh_early: bool,
    /// What a stream does when its last reader has gone. Other computations always finish.
    pub when_alone: WhenAlone,
    /// Whether the answer stays in this process: neither the store nor another replica is asked
    /// for it (see [`Policy::memory_only`]).
    pub memory_only: bool,
}

impl Policy {
    /// What [`Policy::new`] gives a computation.
    pub const DEFAULT_COMPUTE_LIMIT: Duration = Duration::from_secs(120);

    /// Waits for `wait`; computations may take [`Policy::DEFAULT_COMPUTE_LIMIT`]; lifetimes as
    /// the computation says; nothing stale, nothing early; streams finish alone.
    #[must_use]
    pub const fn new(wait: Duration) -> Self {
        Self {
            wait,
            compute_limit: Self::DEFAULT_COMPUTE_LIMIT,
            lifetime: Lifetime::Fixed,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            refresh_early: false,
            when_alone: WhenAlone::Finish,
            memory_only: false,
        }
    }

    /// The same with another limit for the computation.
    #[must_use]
    pub const fn compute_limit(mut self, limit: Duration) -> Self {
        self.compute_limit = limit;
        self
    }

    /// The same with lifetimes that follow the measured hit rate, up to `max`.
    #[must_use]
    pub const fn adaptive(mut self, max: Duration) -> Self {
        self.lifetime = Lifetime::Adaptive { max };
        self
    }

    /// The same, serving what is over for `window` while it is renewed.
    #[must_use]
    pub const fn stale_while_revalidate(mut self, window: Duration) -> Self {
        self.stale_while_revalidate = window;
        self
    }

    /// The same, serving what is over for `window` where a new answer can't be had.
    #[must_use]
    pub const fn stale_if_error(mut self, window: Duration) -> Self {
        self.stale_if_error = window;
        self
    }

    /// The same, renewing beforehand: each hit near the end renews with a probability that
    /// grows with the time that the answer took to compute (XFetch, Vattani et al. 2015), so
    /// that a hot key never expires and replicas don't all renew it in one moment. One of them
    /// does; the hit itself is served at once. It costs a computation that nobody may ask for.
    #[must_use]
    pub const fn refresh_early(mut self) -> Self {
        self.refresh_early = true;
        self
    }

    /// The same, ending a stream when nobody has read it for `grace`.
    #[must_use]
    pub const fn cancel_when_alone(mut self, grace: Duration) -> Self {
        self.when_alone = WhenAlone::CancelAfter(grace);
        self
    }

    /// The same in this process alone: for what is computed sooner than the store answers. It is
    /// coalesced with calls here and kept in the first tier. A stream has no such thing.
    #[must_use]
    pub const fn memory_only(mut self) -> Self {
        self.memory_only = true;
        self
    }

    /// How long an answer is of any use after its lifetime.
    pub(crate) fn stale_window(&self) -> Duration {
        self.stale_while_revalidate.max(self.stale_if_error)
    }
}

/// How long an answer is fresh, within what its computation and the configuration allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Lifetime {
    /// As long as its computation says ([`crate::Keep::For`]).
    #[default]
    Fixed,
    /// As the hit rate of the key's operation and class earns it
    /// ([`crate::AdaptiveConfig`]), at most `max` and at most what its computation says.
    Adaptive {
        /// The operation's maximum.
        max: Duration,
    },
}

/// What a stream's computation does when nobody reads it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenAlone {
    /// It goes on to its end and is kept.
    #[default]
    Finish,
    /// It is dropped unless somebody joins within this time.
    CancelAfter(Duration),
}

/// What a call may do with what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Read, else compute and keep.
    #[default]
    Normal,
    /// Don't read; compute and keep (`Cache-Control: no-cache`). It joins a computation that
    /// is running, since that reads nothing either, and makes a flight that is still reading
    /// compute instead: an answer from before the call is never returned, and there is still
    /// one computation per key at a time.
    Refresh,
    /// Neither read nor keep (`Cache-Control: no-store`). Nobody joins it, it joins nobody,
    /// and it ends with its caller.
    Bypass,
}

/// Who shares a computation's error, besides the caller that began it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sharing {
    /// Nobody: asking again may help. Who waits tries itself, one for all, once: at most two
    /// computations for those who asked together.
    Nobody,
    /// Everybody who waits in this process. Other replicas try themselves. This is what
    /// [`crate::Cache::get_or_compute`] takes every error for.
    Process,
    /// Everybody, as asking again can't help. The error itself stays in this process; other
    /// replicas' callers get [`crate::CacheError::Elsewhere`] with this code.
    Everywhere(u16),
}

/// How a computation's errors are shared: a function of the caller's error type.
pub type Classify<E> = fn(&E) -> Sharing;
