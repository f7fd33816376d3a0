//! The spans of a call, for whoever traces; where nobody does, each is a check of one atomic.

use tracing::{Span, info_span};

use crate::CacheKey;

/// The field that says whether a look found something that will do.
pub(crate) const HIT: &str = "cache.hit";

/// A look into the process's memory.
pub(crate) fn l1(key: &CacheKey) -> Span {
    info_span!(
        "cache l1",
        cache.operation = key.operation(),
        cache.hit = false
    )
}

/// A look into the store.
pub(crate) fn l2(key: &CacheKey) -> Span {
    info_span!(
        "cache l2",
        cache.operation = key.operation(),
        cache.hit = false
    )
}

/// A wait for a computation that another call began.
pub(crate) fn wait(key: &CacheKey) -> Span {
    info_span!("cache wait", cache.operation = key.operation())
}
