//! One order against the invoice: which lines belong together, and what speaks for it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::alikeness::{Alikeness, Profile};
use crate::assignment::{Scores, assign};
use crate::compare::{BASES, Basis, Comparison, compare, gross, total_grade};
use crate::corpus::{Ready, Vocabulary};
use crate::features::Features;
use crate::input::{Invoice, Line, Order};
use crate::reference::{Naming, References};
use crate::supplier::Same;

/// Descriptions less alike than this have nothing to do with each other.
const MIN_TEXT: f32 = 0.35;
/// How alike two descriptions are at the least whose codes are equal.
const SAME_CODE: f32 = 0.95;
/// A pair of lines below this score isn't one.
const MIN_SCORE: f64 = 0.42;
/// From this score on a pair explains its line.
pub(crate) const EXPLAINS: f64 = 0.6;
/// Words of lines that invoices have and orders often don't.
const CHARGES: [&str; 6] = [
    "flete",
    "despacho",
    "transporte",
    "traslado",
    "envio",
    "recargo",
];

/// What all orders are compared with.
pub(crate) struct Question<'a> {
    pub invoice: &'a Invoice,
    pub lines: Vec<Ready<'a>>,
    pub profiles: Vec<Profile>,
    /// The part of the invoice that each line is; together 1.
    pub weights: Vec<f64>,
    pub references: References,
    pub vocabulary: Vocabulary<'a>,
    pub alikeness: Alikeness,
    pub tolerance: Decimal,
}

/// Two lines that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    /// The place in [`Question::lines`].
    pub line: usize,
    /// The index of the invoice's line as it came.
    pub invoice_line: usize,
    /// The index of the order's line as it came.
    pub order_line: usize,
    /// How alike the descriptions are.
    pub text: f64,
    /// How well all of it agrees.
    pub score: f64,
    pub comparison: Comparison,
}

impl Pair {
    /// The same thing, at the right price, in a quantity that is left.
    pub fn is_strong(&self) -> bool {
        self.text >= 0.6
            && self.comparison.price_ok != Some(false)
            && self.comparison.quantity_ok != Some(false)
    }
}

/// An order with what speaks for it.
#[derive(Debug, Clone)]
pub(crate) struct Evaluation<'a> {
    pub order: &'a Order,
    pub same: Same,
    pub naming: Naming,
    pub basis: Basis,
    pub pairs: Vec<Pair>,
    pub features: Features,
}

/// The part of the invoice that each line is: half by number, half by amount. Freight and
/// other charges count little.
pub(crate) fn line_weights(lines: &[Ready<'_>]) -> Vec<f64> {
    let amounts: Vec<f64> = lines
        .iter()
        .map(|ready| {
            amount(ready.line)
                .and_then(|amount| amount.abs().to_f64())
                .unwrap_or(0.0)
        })
        .collect();
    let sum: f64 = amounts.iter().sum();
    let count = lines.len().max(1) as f64;
    let raw = lines.iter().zip(amounts).map(|(ready, amount)| {
        let by_amount = if sum > 0.0 { amount / sum } else { 1.0 / count };
        let words = crate::text::fold(&ready.line.description);
        let charge = words.split(' ').take(3).any(|word| CHARGES.contains(&word));
        (0.5 / count + 0.5 * by_amount) * if charge { 0.3 } else { 1.0 }
    });
    let raw: Vec<f64> = raw.collect();
    let all: f64 = raw.iter().sum();
    raw.into_iter()
        .map(|weight| if all > 0.0 { weight / all } else { 0.0 })
        .collect()
}

fn amount(line: &Line) -> Option<Decimal> {
    line.amount
        .or_else(|| line.quantity?.checked_mul(line.unit_price?))
}

/// Evaluates an order.
pub(crate) fn evaluate<'a>(
    question: &Question<'_>,
    order: &'a Order,
    ready: &[Ready<'_>],
    same: Same,
) -> Evaluation<'a> {
    let naming = question.references.naming(order);
    let (pairs, basis) = pair_lines(question, ready);
    let mut evaluation = Evaluation {
        order,
        same,
        naming,
        basis,
        pairs,
        features: Features::default(),
    };
    let unknown = question.lines.is_empty() || order.lines.is_empty();
    evaluation.features = features(question, std::slice::from_ref(&evaluation), unknown);
    evaluation
}

