//! From an invoice and the orders to an answer.

use crate::alikeness::Alikeness;
use crate::choice::{percent, probabilities};
use crate::corpus::{Ready, Vocabulary, sorted};
use crate::evaluate::{Evaluation, Question, evaluate, line_weights};
use crate::features::Features;
use crate::input::{Invoice, MAX_ORDERS, Order};
use crate::outcome::{Candidate, LineMatch, Match, Options};
use crate::reasoning;
use crate::reference::{Naming, References};
use crate::several::together;
use crate::supplier::{Same, same};
use crate::tie::Tie;

/// The most orders that are compared line by line.
const SHORTLIST: usize = 8;
/// How many of them may be there only for being named.
const NAMED: usize = 5;

/// An order that the invoice may be for, and its lines.
struct Offered<'a> {
    order: &'a Order,
    same: Same,
    naming: Naming,
    lines: Vec<Ready<'a>>,
}

/// One of the alternatives among which is chosen.
pub(crate) struct Alternative {
    /// Places in the list of evaluations, the main one first.
    pub members: Vec<usize>,
    pub features: Features,
    pub probability: f64,
}

/// Finds the order that an invoice is for.
///
/// Orders of another supplier (by RUT) are out, unless the invoice names them. Of the others
/// the eight that share the most words, or that are named, are compared line by line; of more
/// than [`MAX_ORDERS`] orders the rest is ignored, and of a document's lines those over
/// [`MAX_LINES`](crate::MAX_LINES). The order of orders and lines doesn't matter.
///
/// It is CPU work of some milliseconds for 200 orders of 60 lines, and of up to seconds at
/// the bounds: call it off an asynchronous runtime's threads.
#[must_use]
pub fn match_order(invoice: &Invoice, orders: &[Order], options: &Options) -> Match {
    let orders = orders.get(..MAX_ORDERS).unwrap_or(orders);
    let references = References::of(invoice, orders);
    let mut vocabulary = Vocabulary::default();
    let lines = sorted(vocabulary.read(&invoice.lines));
    let offered = offered(invoice, orders, &references, &mut vocabulary);
    if offered.is_empty() {
        return nothing(orders.is_empty());
    }
    let (rest, ready): (Vec<_>, Vec<_>) = offered
        .into_iter()
        .map(|one| ((one.order, one.same, one.naming), one.lines))
        .unzip();
    let alikeness = Alikeness::new(&vocabulary, &lines, &ready);
    let question = Question {
        invoice,
        weights: line_weights(&lines),
        profiles: lines
            .iter()
            .map(|line| alikeness.of_invoice(line))
            .collect(),
        alikeness,
        lines,
        references,
        vocabulary,
        tolerance: options.price_tolerance,
    };
    let evaluations: Vec<Evaluation<'_>> = shortlist(&question, &rest, &ready)
        .into_iter()
        .filter_map(|at| {
            let ((order, same, _), lines) = (rest.get(at)?, ready.get(at)?);
            Some(evaluate(&question, order, &sorted(lines.clone()), *same))
        })
        .collect();
    answer(&question, &evaluations, options)
}

/// The orders that may be meant, by id.
fn offered<'a>(
    invoice: &Invoice,
    orders: &'a [Order],
    references: &References,
    vocabulary: &mut Vocabulary<'a>,
) -> Vec<Offered<'a>> {
    let mut offered: Vec<Offered<'a>> = orders
        .iter()
        .map(|order| {
            (
                order,
                same(&invoice.supplier, &order.supplier),
                references.naming(order),
            )
        })
        .filter(|(_, same, naming)| *same != Same::No || *naming == Naming::Whole)
        .map(|(order, same, naming)| Offered {
            order,
            same,
            naming,
            lines: vocabulary.read(&order.lines),
        })
        .collect();
    offered.sort_by_key(|one| one.order.id);
    offered
}

