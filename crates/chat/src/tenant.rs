//! On whose behalf something is asked.

use std::sync::Arc;

/// On whose behalf something is asked: a key, and the company that it speaks for where it says.
///
/// A session belongs to the key. One begun for a company is found by who names no company or
/// the same one, and by nobody who names another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tenant {
    /// The key's name.
    pub key: Arc<str>,
    /// The company.
    pub company: Option<u64>,
}

impl Tenant {
    /// This key, for this company.
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>, company: Option<u64>) -> Self {
        Self {
            key: key.into(),
            company,
        }
    }
}
