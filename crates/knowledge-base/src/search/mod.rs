//! A search: the question read, passages weighed, the best of them shown. Pure functions.

mod question;
mod score;
mod snippet;
mod top;
mod typo;

use std::cell::RefCell;

use crate::config::Ranking;
use crate::dense::Ranked;
use crate::document::Document;
use crate::hit::{Hit, Snippet, relevance};
use crate::query::Query;
use crate::snapshot::Snapshot;
use crate::text::Stems;

use self::question::Question;
use self::score::Sums;
use self::top::{Candidate, Top};

/// How many candidates are kept for each hit wanted, since a document may fill many of them.
const SPARE: usize = 6;
/// Places after which a dense retriever's rank counts half.
const DENSE_HALF: f32 = 10.0;
/// How many passages speak for a module.
const EVIDENCE: usize = 8;

/// What a search needs for itself, kept by each thread.
struct Scratch {
    stems: Stems,
    sums: Sums,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        stems: Stems::new(),
        sums: Sums::default(),
    });
}

/// The best passages, best first. `dense` is a retriever's ranking, best first, or empty.
pub(crate) fn search(
    snapshot: &Snapshot,
    ranking: &Ranking,
    query: &Query,
    dense: &[Ranked],
) -> Vec<Hit> {
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => run(snapshot, ranking, query, dense, &mut scratch),
        // Only a search within a search on one thread, which nobody does.
        Err(_) => Vec::new(),
    })
}

/// What a question is about: its stems, corrected, without stop words, each once with how rare it
/// is; and the documents of the best passages with their scores, best first, of any day.
pub(crate) struct About<'a> {
    pub(crate) stems: Vec<(Box<str>, f64)>,
    pub(crate) best: Vec<(&'a Document, f64)>,
}

/// What a question is about, without showing any passage.
pub(crate) fn about<'a>(snapshot: &'a Snapshot, ranking: &Ranking, question: &str) -> About<'a> {
    let query = evidence(question);
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => {
            let Scratch { stems, sums } = &mut *scratch;
            let question = Question::read(&query.text, snapshot, ranking, stems);
            let [best] = rank(snapshot, ranking, [&query], &[], &question, sums);
            About::of(snapshot, question, &best)
        }
        Err(_) => About::nothing(),
    })
}

/// [`search`] and [`about`] its text at once.
pub(crate) fn search_and_about<'a>(
    snapshot: &'a Snapshot,
    ranking: &Ranking,
    query: &Query,
) -> (Vec<Hit>, About<'a>) {
    let of = evidence(&query.text);
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => {
            let Scratch { stems, sums } = &mut *scratch;
            let question = Question::read(&query.text, snapshot, ranking, stems);
            let [picked, best] = rank(snapshot, ranking, [query, &of], &[], &question, sums);
            let hits = hits(snapshot, query, &question, &picked, stems);
            (hits, About::of(snapshot, question, &best))
        }
        Err(_) => (Vec::new(), About::nothing()),
    })
}

fn evidence(question: &str) -> Query {
    Query::new(question).top_k(EVIDENCE).per_document(1)
}

impl<'a> About<'a> {
    fn of(snapshot: &'a Snapshot, question: Question<'_>, best: &[Candidate]) -> Self {
        let best = best.iter().filter_map(|candidate| {
            let segment = snapshot.segment(candidate.segment)?;
            let (_, entry) = segment.entry_of(candidate.slot)?;
            Some((&entry.document, score(candidate)))
        });
        Self {
            best: best.collect(),
            stems: question.rarities(),
        }
    }

    fn nothing() -> Self {
        Self {
            stems: Vec::new(),
            best: Vec::new(),
        }
    }
}