/// What speaks for some orders together.
pub(crate) fn features(
    question: &Question<'_>,
    members: &[Evaluation<'_>],
    unknown: bool,
) -> Features {
    let mut features = Features::default();
    if unknown {
        (
            features.text,
            features.price,
            features.quantity,
            features.strong,
        ) = (0.5, 0.5, 0.5, 0.5);
    }
    for (line, weight) in question.weights.iter().enumerate() {
        let pairs = members.iter().flat_map(|member| &member.pairs);
        let of_line = pairs.filter(|pair| pair.line == line);
        if let Some(pair) = of_line.max_by(|a, b| a.score.total_cmp(&b.score)) {
            features.text += weight * pair.text;
            features.price += weight * pair.comparison.price_grade();
            features.quantity += weight * pair.comparison.quantity_grade();
            features.strong += weight * f64::from(u8::from(pair.is_strong()));
        }
    }
    let orders: Vec<&Order> = members.iter().map(|member| member.order).collect();
    features.total = total(question, &orders);
    let naming = members
        .iter()
        .map(|member| member.naming)
        .max()
        .unwrap_or(Naming::None);
    features.reference = match naming {
        Naming::Whole => 1.0,
        Naming::Number => 0.8,
        Naming::None => 0.0,
    };
    features.other_reference = f64::from(u8::from(
        naming == Naming::None && question.references.names_some_order,
    ));
    features.supplier = members
        .iter()
        .map(|member| member.same.grade())
        .fold(1.0, f64::min);
    let days = orders
        .iter()
        .filter_map(|order| days(order.date, question.invoice.date));
    let days: Vec<i32> = days.collect();
    features.late = f64::from(u8::from(days.iter().any(|days| *days < -1)));
    features.recent = match days.iter().min() {
        Some(days) => 1.0 / (1.0 + f64::from((*days).max(0)) / 30.0),
        None => 0.5,
    };
    features
}

/// Days from the order to the invoice.
fn days(order: Option<Date>, invoice: Option<Date>) -> Option<i32> {
    Some(invoice?.since(order?).ok()?.get_days())
}

/// How well the totals agree, with and without IVA; ½ where none is known.
pub(crate) fn total(question: &Question<'_>, orders: &[&Order]) -> f64 {
    let invoice = question.invoice;
    let of_lines = || sum(invoice.lines.iter().map(amount));
    let net = invoice.net.or_else(|| {
        if invoice.total.is_none() {
            of_lines()
        } else {
            None
        }
    });
    let total = sum(orders.iter().map(|order| order.total));
    let order_net = sum(orders.iter().map(|order| order.net));
    let left = left(orders);
    let ways = [
        total_grade(invoice.total, total),
        total_grade(net, order_net),
        total_grade(invoice.total, order_net.and_then(gross)),
        total_grade(net.and_then(gross), total),
        total_grade(invoice.total, left.and_then(gross)),
        total_grade(net, left),
        // Whoever mixes them up writes the net amount as the total.
        total_grade(invoice.total, total.and_then(gross)).map(|grade| 0.9 * grade),
        total_grade(invoice.total.and_then(gross), total).map(|grade| 0.9 * grade),
    ];
    ways.into_iter()
        .flatten()
        .max_by(f64::total_cmp)
        .unwrap_or(0.5)
}

/// What is left to invoice, without IVA; `None` where nothing was invoiced before.
fn left(orders: &[&Order]) -> Option<Decimal> {
    let lines = || orders.iter().flat_map(|order| &order.lines);
    lines()
        .any(|line| line.invoiced.is_some_and(|invoiced| !invoiced.is_zero()))
        .then_some(())?;
    sum(lines().map(|line| {
        let left = line
            .quantity?
            .checked_sub(line.invoiced.unwrap_or(Decimal::ZERO))?;
        left.max(Decimal::ZERO).checked_mul(line.unit_price?)
    }))
}

/// The sum of what is all there.
fn sum(amounts: impl Iterator<Item = Option<Decimal>>) -> Option<Decimal> {
    let mut all = None;
    for amount in amounts {
        all = Some(all.unwrap_or(Decimal::ZERO).checked_add(amount?)?);
    }
    all
}

/// The assignment of the order's lines to the invoice's.
fn pair_lines(question: &Question<'_>, order: &[Ready<'_>]) -> (Vec<Pair>, Basis) {
    let mut alike: Vec<(usize, usize, f32)> = Vec::new();
    let profiles: Vec<_> = order
        .iter()
        .map(|ready| question.alikeness.of_order(ready))
        .collect();
    for (line, (ready, profile)) in question.lines.iter().zip(&question.profiles).enumerate() {
        for (other, (theirs, their_profile)) in order.iter().zip(&profiles).enumerate() {
            let mut text = question.alikeness.lines(profile, their_profile);
            if ready.codes.iter().any(|code| theirs.codes.contains(code)) {
                text = text.max(SAME_CODE);
            }
            if text >= MIN_TEXT {
                alike.push((line, other, text));
            }
        }
    }
    let basis = basis(question, order, &alike);
    let mut pairs: Vec<(usize, usize, Pair)> = Vec::with_capacity(alike.len());
    for (line, other, text) in alike {
        if let Some(pair) = pair(question, order, (line, other), f64::from(text), basis)
            && pair.score >= MIN_SCORE
        {
            pairs.push((line, other, pair));
        }
    }
    (one_to_one(pairs), basis)
}

