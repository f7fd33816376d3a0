//! Reservations: taken before a call, exchanged for the real cost right after it.
//!
//! # How it is kept
//!
//! Each purse (everybody's, each account's) has a counter for the day, `spent`, of what is
//! spent and reserved together; the limit is that counter's. It has besides a counter for
//! each quarter of an hour, `open`, of what was reserved then and isn't settled yet, below
//! zero. One `add_all` reserves: `spent` +r (limited), `open` −r. One settles: `spent` +cost−r,
//! `open` +r (never above zero).
//!
//! A process that dies leaves `open` below zero. Whoever meets a limit looks at the slots that
//! are older than any call lasts, and gives back what is open there: `spent` −open, `open`
//! +open (never above zero). The bound makes each of these happen once: a call that settles
//! after all finds no room in its slot, and then adds its whole cost. So the sum is exact in
//! every order of events, and nothing has to be swept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use metrics::counter;
use store::{Added, Addition, Clock, Store, StoreError};
use tokio::time::timeout;

use super::day::Day;
use super::keys::Purse;
use super::local::Local;
use super::{Amount, BUDGET_ABANDONED, BUDGET_LOCAL, BudgetLimits, LimitScope, OverLimit};
use crate::Usd;

/// Seconds of a slot.
const SLOT: i64 = 900;
/// A reservation that is older (in seconds) belongs to nobody: no call lasts half as long.
const ABANDONED_AFTER: i64 = 1_800;
/// A refusal looks for abandoned reservations at most this often, in seconds.
const LOOK_EVERY: i64 = 1;
/// How long the counters of a day are kept.
const KEEP: Duration = Duration::from_secs(3 * 86_400);
/// Most time for the store to reserve; then this process decides alone.
const STORE_TIME: Duration = Duration::from_secs(2);

/// The purses in the store.
#[derive(Debug)]
pub(crate) struct Book {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    limits: BudgetLimits,
    local: Local,
    away: AtomicBool,
    looked: AtomicI64,
}

/// What a call may spend, until it is settled.
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) day: Day,
    cost: Usd,
    purses: Vec<(Purse, i64)>,
    place: Place,
}

/// Where it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the store: to be given back there.
    Store,
    /// In this process only, as the store was away.
    Here,
}

/// A counter of the ledger to add to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) by: i64,
    pub(crate) lifetime: Option<Duration>,
}

