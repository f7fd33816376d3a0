//! How far an answer can be relied on: a figure from 0 to 100 with a definition.
//!
//! | what | share or limit |
//! |---|---|
//! | relevance of the best passage that is cited | 55 |
//! | share of the sentences that say something and carry a citation | 45 |
//! | each invented citation | −15, at most −45 |
//! | cut off at its longest length | −10 |
//! | an extract of passages, no model | 55 × relevance + 15 |
//! | nothing cited | at most 40 |
//! | the model says that it doesn't know | at most 25 |
//! | nothing relevant was found | at most 15 |
//! | withheld, or nothing said | 0 |

/// What is known of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Evidence {
    /// Relevance, 0–1, of the best passage that was given; 0 where none was.
    pub(crate) given: f64,
    /// Of the best one that is cited.
    pub(crate) cited: f64,
    /// Sentences with a citation among those that say something, 0–1.
    pub(crate) coverage: f64,
    /// Citations of passages that don't exist.
    pub(crate) invented: usize,
    pub(crate) abstained: bool,
    pub(crate) cut: bool,
    pub(crate) extract: bool,
}

/// The figure.
pub(crate) fn confidence(evidence: &Evidence) -> u8 {
    let Evidence {
        given,
        cited,
        coverage,
        ..
    } = *evidence;
    if evidence.extract {
        return to_percent(if given > 0.0 {
            55.0 * given + 15.0
        } else {
            0.0
        });
    }
    let mut score = 55.0 * cited + 45.0 * coverage;
    if cited <= 0.0 {
        // A guess beside passages that were not used is worth a little more than a blind one.
        score = 20.0 + 20.0 * given;
    }
    score -= 15.0 * f64::from(u8::try_from(evidence.invented.min(3)).unwrap_or(3));
    if evidence.cut {
        score -= 10.0;
    }
    if evidence.abstained {
        score = score.min(25.0);
    }
    if given <= 0.0 {
        score = score.min(15.0);
    }
    to_percent(score)
}

fn to_percent(score: f64) -> u8 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0–100 before"
    )]
    let percent = score.clamp(0.0, 100.0).round() as u8;
    percent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grounded_over_partly_over_guessed_over_nothing() {
        let grounded = Evidence {
            given: 0.95,
            cited: 0.95,
            coverage: 1.0,
            ..Evidence::default()
        };
        let partly = Evidence {
            coverage: 0.4,
            ..grounded
        };
        let invented = Evidence {
            invented: 1,
            ..grounded
        };
        let guess = Evidence {
            cited: 0.0,
            coverage: 0.0,
            ..grounded
        };
        let abstained = Evidence {
            abstained: true,
            ..partly
        };
        let blind = Evidence::default();
        let list = [grounded, partly, guess, abstained, blind].map(|one| confidence(&one));
        assert!(list.is_sorted_by(|one, other| one > other), "{list:?}");
        assert!(list[0] > 80 && list[4] <= 15, "{list:?}");
        assert!(confidence(&invented) < confidence(&grounded) && confidence(&invented) > list[2]);
        let cut = Evidence {
            cut: true,
            ..grounded
        };
        assert!(confidence(&cut) < list[0]);
    }

    #[test]
    fn an_extract_is_worth_its_passage() {
        let extract = |given| {
            confidence(&Evidence {
                given,
                extract: true,
                ..Evidence::default()
            })
        };
        assert!(extract(0.9) > extract(0.5) && extract(0.5) > 20 && extract(0.0) == 0);
        assert!(extract(1.0) <= 70);
    }

    #[test]
    fn nonsense_stays_in_range() {
        for odd in [f64::NAN, f64::INFINITY, -1.0, 9.0] {
            let evidence = Evidence {
                given: odd,
                cited: odd,
                coverage: odd,
                ..Evidence::default()
            };
            assert!(confidence(&evidence) <= 100);
        }
    }
}
