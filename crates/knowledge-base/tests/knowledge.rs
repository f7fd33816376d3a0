//! The articles that the product ships with: their front matter, dates, links, and that every
//! code of the tax service has its article.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::date;
use knowledge_base::{Config, KnowledgeBase, Query};

const MODULES: [&str; 5] = [
    "account",
    "general",
    "l10n_cl_dte",
    "l10n_cl_hr_payroll",
    "stock",
];

/// Codes of the tax service that were seen in the field and aren't in the catalogue, because no
/// rule can find them without asking.
const BEYOND_THE_CATALOGUE: [&str; 8] = [
    "CRT-3-19",
    "DTE-3-505",
    "DTE-3-601",
    "ENV-3-6",
    "HED-2-804",
    "HED-3-861",
    "REF-3-750",
    "CAF-3-517",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge")
}

/// The articles' files with their text.
fn articles() -> Vec<(PathBuf, String)> {
    let mut folders = vec![folder()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

async fn open() -> KnowledgeBase {
    KnowledgeBase::open(folder(), Config::default())
        .await
        .unwrap_or_else(|error| panic!("{error:?}"))
}

#[tokio::test]
async fn there_are_enough_articles_in_every_module() {
    let stats = open().await.stats();
    assert!(stats.documents >= 60, "{stats:?}");
    assert_eq!(
        stats.modules.keys().collect::<Vec<_>>(),
        MODULES.iter().collect::<Vec<_>>()
    );
    assert!(stats.modules.values().all(|count| *count >= 5), "{stats:?}");
}

#[tokio::test]
async fn every_module_has_its_file() {
    let modules = open().await.modules();
    let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
    assert_eq!(names, MODULES);
    for module in modules {
        assert!(module.prompt.len() > 100, "{}", module.name);
        assert!(module.keywords.len() > 20, "{}", module.name);
    }
}

#[tokio::test]
async fn every_article_says_where_it_is_from_and_how_old_it_is() {
    let base = open().await;
    for (path, _) in articles() {
        let id = path.strip_prefix(folder()).unwrap().with_extension("");
        let id = id.to_str().unwrap();
        // Its own file name finds it among the passages, with all its particulars.
        let query = Query::new(id.replace(['/', '-'], " ")).top_k(50);
        let hits = base.search(&query.per_document(1));
        let hit = hits
            .iter()
            .find(|hit| hit.document_id == id)
            .unwrap_or_else(|| panic!("{id} isn't found by its name"));
        let url = hit.url.as_deref().unwrap_or_default();
        assert!(url.starts_with("https://"), "{id}: {url:?}");
        assert!(!hit.tags.is_empty(), "{id}: no tags");
        assert!(hit.source.is_some(), "{id}: no source");
        let updated = hit.updated.unwrap_or_else(|| panic!("{id}: not dated"));
        assert!(updated >= date(2026, 1, 1), "{id}: {updated}");
        assert!(MODULES.contains(&hit.module.as_str()), "{id}");
    }
}

#[test]
fn every_code_of_the_catalogue_has_its_article() {
    let text: String = articles().into_iter().map(|(_, text)| text).collect();
    let codes: BTreeSet<&str> = dte::catalogo()
        .filter_map(|entry| entry.code.sii_code)
        .chain(BEYOND_THE_CATALOGUE)
        .collect();
    assert!(codes.len() > 15, "{codes:?}");
    let missing: Vec<&&str> = codes.iter().filter(|code| !text.contains(**code)).collect();
    assert!(missing.is_empty(), "no article for {missing:?}");
}

#[tokio::test]
async fn a_code_finds_its_article() {
    let base = open().await;
    let codes: BTreeSet<&str> = dte::catalogo()
        .filter_map(|entry| entry.code.sii_code)
        .collect();
    for code in codes {
        for question in [
            code.to_owned(),
            format!("me sale {} que hago", code.to_lowercase()),
        ] {
            let hits = base.search(&Query::new(question.as_str()));
            let first = hits
                .first()
                .unwrap_or_else(|| panic!("{question}: nothing"));
            let says = first.title.contains(code)
                || first.content.contains(code)
                || first.tags.iter().any(|tag| tag == code);
            assert!(says, "{question}: {}", first.id);
            assert!(first.is_relevant(), "{question}: {}", first.relevance);
        }
    }
}

#[test]
fn articles_name_only_codes_of_ours_that_exist() {
    let known: BTreeSet<&str> = dte::catalogo().map(|entry| entry.code.code).collect();
    let mut unknown = Vec::new();
    for (path, text) in articles() {
        for (at, _) in text.match_indices("`DTE-") {
            let code = text[at + 1..].split('`').next().unwrap_or_default();
            // A family is written with a star.
            if !code.ends_with('*') && !known.contains(code) {
                unknown.push(format!("{}: {code}", path.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn links_inside_the_articles_lead_somewhere() {
    for (path, text) in articles() {
        for (at, _) in text.match_indices("](") {
            let link = text[at + 2..].split(')').next().unwrap_or_default();
            let there = link.starts_with("https://") || path.parent().unwrap().join(link).exists();
            assert!(there, "{}: {link}", path.display());
        }
    }
}

#[tokio::test]
async fn everyday_questions_find_their_articles() {
    let base = open().await;
    let cases = [
        ("se me vencieron los folios", "folios/caf-vencido"),
        ("como anulo una factura", "dte/anular-una-factura"),
        ("emiti una nc por error", "dte/anular-una-nota-de-credito"),
        (
            "cuantos dias tengo para reclamar",
            "recepcion/plazo-para-reclamar",
        ),
        ("comision de la afp uno", "nomina/comisiones-de-afp"),
        ("tope de la gratificasion", "nomina/gratificacion-legal"),
        ("que significa degraded", "servicio/respuesta-degradada"),
        (
            "mover cosas entre bodegas",
            "inventario/guia-para-traslado-interno",
        ),
        (
            "patente del camion en la guia",
            "dte/guia-datos-de-transporte",
        ),
    ];
    for (question, expected) in cases {
        let hits = base.search(&Query::new(question).per_document(1));
        let found: Vec<&str> = hits.iter().map(|hit| hit.document_id.as_str()).collect();
        assert!(found.contains(&expected), "{question}: {found:?}");
        assert!(hits[0].is_relevant(), "{question}: {}", hits[0].score);
    }
}

#[tokio::test]
async fn what_it_knows_nothing_about_isn_t_relevant() {
    let base = open().await;
    for question in [
        "receta de pastel de choclo",
        "quién ganó el mundial de 1962",
        "horario del metro los domingos",
        "cómo se poda un limonero",
        "entradas para el concierto de mañana",
        "asdfgh qwerty",
        "",
        "¿?",
    ] {
        let hits = base.search(&Query::new(question));
        let relevant: Vec<(&str, f64)> = hits
            .iter()
            .filter(|hit| hit.is_relevant())
            .map(|hit| (hit.id.as_str(), hit.score))
            .collect();
        assert!(relevant.is_empty(), "{question}: {relevant:?}");
    }
}
