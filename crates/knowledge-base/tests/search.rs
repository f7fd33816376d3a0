//! What a search finds, and how it is shown.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::date;
use knowledge_base::{
    Config, DenseError, DenseRetriever, Document, Hit, KnowledgeBase, KnowledgeError, Query,
    Ranked, Snippet,
};
use proptest::prelude::*;

fn base(documents: &[(&str, &str, &str)]) -> KnowledgeBase {
    let documents = documents
        .iter()
        .map(|(id, title, body)| Document::new(*id, *title, *body));
    KnowledgeBase::from_documents(documents, Config::default()).unwrap()
}

fn sample() -> KnowledgeBase {
    base(&[
        (
            "anular",
            "Anular una factura",
            "Se emite una nota de crédito por el total.",
        ),
        (
            "folios",
            "Folios vencidos",
            "El error CAF-3-517 dice que el CAF venció.",
        ),
        (
            "ref",
            "Referencia inválida",
            "REF-2-780: el monto de la anulación es otro.",
        ),
        (
            "iva",
            "Crédito fiscal",
            "El artículo 23 N° 1 trata de él; también el art. 21.",
        ),
        (
            "rut",
            "Contribuyente especial",
            "Es el RUT 76.192.083-9 de la Ley 21.713.",
        ),
        (
            "sueldo",
            "Ingreso mínimo",
            "El trabajador recibe $539.000 al mes.",
        ),
    ])
}

fn ids(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.document_id.as_str()).collect()
}

fn first(base: &KnowledgeBase, question: &str) -> String {
    let hits = base.search(&Query::new(question));
    ids(&hits).first().copied().unwrap_or("nothing").to_owned()
}

#[test]
fn spelling_accents_forms_and_errors_don_t_matter() {
    let base = sample();
    for question in [
        "anulación de facturas",
        "ANULAR FACTURA",
        "anulo la fatura",
        "anulacion facutra",
        "¿Cómo anulé las facturas?",
        "anulacio\u{301}n",
    ] {
        assert_eq!(first(&base, question), "anular", "{question}");
    }
    assert_eq!(first(&base, "contrivuyente"), "rut");
}

#[test]
fn codes_numbers_and_articles_are_whole() {
    let base = sample();
    for (question, expected) in [
        ("REF-2-780", "ref"),
        ("me sale ref-2-780 al enviar", "ref"),
        ("caf-3-517", "folios"),
        ("art. 21", "iva"),
        ("artículo 21", "iva"),
        ("76192083-9", "rut"),
        ("76.192.083-9", "rut"),
        ("ley 21713", "rut"),
        ("539000", "sueldo"),
    ] {
        assert_eq!(first(&base, question), expected, "{question}");
    }
}

#[test]
fn a_synonym_finds_and_never_counts_twice() {
    let documents = [
        ("a", "Nota de crédito", "Nota de crédito, NC."),
        ("b", "Nota de crédito", "Nota de crédito."),
        ("c", "Otra cosa", "De otra cosa."),
    ];
    let base = base(&documents)
        .with_synonyms("nc = nota de crédito")
        .unwrap();
    let hits = base.search(&Query::new("nc"));
    assert_eq!(ids(&hits), ["a", "b"]);
    assert!(hits.iter().all(|hit| hit.score <= 1.0 && hit.is_relevant()));
    let error = base.with_synonyms("sola").unwrap_err();
    let KnowledgeError::Load(errors) = error else {
        panic!("{error}");
    };
    assert_eq!(errors[0].line(), Some(1));
}

#[test]
fn filters_leave_out() {
    let folio = |id: &str, module: &str, tag: &str| {
        Document::new(id, "Folio", "Sobre el folio.")
            .module(module)
            .tags([tag])
    };
    let documents = [
        folio("a", "l10n_cl_dte", "CAF"),
        folio("b", "stock", "Guía"),
        folio("c", "account", "otro").valid(Some(date(2026, 5, 1)), Some(date(2026, 12, 31))),
    ];
    let base = KnowledgeBase::from_documents(documents, Config::default()).unwrap();
    let found = |query: Query| {
        let mut found = ids(&base.search(&query)).join(" ");
        found.retain(|letter| letter != ' ');
        found
    };
    let folio = || Query::new("folio");
    assert_eq!(found(folio()), "abc");
    assert_eq!(found(folio().module("stock")), "b");
    assert_eq!(found(folio().module("stock").module("account")), "bc");
    assert_eq!(found(folio().tags(["guia", "nada"])), "b");
    assert_eq!(found(folio().tags(["caf"]).module("stock")), "");
    assert_eq!(found(folio().today(date(2026, 4, 30))), "ab");
    assert_eq!(found(folio().today(date(2026, 5, 1))), "abc");
    assert_eq!(found(folio().today(date(2027, 1, 1))), "ab");
    assert_eq!(found(folio().top_k(1)), "a");
    assert_eq!(found(folio().top_k(0)), "a", "at least one");
}

#[test]
fn among_equals_the_newer_comes_first() {
    let dated =
        |id: &str, year| Document::new(id, "Folio", "Sobre el folio.").updated(date(year, 1, 1));
    let documents = [dated("a", 2024), dated("b", 2026), dated("c", 2025)];
    let base = KnowledgeBase::from_documents(documents, Config::default()).unwrap();
    assert_eq!(ids(&base.search(&Query::new("folio"))), ["b", "c", "a"]);
}

