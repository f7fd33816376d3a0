//! One computation over all replicas: how a flight finds out whether it computes, and what
//! the replicas tell each other.
//!
//! ```text
//!        ┌────────── claim the lease ──────────┬──────────────┐
//!     granted                    held        away (no     granted, and nobody
//!        ▼                        ▼          answer)      had it before, or found
//!        │                        │             │         nothing in the same trip
//!   look again ◀─granted─ listen, then: ◀─┐     ▼              ▼
//!    │      │             claim again     │   alone: as if    lead
//!  found   lead            │ held         │   there were no
//!                          │              │   replicas
//!                          ▼              │
//!                   wait for what is told ┤ nothing told (a moment passed, the lease may
//!                          │              │ have ended), or told to look or to try
//!              an answer, or a final error┘
//! ```
//!
//! The one who leads renews its lease while it computes. When it is done it writes the answer,
//! then tells and releases. If it dies, its lease ends and the next claim is granted. A message
//! may be lost: then the next claim is granted too, and the look after it finds the answer.
//! Listening comes before the second claim, so that no message can fall between them unseen.
//!
//! The protocol is written over [`Peers`], so that a model can play the world (`tests.rs`).

mod message;

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::entry::Entry;

pub(crate) use message::{decode, encode};

/// Failed computations after which those who wait fail instead of trying in their turn.
pub(crate) const MAX_FAILURES: u32 = 2;

/// The answer to a claim of the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is ours, from now until it isn't renewed.
    Granted {
        /// Whether nobody is known to have had it before.
        first: bool,
    },
    /// Somebody else has it, for so long unless it is renewed.
    Held(Duration),
    /// The store gave no answer.
    Away,
}

/// How a computation ended, as told to other replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An answer that is kept.
    Kept(Entry),
    /// An answer for those who wait only.
    Passing(Entry),
    /// An answer that is too large to be told: it is in the store.
    InStore,
    /// No answer, and asking again can't help.
    Final(u16),
    /// No answer; somebody else may try.
    Failed,
}

/// What a flight has to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// Compute: the lease is ours.
    Lead {
        /// How many computations have failed that this flight waited for.
        failures: u32,
    },
    /// Compute: the store is away.
    Alone,
    /// Take what is in the store. The lease is ours.
    Found {
        /// The answer.
        entry: Entry,
        /// Whether it came there while we waited for another replica.
        followed: bool,
    },
    /// Take what another replica told.
    Told(Outcome),
    /// Give up: the time of a computation is over.
    Late,
}

/// What the protocol needs of the world.
pub(crate) trait Peers {
    /// Hears what is told.
    type Ear;

    /// Takes the lease, or renews it if it is ours.
    fn claim(&self) -> impl Future<Output = Claim> + Send;

    /// Begins to listen; nothing if the store doesn't let us.
    fn listen(&self) -> impl Future<Output = Option<Self::Ear>> + Send;

    /// The next outcome told. Nothing after a moment, or when the lease may have ended, which
    /// is in `lease_left`.
    fn hear(
        &self,
        ear: &mut Option<Self::Ear>,
        lease_left: Duration,
    ) -> impl Future<Output = Option<Outcome>> + Send;

    /// What the store has that would answer us.
    fn find(&self) -> impl Future<Output = Option<Entry>> + Send;

    /// Returns when it is time to renew the lease.
    fn beat(&self) -> impl Future<Output = ()> + Send;

    /// Whether waiting has taken as long as a computation may.
    fn is_late(&self) -> bool;
}

/// Finds out what a flight has to do; waits while another replica computes. `claimed` is the first
/// claim's answer where it came with the look that found nothing; `failures` is how many computations
/// have failed already for those who wait.
pub(crate) async fn course<P: Peers>(
    peers: &P,
    claimed: Option<Claim>,
    mut failures: u32,
) -> Course {
    let claimed = match claimed {
        // The look and the claim were one.
        Some(Claim::Granted { .. }) => return Course::Lead { failures },
        Some(claimed) => claimed,
        None => peers.claim().await,
    };
    match claimed {
        // Who comes here has looked. Since then nobody can have computed: whoever had, would have
        // had the lease.
        Claim::Granted { first: true } => return Course::Lead { failures },
        Claim::Granted { first: false } => return granted(peers, failures, false).await,
        Claim::Away => return Course::Alone,
        Claim::Held(_) => {}
    }
    let mut ear = peers.listen().await;
    loop {
        let lease_left = match peers.claim().await {
            Claim::Granted { .. } => return granted(peers, failures, true).await,
            Claim::Away => return Course::Alone,
            Claim::Held(lease_left) => lease_left,
        };
        if peers.is_late() {
            return Course::Late;
        }
        match peers.hear(&mut ear, lease_left).await {
            None | Some(Outcome::InStore) => {}
            Some(Outcome::Failed) => {
                failures += 1;
                if failures >= MAX_FAILURES {
                    return Course::Told(Outcome::Failed);
                }
            }
            Some(outcome) => return Course::Told(outcome),
        }
    }
}

/// Somebody else may have computed until just now.
async fn granted<P: Peers>(peers: &P, failures: u32, followed: bool) -> Course {
    match peers.find().await {
        Some(entry) => Course::Found { entry, followed },
        None => Course::Lead { failures },
    }
}

/// Does `work` and renews the lease meanwhile. If the lease is lost the work goes on: its
/// answer is as good as the other one's.
pub(crate) async fn lead<P: Peers, T>(peers: &P, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        match select(work.as_mut(), pin!(peers.beat())).await {
            Either::Left((done, _)) => return done,
            Either::Right(((), _)) => {}
        }
        match select(work.as_mut(), pin!(peers.claim())).await {
            Either::Left((done, renewal)) => {
                // One that arrived after the release would take the lease anew, for nobody.
                renewal.await;
                return done;
            }
            Either::Right((Claim::Held(_), _)) => return work.await,
            Either::Right((Claim::Granted { .. } | Claim::Away, _)) => {}
        }
    }
}

#[cfg(test)]
mod tests;
