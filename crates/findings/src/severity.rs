//! How bad a finding is, and how sure one can be in spite of it.

/// How bad a finding is; a worse one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For knowing: hygiene, or a difference within rounding.
    Info,
    /// Worth a person's look.
    Warning,
    /// It must not be used like this.
    Error,
}

impl Severity {
    /// The contract's word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// One step down; `Info` stays.
    #[must_use]
    pub const fn lowered(self) -> Self {
        match self {
            Self::Error => Self::Warning,
            Self::Warning | Self::Info => Self::Info,
        }
    }
}

/// How sure it is that a document with such findings is right: 100, less 40 for every error, 8
/// for every warning, and 1 for every info (10 at the most for all of them). More or worse
/// findings never raise it.
#[must_use]
pub fn confidence(severities: impl IntoIterator<Item = Severity>) -> u8 {
    let (mut lost, mut infos) = (0_u32, 0_u32);
    for severity in severities {
        match severity {
            Severity::Error => lost = lost.saturating_add(40),
            Severity::Warning => lost = lost.saturating_add(8),
            Severity::Info => infos = infos.saturating_add(1).min(10),
        }
    }
    u8::try_from(lost.saturating_add(infos)).map_or(0, |lost| 100_u8.saturating_sub(lost))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn severity() -> impl Strategy<Value = Severity> {
        prop_oneof![
            Just(Severity::Info),
            Just(Severity::Warning),
            Just(Severity::Error)
        ]
    }

    proptest! {
        #[test]
        fn more_or_worse_findings_never_raise_the_confidence(
            all in proptest::collection::vec(severity(), 0..40),
            another in severity(),
        ) {
            let before = confidence(all.iter().copied());
            let with_another = confidence(all.iter().copied().chain([another]));
            prop_assert!(with_another <= before);
            let lowered = confidence(all.iter().map(|one| one.lowered()));
            prop_assert!(lowered >= before);
        }
    }

    #[test]
    fn each_severity_has_its_weight() {
        use Severity::{Error, Info, Warning};
        for (severities, left) in [
            (&[][..], 100),
            (&[Info], 99),
            (&[Info; 30], 90),
            (&[Warning], 92),
            (&[Error, Warning, Info], 51),
            (&[Error; 3], 0),
            (&[Warning; 300], 0),
        ] {
            assert_eq!(
                confidence(severities.iter().copied()),
                left,
                "{severities:?}"
            );
        }
    }
}
