//! Which passages have a term, and how much it weighs there: four bytes each.

/// Most passages of an index: a posting has 24 bits for their numbers.
pub(crate) const MAX_SLOTS: usize = (1 << 24) - 1;

/// The impact of a term that fills a passage.
pub(crate) const FULL: f32 = 255.0;

/// A slot (24 bits) and an impact (8 bits): the saturated, length-normalised term frequency of
/// BM25F in 255ths, worked out when the index is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posting(u32);

impl Posting {
    /// `slot` is at most [`MAX_SLOTS`]; `saturation` between 0 and 1. What is there counts for
    /// a 255th at least.
    pub(crate) fn new(slot: u32, saturation: f32) -> Self {
        let impact = (saturation.clamp(0.0, 1.0) * FULL).round().max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and 255 by the lines above; NaN becomes 1 by max"
        )]
        let impact = impact as u32;
        Self((slot << 8) | impact)
    }

    /// Whose it is.
    pub(crate) fn slot(self) -> usize {
        (self.0 >> 8) as usize
    }

    /// Between 1 and [`FULL`].
    pub(crate) fn impact(self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "eight bits fit")]
        let impact = (self.0 & 0xff) as f32;
        impact
    }
}

/// The lists of all terms, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Postings {
    /// Where each term's list begins, and at the end where the last one ends.
    starts: Vec<u32>,
    list: Vec<Posting>,
}

impl Postings {
    /// From pairs of a term's number and a posting; postings of a term stay in their order.
    /// `None` where there are more than can be numbered.
    pub(crate) fn sort(terms: usize, pairs: &[(u32, Posting)]) -> Option<Self> {
        u32::try_from(pairs.len()).ok()?;
        let mut starts = vec![0_u32; terms + 1];
        for (term, _) in pairs {
            *starts.get_mut(*term as usize + 1)? += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut list = vec![Posting(0); pairs.len()];
        for (term, posting) in pairs {
            let at = next.get_mut(*term as usize)?;
            *list.get_mut(*at as usize)? = *posting;
            *at += 1;
        }
        Some(Self { starts, list })
    }

    /// A term's postings, in the order of their slots; none for a number without a term.
    pub(crate) fn list(&self, term: usize) -> &[Posting] {
        let bounds = self.starts.get(term).zip(self.starts.get(term + 1));
        bounds
            .and_then(|(from, to)| self.list.get(*from as usize..*to as usize))
            .unwrap_or(&[])
    }

    pub(crate) fn bytes(&self) -> usize {
        self.starts.capacity() * size_of::<u32>() + self.list.capacity() * size_of::<Posting>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_posting_keeps_slot_and_impact() {
        for slot in [0, 1, 3_395, u32::try_from(MAX_SLOTS).unwrap()] {
            for saturation in [0.0, 0.01, 0.5, 0.999, 1.0, 7.0, -1.0, f32::NAN] {
                let posting = Posting::new(slot, saturation);
                assert_eq!(posting.slot(), slot as usize);
                assert!(posting.impact() > 0.0 && posting.impact() <= FULL);
            }
        }
        assert!((Posting::new(0, 0.5).impact() / FULL - 0.5).abs() < 0.005);
    }

    #[test]
    fn lists_are_per_term_and_ordered() {
        let posting = |slot| Posting::new(slot, 1.0);
        let pairs = [
            (1, posting(0)),
            (0, posting(0)),
            (1, posting(4)),
            (3, posting(9)),
        ];
        let postings = Postings::sort(4, &pairs).unwrap();
        let slots = |term| -> Vec<usize> {
            let list = postings.list(term);
            list.iter().map(|posting| posting.slot()).collect()
        };
        assert_eq!(
            (slots(0), slots(1), slots(2), slots(3)),
            (vec![0], vec![0, 4], vec![], vec![9])
        );
        assert!(postings.list(4).is_empty() && Postings::default().list(0).is_empty());
        assert!(Postings::sort(1, &pairs).is_none());
    }
}
