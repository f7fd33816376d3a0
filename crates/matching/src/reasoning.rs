//! Why, in Spanish: what agrees, what doesn't, and what came second.

use std::fmt::Write as _;

use dte::pesos;

use crate::choice::percent;
use crate::compare::Basis;
use crate::evaluate::{EXPLAINS, Evaluation, Pair, Question};
use crate::matcher::Alternative;
use crate::outcome::Options;
use crate::reference::Naming;
use crate::supplier::Same;

/// The most lines that are named one by one.
const MAX_LINES_TOLD: usize = 6;
/// The most characters of a text from outside.
const MAX_TEXT: usize = 60;

/// Why these orders were chosen, or why none was.
pub(crate) fn of(
    question: &Question<'_>,
    members: &[&Evaluation<'_>],
    alternatives: &[Alternative],
    decided: bool,
    options: &Options,
) -> String {
    let Some(main) = members.first() else {
        return String::new();
    };
    let mut text = opening(members, alternatives, decided, options);
    let agreed: Vec<String> = [
        reference(question, members),
        supplier(main),
        lines(question, members),
        total(question, members),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !agreed.is_empty() {
        // Writing to a String can't fail.
        let _ = write!(text, " Coincide: {}.", agreed.join("; "));
    }
    let differing = differences(question, members);
    if !differing.is_empty() {
        let _ = write!(text, " No coincide: {}.", differing.join("; "));
    }
    text
}

fn opening(
    members: &[&Evaluation<'_>],
    alternatives: &[Alternative],
    decided: bool,
    options: &Options,
) -> String {
    let names: Vec<String> = members.iter().map(|member| name(member)).collect();
    let probability = alternatives.first().map_or(0.0, |best| best.probability);
    let second = alternatives.get(1).map_or(0.0, |second| second.probability);
    match (decided, names.as_slice()) {
        (true, [one]) => format!("La factura corresponde a la orden {one}."),
        (true, [first, rest @ ..]) => format!(
            "La factura corresponde a {} órdenes: {first} (la principal) y {}.",
            names.len(),
            rest.join(", ")
        ),
        _ if second >= 0.15 && second * 2.0 >= probability => format!(
            "Hay más de una orden que podría ser, y los datos no alcanzan para distinguirlas; \
             la más cercana es {} ({} %).",
            names.join(" con "),
            percent(probability)
        ),
        _ => format!(
            "Ninguna orden ofrecida coincide lo suficiente (se pide {} %); la más cercana es {} \
             ({} %).",
            options.decide_at,
            names.join(" con "),
            percent(probability)
        ),
    }
}

fn name(member: &Evaluation<'_>) -> String {
    let order = member.order;
    order
        .name
        .as_deref()
        .map_or_else(|| format!("con id {}", order.id), short)
}

fn reference(question: &Question<'_>, members: &[&Evaluation<'_>]) -> Option<String> {
    let named: Vec<String> = members
        .iter()
        .filter(|member| member.naming > Naming::None)
        .filter_map(|member| question.references.text_naming(member.order))
        .map(|text| format!("«{}»", short(text)))
        .collect();
    (!named.is_empty())
        .then(|| format!("la factura la nombra en su referencia {}", named.join(", ")))
}

fn supplier(main: &Evaluation<'_>) -> Option<String> {
    match main.same {
        Same::Yes => Some("el proveedor".to_owned()),
        Same::Perhaps(alike) if alike > 0.7 => {
            Some("el nombre del proveedor (falta un RUT para asegurarlo)".to_owned())
        }
        _ => None,
    }
}

/// The best pair of each line of the invoice.
fn best_pairs<'e>(
    question: &Question<'_>,
    members: &[&'e Evaluation<'_>],
) -> Vec<Option<&'e Pair>> {
    let best = |line: usize| {
        let pairs = members.iter().flat_map(|member| &member.pairs);
        pairs
            .filter(|pair| pair.line == line)
            .max_by(|a, b| a.score.total_cmp(&b.score))
    };
    (0..question.lines.len()).map(best).collect()
}

