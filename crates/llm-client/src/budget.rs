//! How much a call, an account and a day may cost, and the error that says by how much not.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::{Error, ErrorKind, Usd};

pub(crate) mod book;
pub(crate) mod day;
pub(crate) mod keys;
mod local;

/// Counter: calls refused by a limit. Label `scope` ([`LimitScope::as_str`]).
pub const BUDGET_REFUSALS: &str = "llm_budget_refusals_total";
/// Counter: reservations decided by this process alone, as the store didn't answer.
pub const BUDGET_LOCAL: &str = "llm_budget_local_total";
/// Counter: reservations of calls that never settled, given back.
pub const BUDGET_ABANDONED: &str = "llm_budget_abandoned_total";

/// The limits on what calls may cost. `None` is no limit.
///
/// Days are Chilean days (America/Santiago). The daily limits hold over all processes that
/// share the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetLimits {
    /// Tokens of one request: the prompt's upper estimate and `max_tokens`. Default: 100,000.
    pub request_tokens: Option<u64>,
    /// The most that one request may cost, its answer as long as it may be. Default: 1 USD.
    pub request_cost: Option<Usd>,
    /// What each account may cost in a day. Default: no limit.
    pub account_day: Option<Usd>,
    /// Accounts with a daily limit of their own.
    pub accounts: BTreeMap<String, Usd>,
    /// What all accounts may cost in a day. Default: no limit.
    pub total_day: Option<Usd>,
}

impl Default for BudgetLimits {
    fn default() -> Self {
        Self {
            request_tokens: Some(100_000),
            request_cost: Some(Usd::from_cents(100)),
            account_day: None,
            accounts: BTreeMap::new(),
            total_day: None,
        }
    }
}

impl BudgetLimits {
    /// The daily limit of an account.
    #[must_use]
    pub fn of_account(&self, account: &str) -> Option<Usd> {
        self.accounts.get(account).copied().or(self.account_day)
    }
}

/// Which limit a call would have exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LimitScope {
    /// [`BudgetLimits::request_tokens`].
    RequestTokens,
    /// [`BudgetLimits::request_cost`].
    RequestCost,
    /// [`BudgetLimits::account_day`], or the account's own.
    AccountDay,
    /// [`BudgetLimits::total_day`].
    TotalDay,
}

impl LimitScope {
    /// A stable word, fit for a metric label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestTokens => "request_tokens",
            Self::RequestCost => "request_cost",
            Self::AccountDay => "account_day",
            Self::TotalDay => "total_day",
        }
    }
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Tokens.
    Tokens(u64),
    /// Dollars.
    Dollars(Usd),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tokens(tokens) => write!(f, "{tokens} tokens"),
            Self::Dollars(dollars) => write!(f, "{dollars} USD"),
        }
    }
}

/// A call that was refused before it was made: the payload of [`ErrorKind::Budget`], read
/// with [`Error::over_limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("over the limit {}: {used} used, {wanted} wanted, {limit} allowed", scope.as_str())]
pub struct OverLimit {
    /// Which limit.
    pub scope: LimitScope,
    /// Its value.
    pub limit: Amount,
    /// What is used or reserved of it.
    pub used: Amount,
    /// What the call would have taken, as it was predicted.
    pub wanted: Amount,
    /// When the limit is whole again; `None` for a limit on one request, which never is.
    pub resets_after: Option<Duration>,
}

impl OverLimit {
    /// By how much the call would have exceeded the limit.
    #[must_use]
    pub fn over_by(&self) -> Amount {
        match (self.limit, self.used, self.wanted) {
            (Amount::Tokens(limit), Amount::Tokens(used), Amount::Tokens(wanted)) => {
                Amount::Tokens(used.saturating_add(wanted).saturating_sub(limit))
            }
            (Amount::Dollars(limit), Amount::Dollars(used), Amount::Dollars(wanted)) => {
                Amount::Dollars(used.plus(wanted).minus(limit))
            }
            // The three are always of one kind.
            (_, _, wanted) => wanted,
        }
    }
}

impl From<OverLimit> for Error {
    fn from(over: OverLimit) -> Self {
        metrics::counter!(BUDGET_REFUSALS, "scope" => over.scope.as_str()).increment(1);
        Self::new(ErrorKind::Budget)
            .with_retry_after(over.resets_after)
            .with_source(over)
    }
}

impl Error {
    /// Of an error of kind [`ErrorKind::Budget`]: which limit, its value, what is used of it,
    /// by how much the call would have exceeded it, and when it is whole again.
    #[must_use]
    pub fn over_limit(&self) -> Option<&OverLimit> {
        std::error::Error::source(self)?.downcast_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_which_limit_by_how_much_and_until_when() {
        let over = OverLimit {
            scope: LimitScope::AccountDay,
            limit: Amount::Dollars(Usd::from_cents(500)),
            used: Amount::Dollars(Usd::from_cents(499)),
            wanted: Amount::Dollars(Usd::from_cents(3)),
            resets_after: Some(Duration::from_secs(3_600)),
        };
        let error = Error::from(over);
        assert_eq!(error.kind(), ErrorKind::Budget);
        assert!(!error.is_retryable());
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3_600)));
        let found = error.over_limit().unwrap();
        assert_eq!(found.over_by(), Amount::Dollars(Usd::from_cents(2)));
        assert_eq!(
            found.to_string(),
            "over the limit account_day: 4.99 USD used, 0.03 USD wanted, 5 USD allowed"
        );
        assert!(Error::new(ErrorKind::Budget).over_limit().is_none());
    }

    #[test]
    fn an_accounts_own_limit_goes_before_the_common_one() {
        let mut limits = BudgetLimits {
            account_day: Some(Usd::from_cents(100)),
            ..BudgetLimits::default()
        };
        limits.accounts.insert("erp".into(), Usd::from_cents(700));
        assert_eq!(limits.of_account("erp"), Some(Usd::from_cents(700)));
        assert_eq!(limits.of_account("otro"), Some(Usd::from_cents(100)));
    }
}
