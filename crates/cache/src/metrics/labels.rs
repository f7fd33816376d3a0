//! What the metrics' labels may be: nothing from outside ever becomes one.

use crate::frame::Rejection;

/// Names an enum's variants, in order, as a label's values.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $label:expr),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),+ }

        impl $name {
            pub(crate) const LABELS: [&'static str; [$($label),+].len()] = [$($label),+];
        }
    };
}

labels!(
    /// How a computation ended.
    Ended {
        Stored = "stored",
        NotKept = "not_kept",
        Failed = "failed",
        Panicked = "panicked",
        Timeout = "timeout",
        Abandoned = "abandoned",
    }
);

labels!(
    /// Why a value was refused.
    Refused {
        Truncated = "truncated",
        Trailing = "trailing",
        Foreign = "foreign",
        Version = "version",
        Checksum = "checksum",
        Coding = "coding",
        TooLarge = "too_large",
    }
);

labels!(
    /// A call of the store.
    StoreCall {
        Read = "read",
        Write = "write",
        Lease = "lease",
        Channel = "channel",
        Totals = "totals",
    }
);

labels!(
    /// How a call of the store failed.
    StoreFailure {
        Error = "error",
        Timeout = "timeout",
        Dropped = "dropped",
    }
);

labels!(
    /// Why an answer is renewed while the old one is served.
    Renewal {
        Stale = "stale",
        Early = "early",
    }
);

labels!(
    /// What came of asking the other replicas.
    ReplicaCourse {
        Led = "led",
        Alone = "alone",
        Told = "told",
        Found = "found",
        Late = "late",
    }
);

labels!(
    /// Why an answer left the process's memory.
    Evicted {
        Size = "size",
        Expired = "expired",
    }
);

pub(super) const FAILURE_KINDS: [&str; 7] = [
    "compute",
    "wait_timeout",
    "compute_timeout",
    "panicked",
    "lost",
    "elsewhere",
    "lagged",
];

/// Where a call's answer was from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    L1,
    L2,
    StaleL1,
    StaleL2,
    Miss,
    Coalesced,
    Elsewhere,
    Refresh,
    Bypass,
}

impl Source {
    pub(crate) const COUNT: usize = Self::LABELS.len();

    pub(crate) const LABELS: [(&'static str, &'static str); 9] = [
        ("l1", "hit"),
        ("l2", "hit"),
        ("l1", "stale"),
        ("l2", "stale"),
        ("none", "miss"),
        ("none", "coalesced"),
        ("replica", "coalesced"),
        ("none", "refresh"),
        ("none", "bypass"),
    ];

    /// The same tier, giving what is past its lifetime.
    pub(crate) fn stale(self) -> Self {
        match self {
            Self::L2 => Self::StaleL2,
            _ => Self::StaleL1,
        }
    }

    pub(super) fn is_hit(self) -> bool {
        matches!(self, Self::L1 | Self::L2 | Self::StaleL1 | Self::StaleL2)
    }

    pub(super) fn is_lookup(self) -> bool {
        !matches!(self, Self::Refresh | Self::Bypass)
    }

    /// Whether the call was spared a computation.
    pub(super) fn saves(self) -> bool {
        self.is_hit() || matches!(self, Self::Coalesced | Self::Elsewhere)
    }
}

impl StoreCall {
    pub(crate) fn label(self) -> &'static str {
        Self::LABELS[self as usize]
    }
}

impl From<Rejection> for Refused {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Truncated => Self::Truncated,
            Rejection::Trailing => Self::Trailing,
            Rejection::Foreign => Self::Foreign,
            Rejection::Version => Self::Version,
            Rejection::Checksum => Self::Checksum,
            Rejection::Coding => Self::Coding,
        }
    }
}