impl Book {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, limits: BudgetLimits) -> Self {
        Self {
            store,
            clock,
            limits,
            local: Local::default(),
            away: AtomicBool::new(false),
            looked: AtomicI64::new(i64::MIN),
        }
    }

    pub(crate) fn limits(&self) -> &BudgetLimits {
        &self.limits
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(crate) fn today(&self) -> Day {
        Day::at(self.now())
    }

    /// Whether calls of an account reserve anything.
    pub(crate) fn is_limited(&self, account: Option<&str>) -> bool {
        let own = account.and_then(|account| self.limits.of_account(account));
        self.limits.total_day.or(own).is_some()
    }

    /// Reserves what a call may cost, or says which limit it would exceed. With the store
    /// away the same limits hold for what this process has spent today.
    pub(crate) async fn reserve(
        &self,
        account: Option<&str>,
        cost: Usd,
    ) -> Result<Reservation, OverLimit> {
        let mut reservation = Reservation {
            day: self.today(),
            cost,
            purses: self.purses(account),
            place: Place::Store,
        };
        if reservation.purses.is_empty() {
            return Ok(reservation);
        }
        let in_store = timeout(STORE_TIME, self.reserve_in_store(&reservation));
        match in_store.await {
            Ok(Ok(outcome)) => {
                self.store_is(true);
                outcome.map_err(|over| reservation.over(over))?;
                let date = reservation.day.date();
                for (purse, _) in &reservation.purses {
                    self.local.add(date, purse, cost.pico());
                }
            }
            Ok(Err(_)) | Err(_) => {
                self.store_is(false);
                counter!(BUDGET_LOCAL).increment(1);
                reservation.place = Place::Here;
                self.local
                    .reserve(reservation.day.date(), cost.pico(), &reservation.purses)
                    .map_err(|over| reservation.over(over))?;
            }
        }
        Ok(reservation)
    }

    /// Exchanges a reservation for the real cost, all at once.
    ///
    /// # Errors
    ///
    /// The store's. Then nothing is written, as far as can be known, and what was reserved
    /// is given back when it is old enough.
    pub(crate) async fn settle(
        &self,
        reservation: &Reservation,
        cost: Usd,
    ) -> Result<(), StoreError> {
        let date = reservation.day.date();
        let change = cost.minus(reservation.cost).pico();
        for (purse, _) in &reservation.purses {
            self.local.add(date, purse, change);
        }
        let mut holds = vec![reservation.place == Place::Store; reservation.purses.len()];
        // Each round but the last finds one more purse whose reservation was given back.
        for _ in 0..=holds.len() {
            let (counters, owners) = reservation.settlement(cost, &holds);
            match self.add(&counters).await? {
                Added::All(_) => break,
                Added::Over { index, .. } => {
                    let owner = owners.get(index).copied().flatten();
                    match owner.and_then(|owner| holds.get_mut(owner)) {
                        Some(hold) => *hold = false,
                        None => break,
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds entries without a reservation.
    ///
    /// # Errors
    ///
    /// The store's.
    pub(crate) async fn enter(&self, entries: &[Entry]) -> Result<(), StoreError> {
        for some in entries.chunks(store::MAX_ADDITIONS) {
            let counters: Vec<Counter> = some.iter().map(Counter::of_entry).collect();
            self.add(&counters).await?;
        }
        Ok(())
    }

    async fn reserve_in_store(
        &self,
        reservation: &Reservation,
    ) -> Result<Result<(), (usize, i64)>, StoreError> {
        let counters = reservation.counters();
        let Added::Over { .. } = self.add(&counters).await? else {
            return Ok(Ok(()));
        };
        self.give_back_abandoned(reservation).await?;
        Ok(match self.add(&counters).await? {
            Added::All(_) => Ok(()),
            // Two counters for each purse, the limited one first.
            Added::Over { index, current } => Err((index / 2, current)),
        })
    }

    /// Gives back what calls that never settled have left in the purses of a reservation.
    async fn give_back_abandoned(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let now = reservation.day.seconds();
        let looked = self.looked.load(Ordering::Relaxed);
        if now.saturating_sub(looked) < LOOK_EVERY && now >= looked {
            return Ok(());
        }
        self.looked.store(now, Ordering::Relaxed);
        let date = reservation.day.date();
        let slots = reservation.day.began() / SLOT..=(now - ABANDONED_AFTER) / SLOT - 1;
        for (purse, _) in &reservation.purses {
            let keys: Vec<String> = slots.clone().map(|slot| purse.open(date, slot)).collect();
            let names: Vec<&str> = keys.iter().map(String::as_str).collect();
            if names.is_empty() {
                continue;
            }
            let open = self.store.counters(&names).await?;
            for (key, open) in names.iter().zip(open).filter(|(_, open)| *open < 0) {
                let back = [
                    Counter::of(purse.committed(date), open),
                    Counter {
                        limit: Some(0),
                        ..Counter::of((*key).to_owned(), open.saturating_neg())
                    },
                ];
                // Over: somebody else has just settled it or given it back.
                if let Added::All(_) = self.add(&back).await? {
                    counter!(BUDGET_ABANDONED).increment(1);
                }
            }
        }
        Ok(())
    }

    async fn add(&self, counters: &[Counter]) -> Result<Added, StoreError> {
        let additions: Vec<Addition<'_>> = counters
            .iter()
            .map(|counter| Addition {
                key: &counter.key,
                by: counter.by,
                limit: counter.limit,
                lifetime: counter.lifetime,
            })
            .collect();
        if additions.is_empty() {
            return Ok(Added::All(Vec::new()));
        }
        self.store.add_all(&additions).await
    }

    fn purses(&self, account: Option<&str>) -> Vec<(Purse, i64)> {
        let own = account.and_then(|account| {
            let limit = self.limits.of_account(account)?;
            Some((Purse::of_account(account), limit.pico()))
        });
        let total = self.limits.total_day;
        total
            .map(|limit| (Purse::Total, limit.pico()))
            .into_iter()
            .chain(own)
            .collect()
    }

    /// Logs each change once.
    fn store_is(&self, there: bool) {
        let was_away = self.away.swap(!there, Ordering::Relaxed);
        if there && was_away {
            tracing::info!("the store is back: budgets hold over all processes again");
        } else if !there && !was_away {
            tracing::warn!("the store is away: each process keeps the budgets for itself");
        }
    }
}

/// An addition that owns its key.
struct Counter {
    key: String,
    by: i64,
    limit: Option<i64>,
    lifetime: Option<Duration>,
}

impl Counter {
    fn of(key: String, by: i64) -> Self {
        Self {
            key,
            by,
            limit: None,
            lifetime: Some(KEEP),
        }
    }

    fn of_entry(entry: &Entry) -> Self {
        Self {
            lifetime: entry.lifetime,
            ..Self::of(entry.key.clone(), entry.by)
        }
    }
}

impl Reservation {
    /// Whether there is anything to settle.
    pub(crate) fn is_limited(&self) -> bool {
        !self.purses.is_empty()
    }

    fn slot(&self) -> i64 {
        self.day.seconds() / SLOT
    }

    /// Two counters for each purse: what is committed, limited, and what is open.
    fn counters(&self) -> Vec<Counter> {
        let (date, slot, pico) = (self.day.date(), self.slot(), self.cost.pico());
        let of_purse = |(purse, limit): &(Purse, i64)| {
            [
                Counter {
                    limit: Some(*limit),
                    ..Counter::of(purse.committed(date), pico)
                },
                Counter::of(purse.open(date, slot), pico.saturating_neg()),
            ]
        };
        self.purses.iter().flat_map(of_purse).collect()
    }

    /// The counters that settle it, and for each the purse whose open slot it is. `holds` says
    /// for each purse whether the reservation is still in it.
    fn settlement(&self, cost: Usd, holds: &[bool]) -> (Vec<Counter>, Vec<Option<usize>>) {
        let (date, slot) = (self.day.date(), self.slot());
        let (mut counters, mut owners) = (Vec::new(), Vec::new());
        for (index, ((purse, _), held)) in self.purses.iter().zip(holds).enumerate() {
            let reserved = if *held { self.cost } else { Usd::ZERO };
            counters.push(Counter::of(
                purse.committed(date),
                cost.minus(reserved).pico(),
            ));
            owners.push(None);
            if *held && reserved != Usd::ZERO {
                counters.push(Counter {
                    limit: Some(0),
                    ..Counter::of(purse.open(date, slot), reserved.pico())
                });
                owners.push(Some(index));
            }
        }
        (counters, owners)
    }

    fn over(&self, (index, current): (usize, i64)) -> OverLimit {
        let (scope, limit) = match self.purses.get(index) {
            Some((Purse::Account(_), limit)) => (LimitScope::AccountDay, *limit),
            Some((Purse::Total, limit)) => (LimitScope::TotalDay, *limit),
            None => (LimitScope::TotalDay, 0),
        };
        OverLimit {
            scope,
            limit: Amount::Dollars(Usd::from_pico(limit)),
            used: Amount::Dollars(Usd::from_pico(current)),
            wanted: Amount::Dollars(self.cost),
            resets_after: Some(self.day.remaining()),
        }
    }
}

#[cfg(test)]
mod tests;
