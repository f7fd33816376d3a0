//! What is computed once for all who ask, wherever they are: its value, or who may make it; and its
//! end. In one trip where the engine can, else in these steps.

use std::time::Duration;

use bytes::Bytes;

use crate::{Lease, Store, StoreError};

/// The answer to [`Store::get_or_lease`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueOrLease {
    /// The value is there; nothing was asked of the lease.
    Value(Bytes),
    /// There is none: who may make it.
    Lease(Lease),
}

/// What [`Store::conclude`] does.
#[derive(Debug, Clone)]
pub struct Conclusion<'a> {
    /// The lease, and the channel.
    pub lease: &'a str,
    /// Who gives it up.
    pub owner: &'a str,
    /// What is put under which key, and for how long; if anything.
    pub value: Option<(&'a str, Bytes, Duration)>,
    /// What is told.
    pub message: Bytes,
}

/// [`Store::get_or_lease`] in several trips.
pub(crate) async fn get_or_lease(
    store: &(impl Store + ?Sized),
    key: &str,
    lease: &str,
    owner: &str,
    lifetime: Duration,
) -> Result<ValueOrLease, StoreError> {
    if let Some(value) = store.get(key).await? {
        return Ok(ValueOrLease::Value(value));
    }
    let answer = store.acquire_lease(lease, owner, lifetime).await?;
    // Who had it before may have put a value between our two questions.
    if let Lease::Granted { first: false, .. } = answer
        && let Some(value) = store.get(key).await?
    {
        store.release_lease(lease, owner).await?;
        return Ok(ValueOrLease::Value(value));
    }
    Ok(ValueOrLease::Lease(answer))
}

/// [`Store::conclude`] in several trips.
pub(crate) async fn conclude(
    store: &(impl Store + ?Sized),
    conclusion: Conclusion<'_>,
) -> Result<(), StoreError> {
    let put = match conclusion.value {
        Some((key, value, lifetime)) => store.set(key, value, Some(lifetime)).await,
        None => Ok(()),
    };
    // Who is told to try finds it free.
    store
        .release_lease(conclusion.lease, conclusion.owner)
        .await?;
    store.publish(conclusion.lease, conclusion.message).await?;
    put
}
