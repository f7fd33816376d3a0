//! The measuring half: every system over every corpus, then speed, then the report.

use std::collections::HashMap;
use std::fs;
use std::io;

use knowledge_base::KnowledgeError;

use super::Args;
use super::baseline::{Naive, PlainBm25, Ranker};
use super::corpus::{Corpus, Passage, Question};
use super::metrics::Quality;
use super::relevance::Relevance;
use super::report::{Report, Row};
use super::speed::{self, Speed};
use super::systems::{Ours, Parts, ReciprocalRank};
use crate::error::Error;
use crate::run;

/// The size of the large corpus that speed is measured over.
const LARGE: usize = 20_000;
/// How deep the rankings go that reciprocal rank joins.
const FUSED: usize = 100;

/// Evaluates, prints the report and writes the JSON.
///
/// # Errors
///
/// [`Error::Io`] and [`Error::Missing`] for the data, the synonyms and the JSON file;
/// [`Error::EvalMissed`] when a target is missed and `--strict` was given.
pub fn measure(args: &Args) -> Result<(), Error> {
    let usual = || run::root().join("../shared/data/kbeval");
    let corpus = Corpus::read(&args.data.clone().unwrap_or_else(usual))?;
    let path = run::root().join("knowledge/sinonimos.txt");
    let synonyms =
        fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))?;
    let mut report = quality(&corpus, &synonyms).map_err(index_error)?;
    report.speed = speeds(&corpus, &synonyms).map_err(index_error)?;
    report.judge();
    println!("{}", report.text());
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&report)
            .map_err(io::Error::other)
            .map_err(Error::io("write the figures as JSON"))?;
        fs::write(path, json).map_err(Error::io(format!("write {}", path.display())))?;
    }
    if args.strict && !report.missed.is_empty() {
        return Err(Error::EvalMissed(report.missed.len()));
    }
    Ok(())
}

fn index_error(error: KnowledgeError) -> Error {
    Error::io("index the corpus")(io::Error::other(error))
}

fn quality(corpus: &Corpus, synonyms: &str) -> Result<Report, KnowledgeError> {
    let mut report = Report::default();
    let colloquial: Vec<&Question> = corpus.set("B").collect();
    let mut subsets: Vec<(usize, Vec<&Passage>)> = corpus
        .subsets
        .values()
        .map(|ids| {
            let inside = |passage: &&Passage| ids.contains(&passage.id);
            let passages: Vec<&Passage> = corpus.passages.iter().filter(inside).collect();
            (passages.len(), passages)
        })
        .collect();
    subsets.push((corpus.passages.len(), corpus.passages.iter().collect()));
    subsets.sort_by_key(|(size, _)| *size);
    for (size, passages) in &subsets {
        let each = || passages.iter().copied();
        let whole = *size == corpus.passages.len();
        let systems = systems(&each, synonyms, whole)?;
        for (system, ranker) in &systems {
            let quality = judge(ranker.as_ref(), &colloquial, corpus, passages);
            report
                .rows
                .push(Row::new(format!("B {size}"), system, quality));
        }
        if whole {
            let ours = Ours::new(each(), synonyms, Parts::ALL)?;
            for half in 0..2 {
                let questions: Vec<&Question> =
                    colloquial.iter().copied().skip(half).step_by(2).collect();
                let quality = judge(&ours, &questions, corpus, passages);
                let name = format!("ours, half {} of the questions", half + 1);
                report
                    .rows
                    .push(Row::new(format!("B {size}"), &name, quality));
            }
        }
    }
    let ours = Ours::new(corpus.passages.iter(), synonyms, Parts::ALL)?;
    report.relevance = Some(Relevance::of(&ours, &colloquial, &corpus.judgements));
    own_questions(corpus, synonyms, &mut report)?;
    Ok(report)
}

/// Set A: the passages' own questions, searched under other titles and without tags.
fn own_questions(
    corpus: &Corpus,
    synonyms: &str,
    report: &mut Report,
) -> Result<(), KnowledgeError> {
    let retitled: Vec<Passage> = corpus
        .passages
        .iter()
        .map(|passage| Passage {
            title: passage.alt_title.clone(),
            tags: Vec::new(),
            ..passage.clone()
        })
        .collect();
    let passages: Vec<&Passage> = retitled.iter().collect();
    let questions: Vec<&Question> = corpus.set("A").collect();
    for (system, ranker) in systems(&|| retitled.iter(), synonyms, false)? {
        let quality = judge(ranker.as_ref(), &questions, corpus, &passages);
        let set = format!("A {}", passages.len());
        report.rows.push(Row::new(set, system, quality));
    }
    Ok(())
}

type Systems = Vec<(&'static str, Box<dyn Ranker>)>;

/// Ours and the baselines; with `parts` also ours with something taken away.
fn systems<'a, I, F>(passages: &F, synonyms: &str, parts: bool) -> Result<Systems, KnowledgeError>
where
    I: Iterator<Item = &'a Passage>,
    F: Fn() -> I,
{
    let ours = |parts| Ours::new(passages(), synonyms, parts);
    let only = |words, synonyms| Parts {
        words: Some(words),
        synonyms,
    };
    let mut systems: Systems = vec![
        ("naive", Box::new(Naive::new(passages()))),
        ("plain BM25", Box::new(PlainBm25::new(passages()))),
        ("ours", Box::new(ours(Parts::ALL)?)),
    ];
    if parts {
        let without_synonyms = Parts {
            words: None,
            synonyms: false,
        };
        let fused = ReciprocalRank(
            ours(only(1.0, true))?.deep(FUSED),
            ours(only(0.0, true))?.deep(FUSED),
        );
        systems.push(("ours, stems only", Box::new(ours(only(1.0, false))?)));
        systems.push(("ours, 4-grams only", Box::new(ours(only(0.0, false))?)));
        systems.push(("ours, no synonyms", Box::new(ours(without_synonyms)?)));
        systems.push(("ours, no 4-grams", Box::new(ours(only(1.0, true))?)));
        systems.push(("ours, reciprocal rank", Box::new(fused)));
    }
    Ok(systems)
}

fn judge(
    ranker: &dyn Ranker,
    questions: &[&Question],
    corpus: &Corpus,
    passages: &[&Passage],
) -> Quality {
    let inside: std::collections::HashSet<&str> =
        passages.iter().map(|passage| passage.id.as_str()).collect();
    let graded: Vec<(Vec<String>, HashMap<String, u32>)> = questions
        .iter()
        .map(|question| {
            let all = corpus.judgements.get(&question.id);
            let grades = all.into_iter().flatten();
            let grades = grades
                .filter(|(id, _)| inside.contains(id.as_str()))
                .map(|(id, grade)| (id.clone(), *grade))
                .collect();
            (ranker.rank(&question.text), grades)
        })
        .collect();
    Quality::of(graded.iter().map(|(found, grades)| (found.clone(), grades)))
}

fn speeds(corpus: &Corpus, synonyms: &str) -> Result<Vec<Speed>, KnowledgeError> {
    let mut speeds = Vec::new();
    if let Some(smallest) = corpus.subsets.values().min_by_key(|ids| ids.len()) {
        let inside = |passage: &&Passage| smallest.contains(&passage.id);
        let passages: Vec<Passage> = corpus.passages.iter().filter(inside).cloned().collect();
        speeds.push(Speed::of(&passages, corpus, synonyms)?);
    }
    speeds.push(Speed::of(&corpus.passages, corpus, synonyms)?);
    let large = speed::replicated(&corpus.passages, LARGE);
    speeds.push(Speed::of(&large, corpus, synonyms)?);
    Ok(speeds)
}
