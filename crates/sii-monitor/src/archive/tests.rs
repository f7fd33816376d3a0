//! The archive over the embedded store.

use jiff::Timestamp;
use store::{EmbeddedConfig, EmbeddedStore, SystemClock};

use super::*;
use crate::item::{AnalizadoPor, Evento, Impacto};

fn archive() -> Archive {
    let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), Arc::new(SystemClock)).unwrap();
    Archive::new(Arc::new(store))
}

fn item(id: &str, second: i64, prioridad: u8) -> Item {
    Item {
        id: id.into(),
        tipo: "circular".into(),
        numero: None,
        fecha: None,
        vigencia: None,
        titulo: id.into(),
        url: None,
        resumen: String::new(),
        extracto: String::new(),
        cambios_tecnicos: Vec::new(),
        impacto: Impacto {
            nivel: "bajo".into(),
            componentes_afectados: Vec::new(),
            requiere_certificacion: false,
            breaking_change: false,
            justificacion: String::new(),
        },
        acciones_requeridas: Vec::new(),
        prioridad,
        detected_at: Timestamp::from_second(second).unwrap(),
        diff: String::new(),
        evento: Evento::Nuevo,
        fuente: "circulares".into(),
        analizado_por: AnalizadoPor::Reglas,
        plazos: Vec::new(),
        leyes: Vec::new(),
        reemplaza: Vec::new(),
    }
}

fn ids(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.id.as_str()).collect()
}

#[tokio::test]
async fn an_item_is_published_once_and_leaves_the_outbox_once() {
    let archive = archive();
    assert!(archive.publish(&item("a", 1, 2), None).await.unwrap());
    // Found again with another wording: the first stays.
    let other = Item {
        titulo: "otro".into(),
        ..item("a", 2, 5)
    };
    assert!(!archive.publish(&other, None).await.unwrap());
    assert_eq!(archive.item("a").await.unwrap().unwrap().titulo, "a");
    assert_eq!(ids(&archive.outbox().await.unwrap()), ["a"]);
    archive.settle("a").await.unwrap();
    assert!(!archive.publish(&other, None).await.unwrap());
    assert!(archive.outbox().await.unwrap().is_empty());
    assert_eq!(
        archive
            .news(&NewsQuery::default())
            .await
            .unwrap()
            .items
            .len(),
        1
    );
}

#[tokio::test]
async fn the_same_content_is_one_item() {
    let archive = archive();
    assert!(archive.publish(&item("a", 1, 2), Some("h")).await.unwrap());
    assert!(!archive.publish(&item("b", 1, 2), Some("h")).await.unwrap());
    assert!(archive.item("b").await.unwrap().is_none());
    assert!(!archive.publish(&item("a", 1, 2), Some("h")).await.unwrap());
    // Cut short between the content's alias and the item: it isn't lost to the next source.
    let alias = Bytes::from_static(b"gone");
    archive.store.set("sii:alias:g", alias, None).await.unwrap();
    assert!(archive.publish(&item("c", 1, 2), Some("g")).await.unwrap());
}

#[tokio::test]
async fn news_come_newest_first_in_pages_that_dont_shift() {
    let archive = archive();
    for n in 0..5 {
        let item = item(&format!("i{n}"), 100 + n / 2, u8::try_from(n).unwrap());
        archive.publish(&item, None).await.unwrap();
    }
    let mut query = NewsQuery {
        limit: Some(2),
        ..NewsQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = archive.news(&query).await.unwrap();
        seen.extend(page.items.into_iter().map(|item| item.id));
        archive
            .publish(&item(&format!("new{}", seen.len()), 900, 1), None)
            .await
            .unwrap();
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["i4", "i3", "i2", "i1", "i0"]);
    let query = NewsQuery {
        since: Some(Timestamp::from_second(101).unwrap()),
        min_priority: Some(3),
        ..NewsQuery::default()
    };
    assert_eq!(
        ids(&archive.news(&query).await.unwrap().items),
        ["i4", "i3"]
    );
    for cursor in ["", "x", "1", "99999999999999999999_a", "\u{0}_"] {
        let query = NewsQuery {
            cursor: Some(cursor.into()),
            ..NewsQuery::default()
        };
        assert!(
            archive.news(&query).await.unwrap().items.is_empty(),
            "{cursor}"
        );
    }
    assert!(archive.item(&"x".repeat(9_000)).await.unwrap().is_none());
}

fn state(version: u64, text: &str) -> PageState {
    PageState {
        version,
        changed_at: Timestamp::UNIX_EPOCH,
        etag: None,
        last_modified: None,
        size: text.len(),
        kind: crate::source::Kind::Table,
        entries: Arc::default(),
        pieces: Arc::new(vec![crate::compare::Piece {
            section: Vec::new(),
            text: text.into(),
            links: Vec::new(),
        }]),
        habits: crate::compare::Habits::default(),
        versions: Vec::new(),
    }
}

#[tokio::test]
async fn versions_are_bounded_and_can_be_compared() {
    let archive = archive();
    let mut kept = Vec::new();
    for version in 1..=20 {
        let known = archive.page("p").await.unwrap();
        let mut next = state(version, &format!("La UTM vale {version}."));
        next.versions = kept;
        let gone = archive.keep_version("p", &mut next).await.unwrap();
        kept = next.versions.clone();
        archive
            .commit("p", known.as_ref(), next, &gone)
            .await
            .unwrap();
    }
    let page = archive.page_state("p").await.unwrap().unwrap();
    assert_eq!(page.versions.len(), 12);
    let diff = archive.diff("p", 19, 20).await.unwrap().unwrap();
    assert!(
        diff.contains("-La UTM vale 19.") && diff.contains("+La UTM vale 20."),
        "{diff}"
    );
    assert_eq!(archive.diff("p", 1, 20).await.unwrap(), None);
}

#[tokio::test]
async fn a_late_writer_is_overtaken() {
    let archive = archive();
    archive.commit("p", None, state(1, "a"), &[]).await.unwrap();
    let late = archive.page("p").await.unwrap();
    archive
        .commit("p", late.as_ref(), state(2, "b"), &[])
        .await
        .unwrap();
    let error = archive.commit("p", late.as_ref(), state(2, "c"), &[]).await;
    assert!(matches!(error, Err(ArchiveError::Overtaken)));
    assert!(matches!(
        archive.commit("p", None, state(1, "d"), &[]).await,
        Err(ArchiveError::Overtaken)
    ));
}
