//! One invoice for several orders: those that explain what the likeliest one leaves open.

use crate::evaluate::{EXPLAINS, Evaluation, Question, features, total};
use crate::features::Features;
use crate::reference::Naming;

/// The most orders that one invoice is for.
const MAX_MEMBERS: usize = 10;
/// An order that isn't named explains at least this part of the invoice.
const MIN_GAIN: f64 = 0.04;

/// Some of the candidates together.
#[derive(Debug, Clone)]
pub(crate) struct Together {
    /// Their places in the list of candidates; the one that explains the most is the first.
    pub members: Vec<usize>,
    /// What speaks for them together.
    pub features: Features,
}

/// The orders that explain together what the likeliest doesn't alone; `None` where it needs
/// no other, or none helps.
pub(crate) fn together(question: &Question<'_>, candidates: &[Evaluation<'_>]) -> Option<Together> {
    let first = (0..candidates.len()).reduce(|best, next| {
        let sum = |at: usize| candidates.get(at).map(|one| one.features.sum());
        if sum(next) > sum(best) { next } else { best }
    })?;
    let mut open = vec![true; question.lines.len()];
    close(&mut open, candidates.get(first)?);
    let mut members = vec![first];
    while members.len() < MAX_MEMBERS {
        let others = (0..candidates.len()).filter(|at| !members.contains(at));
        let helpful = others.filter_map(|at| {
            let gain = gain(question, &open, candidates.get(at)?);
            let named = candidates.get(at)?.naming > Naming::None;
            let helps = gain >= if named { f64::EPSILON } else { MIN_GAIN };
            let adds_up = named && nearer(question, candidates, &members, at);
            (helps || adds_up).then_some((gain, at))
        });
        let Some((_, next)) =
            helpful.reduce(|best, next| if next.0 > best.0 { next } else { best })
        else {
            break;
        };
        close(&mut open, candidates.get(next)?);
        members.push(next);
    }
    if members.len() < 2 {
        return None;
    }
    let explained = |at: &usize| -> f64 {
        let all = vec![true; question.lines.len()];
        candidates
            .get(*at)
            .map_or(0.0, |one| gain(question, &all, one))
    };
    members.sort_by(|a, b| explained(b).total_cmp(&explained(a)));
    let chosen: Vec<Evaluation<'_>> = members
        .iter()
        .filter_map(|at| candidates.get(*at).cloned())
        .collect();
    let unknown = question.lines.is_empty() || chosen.iter().all(|one| one.order.lines.is_empty());
    Some(Together {
        features: features(question, &chosen, unknown),
        members,
    })
}

fn close(open: &mut [bool], candidate: &Evaluation<'_>) {
    for pair in candidate.pairs.iter().filter(|pair| pair.score >= EXPLAINS) {
        if let Some(place) = open.get_mut(pair.line) {
            *place = false;
        }
    }
}

/// The part of the invoice that is still open and that a candidate explains well.
fn gain(question: &Question<'_>, open: &[bool], candidate: &Evaluation<'_>) -> f64 {
    let pairs = candidate.pairs.iter().filter(|pair| {
        open.get(pair.line) == Some(&true) && pair.is_strong() && pair.score >= EXPLAINS
    });
    pairs
        .filter_map(|pair| question.weights.get(pair.line))
        .sum()
}

/// Whether a named order brings the totals together.
fn nearer(
    question: &Question<'_>,
    candidates: &[Evaluation<'_>],
    members: &[usize],
    next: usize,
) -> bool {
    let of = |places: &[usize]| {
        let orders = places.iter().filter_map(|at| candidates.get(*at));
        total(question, &orders.map(|one| one.order).collect::<Vec<_>>())
    };
    let with: Vec<usize> = members.iter().copied().chain([next]).collect();
    of(&with) > of(members) + 0.3
}
