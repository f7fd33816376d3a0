//! Whether the relevance of a first hit tells a good one from a bad one.

use std::collections::HashMap;

use knowledge_base::Query;
use serde::Serialize;

use super::corpus::Question;
use super::systems::Ours;

/// Questions about nothing that is in a corpus of taxes and bookkeeping.
const OFF_TOPIC: [&str; 20] = [
    "receta de pastel de choclo",
    "quién ganó el mundial de 1962",
    "cómo se poda un limonero",
    "horario del metro los domingos",
    "mejor época para viajar a la Patagonia",
    "qué le doy a mi perro si tiene fiebre",
    "letra de Gracias a la vida",
    "cómo aprender a tocar guitarra",
    "cuántos planetas hay en el sistema solar",
    "película con más premios Oscar",
    "cómo se saca una mancha de vino",
    "a qué hora juega Colo Colo",
    "ejercicios para el dolor de espalda",
    "traducir buenos días al francés",
    "quién escribió Cien años de soledad",
    "cómo cambiar una rueda de bicicleta",
    "terremoto más fuerte de la historia",
    "cuánto duerme un recién nacido",
    "pintar una pared sin dejar marcas",
    "nombres para una gata negra",
];

/// Relevance of first hits.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Relevance {
    /// The share of first hits that answer and are told relevant.
    pub right_told_relevant: f64,
    /// The median score of those that answer.
    pub right_median_score: f64,
    /// The median score of those that don't, of questions about the corpus.
    pub wrong_median_score: f64,
    /// The share of off-topic questions whose first hit is told relevant.
    pub off_topic_told_relevant: f64,
    /// The highest score that an off-topic question has.
    pub off_topic_max_score: f64,
}

impl Relevance {
    pub fn of(
        ours: &Ours,
        questions: &[&Question],
        judgements: &HashMap<String, HashMap<String, u32>>,
    ) -> Self {
        let (mut right, mut wrong) = (Vec::new(), Vec::new());
        for question in questions {
            let hits = ours.base().search(&Query::new(&question.text).top_k(1));
            if let Some(first) = hits.first() {
                let grades = judgements.get(&question.id);
                let answers = grades.is_some_and(|grades| grades.contains_key(&first.document_id));
                let scores = if answers { &mut right } else { &mut wrong };
                scores.push((first.score, first.is_relevant()));
            }
        }
        let off_topic: Vec<(f64, bool)> = OFF_TOPIC
            .iter()
            .map(|question| {
                let hits = ours.base().search(&Query::new(*question).top_k(1));
                hits.first()
                    .map_or((0.0, false), |first| (first.score, first.is_relevant()))
            })
            .collect();
        Self {
            right_told_relevant: told(&right),
            right_median_score: median(&mut right),
            wrong_median_score: median(&mut wrong),
            off_topic_told_relevant: told(&off_topic),
            off_topic_max_score: off_topic
                .iter()
                .map(|(score, _)| *score)
                .fold(0.0, f64::max),
        }
    }
}

fn told(scores: &[(f64, bool)]) -> f64 {
    let relevant = scores.iter().filter(|(_, relevant)| *relevant).count();
    super::metrics::float(relevant) / super::metrics::float(scores.len().max(1))
}

fn median(scores: &mut [(f64, bool)]) -> f64 {
    scores.sort_by(|one, other| one.0.total_cmp(&other.0));
    scores
        .get(scores.len() / 2)
        .map_or(0.0, |(score, _)| *score)
}
