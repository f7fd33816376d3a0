//! What this process alone has reserved and spent in a day: the limits' last line while the
//! store is away.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::civil::Date;

use super::keys::Purse;

/// Most accounts that are counted apart; those beyond share one purse.
const MAX_ACCOUNTS: usize = 1_024;

/// The purses of one day.
#[derive(Debug, Default)]
pub(super) struct Local(Mutex<Purses>);

#[derive(Debug, Default)]
struct Purses {
    date: Option<Date>,
    total: i64,
    accounts: HashMap<String, i64>,
    others: i64,
}

impl Local {
    /// Adds what another place has decided.
    pub(super) fn add(&self, date: Date, purse: &Purse, pico: i64) {
        self.on(date, |purses| {
            let counter = purses.counter(purse);
            *counter = counter.saturating_add(pico);
        });
    }

    /// Adds to all purses, or to none: then it says which would be over and what is in it.
    pub(super) fn reserve(
        &self,
        date: Date,
        pico: i64,
        purses: &[(Purse, i64)],
    ) -> Result<(), (usize, i64)> {
        let all = self.on(date, |held| {
            for (index, (purse, limit)) in purses.iter().enumerate() {
                let current = *held.counter(purse);
                if current.saturating_add(pico) > *limit {
                    return Err((index, current));
                }
            }
            for (purse, _) in purses {
                let counter = held.counter(purse);
                *counter = counter.saturating_add(pico);
            }
            Ok(())
        });
        all.unwrap_or(Ok(()))
    }

    /// Does something with the purses of a day; `None` where that day is over.
    fn on<T>(&self, date: Date, work: impl FnOnce(&mut Purses) -> T) -> Option<T> {
        let mut purses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if purses.date.is_none_or(|held| held < date) {
            *purses = Purses {
                date: Some(date),
                ..Purses::default()
            };
        }
        (purses.date == Some(date)).then(|| work(&mut purses))
    }
}

impl Purses {
    fn counter(&mut self, purse: &Purse) -> &mut i64 {
        match purse {
            Purse::Total => &mut self.total,
            Purse::Account(name) => {
                let full = self.accounts.len() >= MAX_ACCOUNTS;
                if full && !self.accounts.contains_key(name) {
                    return &mut self.others;
                }
                self.accounts.entry(name.clone()).or_default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 22);

    fn account(name: &str) -> Purse {
        Purse::of_account(name)
    }

    #[test]
    fn all_purses_take_it_or_none() {
        let local = Local::default();
        let purses = [(Purse::Total, 100), (account("a"), 30)];
        assert_eq!(local.reserve(TODAY, 30, &purses), Ok(()));
        assert_eq!(local.reserve(TODAY, 1, &purses), Err((1, 30)));
        let others = [(Purse::Total, 100), (account("b"), 100)];
        assert_eq!(local.reserve(TODAY, 71, &others), Err((0, 30)));
        assert_eq!(local.reserve(TODAY, 70, &others), Ok(()));
    }

    #[test]
    fn a_new_day_begins_empty_and_an_old_one_is_left_alone() {
        let local = Local::default();
        let purses = [(Purse::Total, 100)];
        local.add(TODAY, &Purse::Total, 100);
        assert_eq!(local.reserve(TODAY, 1, &purses), Err((0, 100)));
        let tomorrow = TODAY.tomorrow().unwrap();
        assert_eq!(local.reserve(tomorrow, 60, &purses), Ok(()));
        local.add(TODAY, &Purse::Total, 1_000);
        assert_eq!(local.reserve(tomorrow, 40, &purses), Ok(()));
        assert_eq!(local.reserve(tomorrow, 1, &purses), Err((0, 100)));
    }

    #[test]
    fn accounts_beyond_the_bound_share_one_purse() {
        let local = Local::default();
        for name in 0..MAX_ACCOUNTS {
            local.add(TODAY, &account(&name.to_string()), 1);
        }
        local.add(TODAY, &account("x"), 10);
        assert_eq!(
            local.reserve(TODAY, 1, &[(account("y"), 10)]),
            Err((0, 10)),
            "stricter, never laxer"
        );
    }
}