#[test]
fn a_document_doesn_t_fill_the_list_and_sections_are_told() {
    let body = "# Uno\nfolio\n# Dos\nfolio\n# Tres\nfolio\n";
    let base = base(&[
        ("a", "Folios", body),
        ("b", "Otra cosa", "un folio también"),
    ]);
    let hits = base.search(&Query::new("folio").top_k(3));
    assert_eq!(ids(&hits), ["a", "a", "b"]);
    assert_eq!((hits[0].id.as_str(), &*hits[0].section), ("a#0", "Uno"));
    let hits = base.search(&Query::new("folio").per_document(1));
    assert_eq!(ids(&hits), ["a", "b"]);
    let hits = base.search(&Query::new("folio dos").per_document(1));
    assert_eq!(&*hits[0].section, "Dos");
}

#[test]
fn a_snippet_shows_the_words_that_were_asked() {
    let filler = "Aquí no hay nada que ver. ".repeat(30);
    let text = format!("{filler}Al final el timbraje\nde folios se pide así. {filler}");
    let base = base(&[("a", "Trámites", text.as_str())]);
    let hits = base.search(&Query::new("cómo timbro un folio"));
    let snippet = &hits[0].snippet;
    assert!(snippet.text.len() < 300 && !snippet.text.contains('\n'));
    assert!(
        snippet.text.starts_with('…') && snippet.text.ends_with('…'),
        "{}",
        snippet.text
    );
    let shown: Vec<&str> = snippet
        .highlights
        .iter()
        .map(|place| &snippet.text[place.clone()])
        .collect();
    assert_eq!(shown, ["folios"]);
    assert_eq!(hits[0].content.trim(), text.trim());
    // Who reads the passages themselves has the same ones without.
    let bare = base.search(&Query::new("cómo timbro un folio").without_snippets());
    assert_eq!(bare[0].snippet, Snippet::default());
    assert_eq!((&bare[0].id, bare[0].score), (&hits[0].id, hits[0].score));
}

#[test]
fn nothing_known_finds_nothing() {
    let empty = base(&[]);
    assert!(empty.search(&Query::new("factura")).is_empty());
    assert!(empty.choose_module("factura").is_none());
    let base = sample();
    for question in ["", "   ", "¿?", "de la que", "\0\u{301}"] {
        assert!(
            base.search(&Query::new(question)).is_empty(),
            "{question:?}"
        );
    }
}

/// A retriever that says what it is told to.
#[derive(Debug)]
struct Fake(Result<Vec<&'static str>, bool>);

#[async_trait]
impl DenseRetriever for Fake {
    async fn rank(&self, _: &str, limit: usize) -> Result<Vec<Ranked>, DenseError> {
        match &self.0 {
            Ok(ids) => Ok(ids.iter().take(limit).map(|id| Ranked::new(*id)).collect()),
            Err(true) => std::future::pending().await,
            Err(false) => Err(DenseError {
                reason: "broken".to_owned(),
                retryable: false,
            }),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dense_ranking_joins_or_is_done_without() {
    let base = sample();
    let query = Query::new("anular una factura");
    let plain = base.search(&query);
    // What shares no word with the question is found by meaning.
    let ranked = Fake(Ok(vec![
        "sueldo#0",
        "no-such#0",
        "rut#9",
        "folios",
        "anular#0",
    ]));
    let joined = base.search_with(&query, &ranked).await;
    assert!(ids(&joined).contains(&"sueldo") && !ids(&plain).contains(&"sueldo"));
    assert_eq!(ids(&joined)[0], "anular", "both agree on it");
    // Alone it decides.
    let other = base
        .search_with(&Query::new("xyz"), &Fake(Ok(vec!["rut#0", "iva#0"])))
        .await;
    assert_eq!(ids(&other), ["rut", "iva"]);
    assert_eq!(base.search_with(&query, &Fake(Err(false))).await, plain);
    let start = tokio::time::Instant::now();
    assert_eq!(base.search_with(&query, &Fake(Err(true))).await, plain);
    assert!(start.elapsed() < KnowledgeBase::DENSE_DEADLINE + Duration::from_millis(50));
}

proptest! {
    #[test]
    fn no_question_and_no_document_makes_it_panic(
        question in "\\PC{0,120}",
        title in "\\PC{1,40}",
        body in "(\\PC|\n|#){1,300}",
    ) {
        let document = Document::new("x", title, body);
        if let Ok(base) = KnowledgeBase::from_documents([document], Config::default()) {
            for hit in base.search(&Query::new(question.as_str())) {
                prop_assert!((0.0..=1.0).contains(&hit.score));
                prop_assert!((0.0..=1.0).contains(&hit.relevance));
                for place in &hit.snippet.highlights {
                    prop_assert!(hit.snippet.text.get(place.clone()).is_some());
                }
            }
        }
    }

    #[test]
    fn the_text_of_a_document_finds_it(words in proptest::collection::vec("[a-zñ]{4,9}", 3..12)) {
        let body = words.join(" ");
        let documents = [
            Document::new("x", "Uno", body.as_str()),
            Document::new("y", "Dos", "nada de eso"),
        ];
        let base = KnowledgeBase::from_documents(documents, Config::default()).unwrap();
        let hits = base.search(&Query::new(body.as_str()));
        if let Some(first) = hits.first() {
            prop_assert_eq!(&first.document_id, "x");
        }
    }
}
