//! Who asks, and for which companies they may.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use store::{LocalLimit, Rate};

use crate::keyring::ApiKey;
use crate::problem::Problem;
use crate::routes::{Action, Work};

/// A caller whose key is good.
#[derive(Debug, Clone)]
pub struct Caller {
    name: String,
    companies: Option<BTreeSet<u64>>,
    role: Role,
    limited: Option<Limited>,
}

/// How often a caller may ask.
#[derive(Debug, Clone)]
pub(crate) struct Limited {
    pub(crate) rate: Rate,
    /// Of its limit in the store.
    pub(crate) key: String,
    /// The same, as far as this process knows it.
    pub(crate) local: Arc<LocalLimit>,
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// Everything that an ERP asks.
    #[default]
    Erp,
    /// `/metrics` and `/metrics/costs` only: for those who watch.
    Figures,
}

/// On whose behalf something is computed or stored: nothing made for one tenant is ever
/// readable by another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tenant(String);

impl Caller {
    /// The one with this key.
    pub(crate) fn of(key: &ApiKey) -> Self {
        Self {
            name: key.name.clone(),
            companies: key.companies.clone(),
            role: key.role,
            limited: key.rate.map(|rate| Limited {
                rate,
                key: format!("limit:key:{}", key.name),
                local: Arc::default(),
            }),
        }
    }

    /// What logs call them.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The tenant that this caller is when speaking for `company`.
    pub(crate) fn tenant(&self, company: u64) -> Result<Tenant, Problem> {
        match &self.companies {
            Some(companies) if !companies.contains(&company) => Err(Problem::foreign_company()),
            _ => Ok(Tenant(format!("{}/{company}", self.name))),
        }
    }

    /// Whether it may speak for some companies only.
    pub(crate) fn is_bound(&self) -> bool {
        self.companies.is_some()
    }

    /// The tenant that this caller is when it speaks for no company in particular.
    pub(crate) fn own_tenant(&self) -> Tenant {
        Tenant(format!("{}/", self.name))
    }

    /// Whether its role lets it do that.
    pub(crate) fn may(&self, action: Action) -> bool {
        match self.role {
            Role::Erp => true,
            Role::Figures => matches!(action, Action::Watch(_) | Action::Work(Work::Costs)),
        }
    }

    /// How often it may ask; `None`: as often as it likes.
    pub(crate) fn limited(&self) -> Option<&Limited> {
        self.limited.as_ref()
    }
}

impl Tenant {
    /// The own tenant of the caller that this one is a company of.
    pub(crate) fn of_caller(&self) -> Self {
        let name = self.0.split('/').next().unwrap_or_default();
        Self(format!("{name}/"))
    }

    /// As a part of a cache key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key in the headers: `Authorization: Bearer KEY` first, else `X-API-Key: KEY` (a proxy
/// may have put its own `Authorization` there).
pub(crate) fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, key) = value.as_bytes().split_at_checked(7)?;
        scheme
            .eq_ignore_ascii_case(b"bearer ")
            .then(|| key.trim_ascii())
    });
    bearer.or_else(|| {
        headers
            .get("x-api-key")
            .map(|value| value.as_bytes().trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_watch_ask_nothing_that_costs() {
        let caller = |role| {
            Caller::of(&ApiKey {
                role,
                ..ApiKey::new("prometheus", "clave")
            })
        };
        let (erp, figures) = (caller(Role::Erp), caller(Role::Figures));
        assert!(figures.may(Action::Work(Work::Costs)) && erp.may(Action::Work(Work::Costs)));
        assert!(
            !figures.may(Action::Work(Work::Validate)) && erp.may(Action::Work(Work::Validate))
        );
    }
}
