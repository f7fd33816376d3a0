//! What every engine must do, as checks that drive any [`Store`] through its trait.
//!
//! An engine's own tests implement [`Subject`] and call [`all`]. Each check uses keys of its
//! own, so that one engine can serve all of them, also at the same time, also a second time
//! if its keys are fresh or the lifetimes of the first run are over.
//!
//! Every check panics where the engine breaks the contract, and returns an error only where
//! the engine itself failed.

mod channels;
mod concurrency;
mod counting;
mod lifetimes;
mod once;
mod operations;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{ErrorKind, Store, StoreError};

pub use self::channels::listeners_hear;
pub use self::concurrency::{
    additions_never_exceed, bursts_are_exact, comparing_loses_nothing, increments_sum_exactly,
    one_of_many_gets_the_lease, one_of_many_sets_the_absent,
};
pub use self::counting::{
    additions_go_together, counters_are_read_together, rates_are_limited, values_are_compared,
};
pub use self::lifetimes::{
    counters_keep_their_window, lifetimes_end, lifetimes_follow_the_last_write,
    sets_live_and_die_whole,
};
pub use self::once::{one_of_many_is_to_make_it, what_is_made_once_is_there_for_all};
pub use self::operations::{
    arguments_are_checked, counters_count, kinds_are_kept_apart, leases_exclude, sets_hold_members,
    values_are_kept,
};

/// A lifetime in the checks. They move the clock by parts of it that are far enough apart for
/// an engine whose clock is only roughly ours.
const LIFETIME: Duration = Duration::from_secs(2);
/// Well within [`LIFETIME`], and past its half.
const MOST_OF_IT: Duration = Duration::from_millis(1_200);

/// An engine under test, with a hand on its clock.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The engine.
    fn store(&self) -> Arc<dyn Store>;

    /// Returns when the engine's time is `by` later.
    async fn advance(&self, by: Duration);
}

/// Every check, one after the other.
///
/// # Errors
/// Where the engine failed, rather than misbehaved.
pub async fn all(subject: &dyn Subject) -> Result<(), StoreError> {
    values_are_kept(subject).await?;
    counters_count(subject).await?;
    sets_hold_members(subject).await?;
    leases_exclude(subject).await?;
    kinds_are_kept_apart(subject).await?;
    arguments_are_checked(subject).await?;
    lifetimes_end(subject).await?;
    lifetimes_follow_the_last_write(subject).await?;
    counters_keep_their_window(subject).await?;
    sets_live_and_die_whole(subject).await?;
    values_are_compared(subject).await?;
    counters_are_read_together(subject).await?;
    additions_go_together(subject).await?;
    rates_are_limited(subject).await?;
    listeners_hear(subject).await?;
    increments_sum_exactly(subject).await?;
    additions_never_exceed(subject).await?;
    bursts_are_exact(subject).await?;
    comparing_loses_nothing(subject).await?;
    one_of_many_sets_the_absent(subject).await?;
    one_of_many_gets_the_lease(subject).await?;
    what_is_made_once_is_there_for_all(subject).await?;
    one_of_many_is_to_make_it(subject).await?;
    Ok(())
}

/// Asserts that `result` failed with `kind`, and in a way that fits it.
fn assert_refused<T: std::fmt::Debug>(result: Result<T, StoreError>, kind: ErrorKind) {
    assert_eq!(
        result.as_ref().err().map(StoreError::kind),
        Some(kind),
        "{result:?}"
    );
}