/// The pairs of the assignment, by the invoice's lines.
fn one_to_one(mut pairs: Vec<(usize, usize, Pair)>) -> Vec<Pair> {
    let distinct = |of: fn(&(usize, usize, Pair)) -> usize| {
        let mut all: Vec<usize> = pairs.iter().map(of).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let (lines, others) = (distinct(|pair| pair.0), distinct(|pair| pair.1));
    let place = |(line, other, _): &(usize, usize, Pair)| {
        Some((
            lines.binary_search(line).ok()?,
            others.binary_search(other).ok()?,
        ))
    };
    let mut scores = Scores::new(lines.len(), others.len());
    for pair in &pairs {
        if let Some((row, column)) = place(pair) {
            scores.set(row, column, (pair.2.score * 1e6).round() as i64);
        }
    }
    let columns = assign(&scores);
    pairs.retain(|pair| {
        place(pair).is_some_and(|(row, column)| columns.get(row) == Some(&Some(column)))
    });
    pairs.into_iter().map(|(_, _, pair)| pair).collect()
}

fn pair(
    question: &Question<'_>,
    order: &[Ready<'_>],
    (line, other): (usize, usize),
    text: f64,
    basis: Basis,
) -> Option<Pair> {
    let (ours, theirs) = (question.lines.get(line)?, order.get(other)?);
    let comparison = compare(
        &question.vocabulary,
        ours,
        theirs,
        basis,
        question.tolerance,
    );
    let score = 0.64 * text + 0.24 * comparison.price_grade() + 0.12 * comparison.quantity_grade();
    Some(Pair {
        line,
        invoice_line: ours.index,
        order_line: theirs.index,
        text,
        score,
        comparison,
    })
}

/// With or without IVA: what makes the most prices of the most alike lines agree.
fn basis(question: &Question<'_>, order: &[Ready<'_>], alike: &[(usize, usize, f32)]) -> Basis {
    let mut nearest: Vec<Option<(usize, f32)>> = vec![None; question.lines.len()];
    for (line, other, text) in alike {
        if let Some(place) = nearest.get_mut(*line)
            && place.is_none_or(|(_, best)| *text > best)
        {
            *place = Some((*other, *text));
        }
    }
    let agreeing = |basis: Basis| -> f64 {
        let pairs = nearest.iter().enumerate().filter_map(|(line, best)| {
            let (other, _) = best.filter(|(_, text)| *text >= 0.5)?;
            let (ours, theirs) = (question.lines.get(line)?, order.get(other)?);
            let compared = compare(
                &question.vocabulary,
                ours,
                theirs,
                basis,
                question.tolerance,
            );
            compared
                .price_gap
                .map(|gap| if gap <= 0.05 { 1.0 - gap } else { 0.0 })
        });
        pairs.sum()
    };
    let mut best = (Basis::Same, 0.0);
    for basis in BASES {
        let agree = agreeing(basis);
        if agree > best.1 + 0.5 {
            best = (basis, agree);
        }
    }
    best.0
}