fn lines(question: &Question<'_>, members: &[&Evaluation<'_>]) -> Option<String> {
    let all = question.lines.len();
    let pairs = best_pairs(question, members);
    let explained: Vec<&Pair> = pairs
        .into_iter()
        .flatten()
        .filter(|pair| pair.score >= EXPLAINS)
        .collect();
    if explained.is_empty() {
        return None;
    }
    let count = |known: fn(&Pair) -> Option<bool>| {
        explained
            .iter()
            .filter(|pair| known(pair) == Some(true))
            .count()
    };
    let prices = count(|pair| pair.comparison.price_ok);
    let quantities = count(|pair| pair.comparison.quantity_ok);
    let partial = explained
        .iter()
        .filter(|pair| pair.comparison.quantity_ok == Some(true) && !pair.comparison.quantity_whole)
        .count();
    let mut text = format!(
        "{} de {all} {} (precios dentro de lo tolerado: {prices}; cantidades dentro de lo \
         pendiente: {quantities}",
        explained.len(),
        if all == 1 { "línea" } else { "líneas" },
    );
    if partial > 0 {
        let _ = write!(text, ", de ellas parciales: {partial}");
    }
    text.push(')');
    match members.first().map(|main| main.basis) {
        Some(Basis::InvoiceGross) => {
            text.push_str(", con los precios de la factura con IVA incluido")
        }
        Some(Basis::OrderGross) => text.push_str(", con los precios de la orden con IVA incluido"),
        _ => {}
    }
    Some(text)
}

fn total_of(question: &Question<'_>, members: &[&Evaluation<'_>]) -> f64 {
    let orders: Vec<_> = members.iter().map(|member| member.order).collect();
    crate::evaluate::total(question, &orders)
}

fn total(question: &Question<'_>, members: &[&Evaluation<'_>]) -> Option<String> {
    let amount = question.invoice.total.or(question.invoice.net)?;
    (total_of(question, members) >= 0.9).then(|| format!("el total ({})", pesos(amount)))
}

fn differences(question: &Question<'_>, members: &[&Evaluation<'_>]) -> Vec<String> {
    let mut told = Vec::new();
    let unnamed = members.iter().all(|member| member.naming == Naming::None);
    if unnamed && question.references.names_some_order {
        let texts: Vec<String> = question
            .references
            .shown()
            .take(3)
            .map(|text| format!("«{}»", short(text)))
            .collect();
        told.push(format!(
            "la factura nombra otra orden: {}",
            texts.join(", ")
        ));
    }
    if members.iter().any(|member| member.same == Same::No) {
        told.push("el RUT del proveedor es otro".to_owned());
    }
    if members.iter().any(|member| member.features.late > 0.0) {
        told.push("la orden es posterior a la factura".to_owned());
    }
    if total_of(question, members) < 0.5
        && let Some(amount) = question.invoice.total.or(question.invoice.net)
    {
        let ordered = members
            .iter()
            .try_fold(rust_decimal::Decimal::ZERO, |sum, member| {
                sum.checked_add(member.order.total.or(member.order.net)?)
            });
        if let Some(ordered) = ordered {
            told.push(format!(
                "el total es {} y el de lo ordenado {}",
                pesos(amount),
                pesos(ordered)
            ));
        }
    }
    let lines = line_differences(question, members);
    let more = lines.len().saturating_sub(MAX_LINES_TOLD);
    told.extend(lines.into_iter().take(MAX_LINES_TOLD));
    if more > 0 {
        told.push(format!("y {more} líneas más"));
    }
    told
}

fn line_differences(question: &Question<'_>, members: &[&Evaluation<'_>]) -> Vec<String> {
    let pairs = best_pairs(question, members);
    let mut told: Vec<(usize, String)> = Vec::new();
    for (ready, pair) in question.lines.iter().zip(pairs) {
        let title = format!(
            "línea {} «{}»",
            ready.index + 1,
            short(&ready.line.description)
        );
        let Some(pair) = pair else {
            told.push((ready.index, format!("{title} no está en la orden")));
            continue;
        };
        let mut wrong = Vec::new();
        if pair.comparison.price_ok == Some(false) {
            let gap = pair.comparison.price_gap.unwrap_or(0.0) * 100.0;
            wrong.push(format!("el precio difiere {gap:.0} %"));
        }
        if pair.comparison.quantity_ok == Some(false) {
            wrong.push("la cantidad es mayor que la pendiente".to_owned());
        }
        if pair.score < EXPLAINS {
            wrong.push("la descripción se parece poco".to_owned());
        }
        if !wrong.is_empty() {
            told.push((ready.index, format!("{title}: {}", wrong.join(" y "))));
        }
    }
    told.sort();
    told.into_iter().map(|(_, text)| text).collect()
}

/// A text from outside on one line, cut.
pub(crate) fn short(text: &str) -> String {
    let mut out = String::new();
    for (at, word) in text.split_whitespace().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() > MAX_TEXT * 4 {
            break;
        }
    }
    match out.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", out.get(..end).unwrap_or_default()),
        None => out,
    }
}
