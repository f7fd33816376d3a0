//! Rules and review joined: how sure, and what follows.

use crate::{Review, Severity, confidence};

/// Highest confidence where no model looked: rules can't see what a text means.
const CONFIDENCE_WITHOUT_MODEL: u8 = 90;

/// Below this confidence a person should look, even if nothing was found.
const REVIEW_BELOW: u8 = 70;

/// What follows from the findings of rules and model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Nothing stands against it.
    Pass,
    /// A person should look first.
    Review,
    /// It must be corrected first.
    Reject,
}

/// A judgement of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// How sure it is that the document is right, 0 to 100: [`confidence`] of all findings;
    /// never above the model's own figure, and never above 90 where no model looked.
    pub confidence: u8,
    /// An error rejects; a warning, or a confidence under 70, asks for a look.
    pub outcome: Outcome,
}

impl Outcome {
    /// What the worst finding of the rules alone asks for.
    #[must_use]
    pub const fn of(worst: Option<Severity>) -> Self {
        match worst {
            Some(Severity::Error) => Self::Reject,
            Some(Severity::Warning) => Self::Review,
            Some(Severity::Info) | None => Self::Pass,
        }
    }
}

impl Judgement {
    /// Of all findings, the model's too, and of the review that those came from.
    #[must_use]
    pub fn new(findings: impl Iterator<Item = Severity> + Clone, review: Option<&Review>) -> Self {
        let ceiling = review.map_or(CONFIDENCE_WITHOUT_MODEL, Review::confidence);
        let confidence = confidence(findings.clone()).min(ceiling);
        let outcome = match Outcome::of(findings.max()) {
            Outcome::Pass if confidence < REVIEW_BELOW => Outcome::Review,
            outcome => outcome,
        };
        Self {
            confidence,
            outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_can_doubt_but_not_clear() {
        use Severity::{Error, Info, Warning};
        for (findings, model, confidence, outcome) in [
            (&[][..], None, 90, Outcome::Pass),
            (&[], Some(99), 99, Outcome::Pass),
            (&[], Some(70), 70, Outcome::Pass),
            (&[], Some(69), 69, Outcome::Review),
            (&[Info], Some(100), 99, Outcome::Pass),
            (&[Warning], Some(100), 92, Outcome::Review),
            (&[Error], Some(100), 60, Outcome::Reject),
            (&[Error], Some(0), 0, Outcome::Reject),
        ] {
            let review = model.map(|confidence| {
                let text = format!(r#"{{"confidence": {confidence}, "findings": []}}"#);
                Review::parse(&text).unwrap()
            });
            assert_eq!(
                Judgement::new(findings.iter().copied(), review.as_ref()),
                Judgement {
                    confidence,
                    outcome
                },
                "{findings:?}, {model:?}"
            );
        }
    }
}
