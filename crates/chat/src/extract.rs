//! An answer without a model: the sentences of the best passages that match the question.

use std::collections::BTreeSet;

use crate::find::Passage;
use crate::words::{akin, salient, sentences, words};

/// Most sentences of an answer.
const MAX_SENTENCES: usize = 5;
/// Longest answer, in characters.
const MAX_CHARS: usize = 1_500;
/// Passages that are looked at.
const PASSAGES: usize = 3;

/// What is said where nothing relevant was found.
pub(crate) const NOTHING_FOUND: &str = "No encontré información sobre esto en la base de \
    conocimiento. Intente con otras palabras, o indique el tipo de documento, el código de error \
    o el tema (por ejemplo, «nota de crédito», «CAF» o «gratificación»).";

/// A sentence of a passage.
struct Candidate {
    passage: usize,
    place: usize,
    text: String,
    score: f64,
}

/// The extract and the passages it cites, from 1. Nothing where no passage is given.
pub(crate) fn extract(question: &str, passages: &[Passage]) -> (String, BTreeSet<usize>) {
    let asked: Vec<String> = salient(question).collect();
    let mut candidates: Vec<Candidate> = Vec::new();
    for (number, passage) in (1..).zip(passages.iter().take(PASSAGES)) {
        let texts = passage.content.lines().filter_map(plain).flat_map(split);
        for (place, text) in texts.enumerate() {
            let score = score(&asked, &text, place, passage.relevance);
            candidates.push(Candidate {
                passage: number,
                place,
                text,
                score,
            });
        }
    }
    candidates.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut chars = 0;
    candidates.truncate(MAX_SENTENCES);
    candidates.retain(|candidate| {
        let first = chars == 0;
        chars += candidate.text.chars().count();
        first || chars <= MAX_CHARS
    });
    candidates.sort_by_key(|candidate| (candidate.passage, candidate.place));
    let cited = candidates
        .iter()
        .map(|candidate| candidate.passage)
        .collect();
    let lines: Vec<String> = candidates
        .iter()
        .map(|candidate| {
            let text: String = candidate.text.chars().take(MAX_CHARS).collect();
            format!("- {text} [{}]", candidate.passage)
        })
        .collect();
    if lines.is_empty() {
        return (NOTHING_FOUND.to_owned(), BTreeSet::new());
    }
    (
        format!("Esto dice la base de conocimiento:\n\n{}", lines.join("\n")),
        cited,
    )
}

/// The share of the question's words, the first sentences of a passage a little before others.
fn score(asked: &[String], text: &str, place: usize, relevance: f64) -> f64 {
    let said: Vec<String> = words(text).collect();
    let found = asked
        .iter()
        .filter(|word| said.iter().any(|other| akin(word, other)))
        .count();
    let share = found as f64 / asked.len().max(1) as f64;
    let place = 1.0 / (2.0 + place as f64);
    (share + 0.4 * place) * (0.5 + relevance)
}

fn split(line: String) -> Vec<String> {
    sentences(&line)
        .into_iter()
        .map(|sentence| sentence.trim().to_owned())
        .collect()
}

/// A line of Markdown as text; nothing for headings, tables, fences and rules.
fn plain(line: &str) -> Option<String> {
    let line = line.trim();
    let markup = ["#", "|", "```", "---", "<!--"];
    if line.is_empty() || markup.iter().any(|mark| line.starts_with(mark)) {
        return None;
    }
    let line = line.trim_start_matches(['-', '*', '>', ' ']);
    let numbered = line.split_once(". ").filter(|(number, _)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    let line = numbered.map_or(line, |(_, rest)| rest);
    let line = line.replace("**", "").replace('`', "");
    (line.chars().filter(|letter| letter.is_alphabetic()).count() > 2).then_some(line)
}