/// The places of those that are worth a comparison line by line.
fn shortlist(
    question: &Question<'_>,
    orders: &[(&Order, Same, Naming)],
    ready: &[Vec<Ready<'_>>],
) -> Vec<usize> {
    let mut ranked: Vec<(usize, Naming, f64)> = orders
        .iter()
        .zip(ready)
        .enumerate()
        .map(|(at, ((order, same, naming), lines))| {
            let words = f64::from(question.alikeness.coverage(lines));
            let total = crate::evaluate::total(question, &[order]);
            (at, *naming, words + 0.4 * total + 0.3 * same.grade())
        })
        .collect();
    ranked.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
    let named = ranked
        .iter()
        .filter(|(_, naming, _)| *naming > Naming::None);
    let mut chosen: Vec<usize> = named.take(NAMED).map(|(at, ..)| *at).collect();
    for (at, ..) in ranked {
        if chosen.len() < SHORTLIST && !chosen.contains(&at) {
            chosen.push(at);
        }
    }
    chosen.sort_unstable();
    chosen
}

fn answer(question: &Question<'_>, evaluations: &[Evaluation<'_>], options: &Options) -> Match {
    let alternatives = alternatives(question, evaluations);
    let Some(best) = alternatives.first() else {
        return nothing(false);
    };
    let confidence = percent(best.probability);
    let decided = confidence >= options.decide_at;
    let members: Vec<&Evaluation<'_>> = best
        .members
        .iter()
        .filter_map(|at| evaluations.get(*at))
        .collect();
    let ids: Vec<i64> = members.iter().map(|member| member.order.id).collect();
    let tie = if decided {
        None
    } else {
        Tie::among(question, evaluations, &alternatives)
    };
    let mut answer = Match {
        po_id: None,
        other_po_ids: Vec::new(),
        confidence,
        line_matches: Vec::new(),
        reasoning: reasoning::of(question, &members, &alternatives, decided, options),
        candidates: candidates(evaluations, &alternatives),
        tie,
    };
    if decided {
        answer.po_id = ids.first().copied();
        answer.other_po_ids = ids.into_iter().skip(1).collect();
        answer.line_matches = line_matches(question, &members);
    }
    answer
}

/// Every candidate alone, but those that are likelier together; likeliest first.
fn alternatives(question: &Question<'_>, evaluations: &[Evaluation<'_>]) -> Vec<Alternative> {
    let several = together(question, evaluations).filter(|several| {
        let alone = several.members.iter().filter_map(|at| evaluations.get(*at));
        alone
            .into_iter()
            .all(|one| several.features.sum() > one.features.sum())
    });
    let joined = |at: &usize| several.as_ref().is_some_and(|one| one.members.contains(at));
    let mut all: Vec<Alternative> = (0..evaluations.len())
        .filter(|at| !joined(at))
        .filter_map(|at| {
            let features = evaluations.get(at)?.features;
            Some(Alternative {
                members: vec![at],
                features,
                probability: 0.0,
            })
        })
        .collect();
    if let Some(several) = several {
        all.push(Alternative {
            members: several.members,
            features: several.features,
            probability: 0.0,
        });
    }
    let sums: Vec<f64> = all.iter().map(|one| one.features.sum()).collect();
    for (alternative, probability) in all.iter_mut().zip(probabilities(&sums)) {
        alternative.probability = probability;
    }
    all.sort_by(|a, b| {
        b.probability
            .total_cmp(&a.probability)
            .then_with(|| a.members.cmp(&b.members))
    });
    all
}

/// The lines of the chosen orders, each line of the invoice once.
pub(crate) fn line_matches(question: &Question<'_>, members: &[&Evaluation<'_>]) -> Vec<LineMatch> {
    let mut found = Vec::new();
    for line in 0..question.lines.len() {
        let pairs = members.iter().flat_map(|member| {
            let of_line = member.pairs.iter().filter(move |pair| pair.line == line);
            of_line.map(move |pair| (member.order, pair))
        });
        let best = pairs.reduce(|best, next| {
            if next.1.score > best.1.score {
                next
            } else {
                best
            }
        });
        if let Some((order, pair)) = best {
            found.push(LineMatch {
                invoice_line: pair.invoice_line,
                po_id: order.id,
                po_line: pair.order_line,
                po_line_id: order.lines.get(pair.order_line).and_then(|line| line.id),
                score: (pair.score * 100.0).round() / 100.0,
                quantity_ok: pair.comparison.quantity_ok != Some(false),
                price_ok: pair.comparison.price_ok != Some(false),
            });
        }
    }
    found.sort_by_key(|line| line.invoice_line);
    found
}

fn candidates(evaluations: &[Evaluation<'_>], alternatives: &[Alternative]) -> Vec<Candidate> {
    let id = |at: &usize| evaluations.get(*at).map(|one| one.order.id);
    let candidate = |one: &Alternative| {
        let ids: Vec<i64> = one.members.iter().filter_map(id).collect();
        Some(Candidate {
            po_id: ids.first().copied()?,
            probability: one.probability,
            features: one.features,
            with: ids.into_iter().skip(1).collect(),
        })
    };
    alternatives.iter().filter_map(candidate).collect()
}

/// The answer where there is nothing to choose from.
fn nothing(none_offered: bool) -> Match {
    let reasoning = if none_offered {
        "No se ofreció ninguna orden de compra pendiente con la cual comparar la factura."
    } else {
        "Ninguna de las órdenes de compra ofrecidas es del proveedor de la factura."
    };
    Match {
        po_id: None,
        other_po_ids: Vec::new(),
        confidence: 0,
        line_matches: Vec::new(),
        reasoning: reasoning.to_owned(),
        candidates: Vec::new(),
        tie: None,
    }
}