fn run(
    snapshot: &Snapshot,
    ranking: &Ranking,
    query: &Query,
    dense: &[Ranked],
    scratch: &mut Scratch,
) -> Vec<Hit> {
    let Scratch { stems, sums } = scratch;
    let question = Question::read(&query.text, snapshot, ranking, stems);
    let [picked] = rank(snapshot, ranking, [query], dense, &question, sums);
    hits(snapshot, query, &question, &picked, stems)
}

fn hits(
    snapshot: &Snapshot,
    query: &Query,
    question: &Question<'_>,
    picked: &[Candidate],
    stems: &mut Stems,
) -> Vec<Hit> {
    let hit = |candidate: &Candidate| {
        let mut hit = hit(snapshot, candidate)?;
        if query.snippets {
            hit.snippet = snippet::make(&hit.content, question, stems);
        }
        Some(hit)
    };
    picked.iter().filter_map(hit).collect()
}

/// The best passages' places for each of the queries, which have the question's text in common,
/// best first.
fn rank<const N: usize>(
    snapshot: &Snapshot,
    ranking: &Ranking,
    queries: [&Query; N],
    dense: &[Ranked],
    question: &Question<'_>,
    sums: &mut Sums,
) -> [Vec<Candidate>; N] {
    let mut wanted = queries.map(|query| (query, Top::new(query.top_k.saturating_mul(SPARE))));
    for (index, segment) in snapshot.segments().into_iter().enumerate() {
        sums.fill(question, index, segment.slots());
        if !dense.is_empty() {
            let share = ranking.dense;
            sums.scale(1.0 - share);
            for (rank, ranked) in dense.iter().enumerate() {
                if let Some(slot) = snapshot.slot(index, &ranked.passage_id) {
                    sums.add(slot, share * DENSE_HALF / (DENSE_HALF + place(rank)));
                }
            }
        }
        for (query, top) in &mut wanted {
            for (slot, score) in sums.scored() {
                if top.wants(score) && snapshot.allows(index, slot, query) {
                    let updated = segment
                        .entry_of(slot)
                        .and_then(|(_, entry)| entry.document.updated);
                    top.offer(Candidate::new(score, updated, index, slot));
                }
            }
        }
    }
    wanted.map(|(query, top)| pick(snapshot, query, top))
}

fn score(candidate: &Candidate) -> f64 {
    f64::from(candidate.score.clamp(0.0, 1.0))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rank, of some hundreds at most"
)]
fn place(rank: usize) -> f32 {
    rank as f32
}

/// The first of the candidates, with no document more often than it may be.
fn pick(snapshot: &Snapshot, query: &Query, top: Top) -> Vec<Candidate> {
    let mut picked: Vec<Candidate> = Vec::with_capacity(query.top_k);
    for candidate in top.into_sorted() {
        let place = |one: &Candidate| {
            let segment = snapshot.segment(one.segment)?;
            Some((one.segment, segment.entry_of(one.slot)?.0))
        };
        let own = place(&candidate);
        let before = picked.iter().filter(|other| place(other) == own).count();
        if before < query.per_document {
            picked.push(candidate);
            if picked.len() >= query.top_k {
                break;
            }
        }
    }
    picked
}

/// A hit without its snippet.
fn hit(snapshot: &Snapshot, candidate: &Candidate) -> Option<Hit> {
    let segment = snapshot.segment(candidate.segment)?;
    let (_, entry) = segment.entry_of(candidate.slot)?;
    let (number, passage) = segment.passage(candidate.slot)?;
    let document = &entry.document;
    let score = score(candidate);
    Some(Hit {
        id: format!("{}#{number}", document.id),
        document_id: document.id.clone(),
        title: document.title.clone(),
        module: document.module.clone(),
        tags: document.tags.clone(),
        section: passage.section.clone(),
        content: passage.content.clone(),
        snippet: Snippet::default(),
        url: document.url.clone(),
        source: document.source.clone(),
        updated: document.updated,
        valid_from: document.valid_from,
        valid_to: document.valid_to,
        score,
        relevance: relevance(score),
    })
}
