//! What all replicas have done together: counters in the store that each adds to now and then.

use std::sync::{Mutex, MutexGuard, PoisonError};

use store::Addition;

use crate::l2::L2;
use crate::metrics::{Metrics, Source};
use crate::{CacheTotals, Cost};

/// The counters' names in the store, in the order of [`Figures`]. They share a hash tag, so
/// that one call may add to all of them on a cluster.
const NAMES: [&str; FIGURES] = [
    "totals:{cache}:v1:l1_hits",
    "totals:{cache}:v1:l2_hits",
    "totals:{cache}:v1:stale",
    "totals:{cache}:v1:misses",
    "totals:{cache}:v1:coalesced",
    "totals:{cache}:v1:coalesced_elsewhere",
    "totals:{cache}:v1:refreshes",
    "totals:{cache}:v1:bypasses",
    "totals:{cache}:v1:saved_pico_usd",
    "totals:{cache}:v1:saved_tokens",
];

const FIGURES: usize = 10;

type Figures = [u64; FIGURES];

/// What of this process's figures the store has already.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    shared: Mutex<Figures>,
    /// One batch at a time.
    sending: tokio::sync::Mutex<()>,
}

impl Totals {
    /// Adds to the store's counters what came since the last time; says whether the store has
    /// everything now. What it didn't take is in the next batch.
    pub(crate) async fn share(&self, l2: &L2, metrics: &Metrics) -> bool {
        let _one = self.sending.lock().await;
        let (now, before) = (figures(metrics), *self.lock());
        let additions: Vec<Addition<'_>> = NAMES
            .iter()
            .zip(now.iter().zip(before))
            .map(|(key, (now, before))| Addition {
                key,
                by: i64::try_from(now.saturating_sub(before)).unwrap_or(i64::MAX),
                limit: None,
                lifetime: None,
            })
            .filter(|addition| addition.by > 0)
            .collect();
        let taken = additions.is_empty() || l2.add_all(&additions).await;
        if taken {
            *self.lock() = now;
        }
        taken
    }

    /// What all replicas have done, as the store knows it, and what this one hasn't told yet.
    pub(crate) async fn read(&self, l2: &L2, metrics: &Metrics) -> Option<CacheTotals> {
        let stored = l2.counters(&NAMES).await?;
        let (now, shared) = (figures(metrics), *self.lock());
        let sums: Vec<u64> = stored
            .iter()
            .zip(now.iter().zip(shared))
            .map(|(stored, (now, shared))| {
                let others = u64::try_from(*stored).unwrap_or(0);
                others.saturating_add(now.saturating_sub(shared))
            })
            .collect();
        Some(totals(sums.try_into().ok()?))
    }

    fn lock(&self) -> MutexGuard<'_, Figures> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// This process's figures.
pub(crate) fn local(metrics: &Metrics) -> CacheTotals {
    totals(figures(metrics))
}

fn figures(metrics: &Metrics) -> Figures {
    let total = |source| metrics.total(source);
    let saved = metrics.saved();
    [
        total(Source::L1),
        total(Source::L2),
        total(Source::StaleL1) + total(Source::StaleL2),
        total(Source::Miss),
        total(Source::Coalesced),
        total(Source::Elsewhere),
        total(Source::Refresh),
        total(Source::Bypass),
        saved.pico_usd,
        saved.tokens,
    ]
}

fn totals(figures: Figures) -> CacheTotals {
    let [
        l1_hits,
        l2_hits,
        stale,
        misses,
        coalesced_here,
        coalesced_elsewhere,
        refreshes,
        bypasses,
        pico_usd,
        tokens,
    ] = figures;
    CacheTotals {
        l1_hits,
        l2_hits,
        stale,
        misses,
        coalesced: coalesced_here.saturating_add(coalesced_elsewhere),
        coalesced_elsewhere,
        refreshes,
        bypasses,
        saved: Cost { pico_usd, tokens },
    }
}
