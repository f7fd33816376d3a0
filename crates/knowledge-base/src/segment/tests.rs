//! What an index finds.

use std::sync::Arc;

use super::*;
use crate::config::Ranking;
use crate::document::Document;
use crate::text::each_gram;

fn segment(documents: &[(&str, &str, &str)]) -> Segment {
    let entries = documents
        .iter()
        .map(|(id, title, body)| {
            let document = Document::new(*id, *title, *body);
            Arc::new(Entry::new(document, 2_000, false).unwrap())
        })
        .collect();
    build(entries, &Ranking::default(), None).unwrap()
}

fn slots(list: &[Posting]) -> Vec<usize> {
    list.iter().map(|posting| posting.slot()).collect()
}

#[test]
fn words_and_grams_lead_to_their_passages() {
    let segment = segment(&[
        (
            "a",
            "Anular una factura",
            "# Uno\nNota de crédito 61.\n# Dos\nFolio.",
        ),
        ("b", "Folios", "REF-2-780 en las facturas"),
    ]);
    assert_eq!(segment.slots(), 3);
    assert_eq!(slots(segment.word("factur")), [0, 1, 2]);
    assert_eq!(slots(segment.word("foli")), [1, 2]);
    assert_eq!(slots(segment.word("ref-2-780")), [2]);
    assert_eq!(
        slots(segment.word("uno")),
        Vec::<usize>::new(),
        "a stop word"
    );
    assert_eq!(slots(segment.word("no such")), Vec::<usize>::new());
    let mut keys = Vec::new();
    each_gram("credito", |key| keys.push(key));
    for key in keys {
        assert!(slots(segment.gram(key)).contains(&0));
    }
    let (number, passage) = segment.passage(1).unwrap();
    assert_eq!((number, &*passage.section), (1, "Dos"));
    assert_eq!(segment.find("b"), Some(1));
    assert_eq!(segment.slots_of(0), 0..2);
    assert_eq!(segment.entry_of(2).unwrap().1.document.id, "b");
    assert!(segment.entry_of(3).is_none() && segment.passage(3).is_none());
}

#[test]
fn a_title_weighs_more_than_a_body_and_repetition_saturates() {
    let long = "folio ".repeat(50);
    let segment = segment(&[
        ("a", "Folio", "nada más que decir"),
        ("b", "Otra cosa", "un folio en el texto"),
        ("c", "Otra cosa", long.as_str()),
    ]);
    let impacts: Vec<f32> = segment
        .word("foli")
        .iter()
        .map(|p| p.impact() / FULL)
        .collect();
    assert!(impacts[0] > impacts[1], "{impacts:?}");
    assert!(impacts[2] < 1.0 && impacts[2] > impacts[1], "{impacts:?}");
}

#[test]
fn nothing_makes_an_empty_index() {
    let empty = segment(&[]);
    assert_eq!(empty.slots(), 0);
    assert!(empty.word("factur").is_empty() && empty.gram(1).is_empty());
    assert_eq!(Segment::default().slots_of(0), 0..0);
}
