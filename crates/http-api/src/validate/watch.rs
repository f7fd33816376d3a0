//! What the last calls to the model told about it, for `/health`.

use std::sync::atomic::{AtomicU32, Ordering};

/// From so many failed calls in a row on, the service calls itself degraded.
const DOWN_AFTER: u32 = 3;

/// Failed calls since the last good one.
#[derive(Debug, Default)]
pub(crate) struct ModelWatch {
    failures: AtomicU32,
}

impl ModelWatch {
    /// A call was answered.
    pub(crate) fn good(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// A call failed.
    pub(crate) fn bad(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Failed calls since the last good one.
    pub(crate) fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Whether the model must be taken for down.
    pub(crate) fn is_down(&self) -> bool {
        self.failures() >= DOWN_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_row_and_one_success() {
        let watch = ModelWatch::default();
        watch.bad();
        watch.bad();
        assert!(!watch.is_down());
        watch.bad();
        assert!(watch.is_down());
        watch.good();
        assert!(!watch.is_down());
    }
}
