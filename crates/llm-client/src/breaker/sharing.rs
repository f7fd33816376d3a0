//! One breaker for all replicas, by way of the store, and never in a call's way.
//!
//! A task looks into the store at intervals, and at once where there is something to tell.
//! Under the breaker's key is `open` for as long as the breaker is to stay open, then nothing,
//! then `closed` for a while once a probe has succeeded. Who probes holds a lease. All
//! lifetimes run on the store's clock, so that the replicas' clocks needn't agree. With the
//! store away each replica goes by what it sees itself.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use store::{Lease, Store, StoreError, TimeLeft};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::state::{Phase, Shared, Told};
use super::{Core, Limit};

const OPEN: &[u8] = b"open";
const CLOSED: &[u8] = b"closed";
/// How long a look into the store may take: a store that hangs is away.
const STORE_PATIENCE: Duration = Duration::from_secs(1);
/// How long the others can read that a probe has succeeded.
const CLOSED_FOR: Duration = Duration::from_secs(60);
/// How long a replica may take over its probe before another one may try.
const PROBE_LEASE: Duration = Duration::from_secs(30);
/// The part of an origin that makes it into a key.
const MAX_ORIGIN: usize = 200;

/// Keeps a breaker in step with other replicas' until it is dropped.
#[derive(Debug)]
pub struct Sharing(JoinHandle<()>);

impl Drop for Sharing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn spawn(core: Arc<Core>, store: Arc<dyn Store>, every: Duration) -> Sharing {
    let keys = Keys::of(&core);
    let owner = uuid::Uuid::new_v4().to_string();
    let link = Link {
        core,
        store,
        keys,
        owner,
    };
    Sharing(tokio::spawn(link.run(every)))
}

struct Keys {
    state: String,
    probe: String,
    gate: String,
}

impl Keys {
    fn of(core: &Core) -> Self {
        let visible = |c: char| if c.is_ascii_graphic() { c } else { '_' };
        let origin: String = core.origin.chars().take(MAX_ORIGIN).map(visible).collect();
        let base = format!("llm-breaker:{}:{}:{origin}", core.provider, core.model);
        Self {
            state: format!("{base}:state"),
            probe: format!("{base}:probe"),
            gate: format!("{base}:gate"),
        }
    }
}

/// What the store says.
enum Seen {
    Nothing,
    Open(Duration),
    Closed,
}

struct Link {
    core: Arc<Core>,
    store: Arc<dyn Store>,
    keys: Keys,
    owner: String,
}

/// A look into the store that failed or took too long.
struct Away;

impl From<StoreError> for Away {
    fn from(_: StoreError) -> Self {
        Self
    }
}

impl From<tokio::time::error::Elapsed> for Away {
    fn from(_: tokio::time::error::Elapsed) -> Self {
        Self
    }
}

impl Link {
    async fn run(self, every: Duration) {
        loop {
            // All steps together have one limit.
            let looked = timeout(STORE_PATIENCE, self.look()).await;
            self.core.connected(matches!(looked, Ok(Ok(()))));
            // Whichever comes first; a change while looking has left its mark.
            let _ = timeout(every, self.core.changed.notified()).await;
        }
    }

    async fn look(&self) -> Result<(), Away> {
        self.gate().await?;
        let (mut phase, shared) = self.core.with_state(|state| (state.phase(), state.shared));
        if let Some(told) = shared.untold {
            self.tell(told, phase).await?;
            phase = self.core.with_state(|state| state.phase());
        }
        match (self.seen().await?, phase) {
            (Seen::Open(left), _) => self.core.change(|state, now, out| {
                state.opened_elsewhere(left, now, out);
            }),
            (Seen::Closed, Phase::Open { .. } | Phase::HalfOpen { .. }) => {
                // Unless it opened here meanwhile.
                self.core.change(|state, _, out| {
                    if state.shared.untold.is_none() {
                        state.closed_elsewhere(out);
                    }
                });
            }
            (Seen::Nothing, Phase::Open { until }) => self.ask_for_probe(until, shared).await?,
            _ => {}
        }
        Ok(())
    }

    async fn seen(&self) -> Result<Seen, Away> {
        match self.store.get(&self.keys.state).await?.as_deref() {
            Some(OPEN) => Ok(match self.store.time_left(&self.keys.state).await? {
                TimeLeft::For(left) => Seen::Open(left),
                TimeLeft::Absent | TimeLeft::Forever => Seen::Nothing,
            }),
            Some(CLOSED) => Ok(Seen::Closed),
            _ => Ok(Seen::Nothing),
        }
    }

    /// Tells what happened here. What others have told meanwhile stands.
    async fn tell(&self, told: Told, phase: Phase) -> Result<(), Away> {
        let there = self.store.get(&self.keys.state).await?;
        let (value, lifetime) = match (told, phase) {
            (Told::Opened, Phase::Open { until }) => {
                (OPEN, until.saturating_duration_since(Instant::now()))
            }
            (Told::Closed, Phase::Closed) => (CLOSED, CLOSED_FOR),
            // It has changed again: the next look tells that.
            _ => return Ok(()),
        };
        if !lifetime.is_zero() && there.as_deref() != Some(value) {
            let value = Bytes::from_static(value);
            self.store
                .compare_and_set(&self.keys.state, there.as_deref(), value, Some(lifetime))
                .await?;
        }
        self.store
            .release_lease(&self.keys.probe, &self.owner)
            .await?;
        self.core.with_state(|state| {
            if state.shared.untold == Some(told) {
                state.shared.untold = None;
            }
        });
        Ok(())
    }

    /// Asks to be the one that finds out, where a call here wants to.
    async fn ask_for_probe(&self, until: Instant, shared: Shared) -> Result<(), Away> {
        if !shared.wants_grant || Instant::now() < until {
            return Ok(());
        }
        let asked = Instant::now();
        let lease = self
            .store
            .acquire_lease(&self.keys.probe, &self.owner, PROBE_LEASE)
            .await?;
        self.core.with_state(|state| {
            state.shared.wants_grant = false;
            if matches!(lease, Lease::Granted { .. }) {
                state.shared.granted_until = Some(asked + PROBE_LEASE);
            }
        });
        Ok(())
    }

    async fn gate(&self) -> Result<(), Away> {
        let (gate, untold) = self
            .core
            .with_state(|state| (state.gate(Instant::now()), state.shared.gate_untold));
        if let (Some((limit, left)), true) = (gate, untold) {
            let value = Bytes::from_static(limit.as_str().as_bytes());
            self.store.set(&self.keys.gate, value, Some(left)).await?;
            self.core
                .with_state(|state| state.shared.gate_untold = false);
            return Ok(());
        }
        if gate.is_some() {
            return Ok(());
        }
        let limit = match self.store.get(&self.keys.gate).await?.as_deref() {
            Some(word) => Limit::parse(word),
            None => None,
        };
        let Some(limit) = limit else {
            return Ok(());
        };
        if let TimeLeft::For(left) = self.store.time_left(&self.keys.gate).await? {
            self.core.change(|state, now, out| {
                state.gated_elsewhere(limit, left, now, out);
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
