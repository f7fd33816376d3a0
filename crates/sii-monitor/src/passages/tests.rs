//! Items in a knowledge base: found with date and link, ended by what replaces them.

use jiff::civil::date;
use knowledge_base::{Config, Document, Hit};
use store::{EmbeddedConfig, EmbeddedStore, SystemClock};

use super::*;
use crate::item::{AnalizadoPor, Evento, Impacto, Reemplazo};

/// 22 November 2026, noon in Chile.
const NOW: i64 = 1_795_359_600;

fn item(id: &str, titulo: &str, resumen: &str) -> Item {
    Item {
        id: id.into(),
        tipo: "circular".into(),
        numero: Some("11".into()),
        fecha: Some(date(2026, 11, 20)),
        vigencia: Some(date(2027, 1, 1)),
        titulo: titulo.into(),
        url: Some("https://www.sii.cl/circu11.htm".into()),
        resumen: resumen.into(),
        cambios_tecnicos: Vec::new(),
        impacto: Impacto {
            nivel: "medio".into(),
            componentes_afectados: Vec::new(),
            requiere_certificacion: false,
            breaking_change: false,
            justificacion: String::new(),
        },
        acciones_requeridas: Vec::new(),
        prioridad: 2,
        detected_at: Timestamp::from_second(NOW).unwrap(),
        diff: String::new(),
        evento: Evento::Nuevo,
        fuente: "circulares".into(),
        analizado_por: AnalizadoPor::Reglas,
        plazos: Vec::new(),
        leyes: Vec::new(),
        reemplaza: Vec::new(),
    }
}

/// The item that a changed table makes, found so many days later.
fn figures(id: &str, days: i64, changed: &[(&str, &str, &str)]) -> Item {
    let reemplaza = changed.iter().map(|(indicador, antes, despues)| Reemplazo {
        indicador: (*indicador).into(),
        antes: (*antes).into(),
        despues: (*despues).into(),
    });
    Item {
        reemplaza: reemplaza.collect(),
        evento: Evento::Modificado,
        numero: None,
        detected_at: Timestamp::from_second(NOW + days * 86_400).unwrap(),
        ..item(id, "Cambió: Valores de la UTM", "Nuevos valores.")
    }
}

fn store() -> Arc<dyn Store> {
    let clock = Arc::new(SystemClock);
    Arc::new(EmbeddedStore::in_memory(EmbeddedConfig::default(), clock).unwrap())
}

fn over(store: &Arc<dyn Store>, documents: Vec<Document>) -> (KnowledgeBase, Passages) {
    let base = KnowledgeBase::from_documents(documents, Config::default()).unwrap();
    let passages = Passages::try_new(base.clone(), Arc::clone(store)).unwrap();
    (base, passages)
}

fn found(base: &KnowledgeBase, question: &str, days: i64) -> Vec<Hit> {
    let day = date(2026, 11, 22).checked_add(days.days()).unwrap();
    base.search(&Query::new(question).top_k(20).today(day))
}

fn ids(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.document_id.as_str()).collect()
}

#[tokio::test]
async fn an_item_is_found_at_once_with_its_date_and_link() {
    let (base, passages) = over(&store(), Vec::new());
    let patente = item(
        "circular-11-2026",
        "Circular N° 11 del 20 de noviembre del 2026",
        "La guía de despacho lleva la patente del vehículo.\n# No es un título",
    );
    passages.accept(&patente).await.unwrap();
    passages.accept(&patente).await.unwrap();
    let hits = found(&base, "¿la guía de despacho lleva patente del vehículo?", 0);
    assert_eq!(ids(&hits), ["sii/circular-11-2026"]);
    let hit = &hits[0];
    assert!(hit.is_relevant(), "{hit:?}");
    assert_eq!(hit.url.as_deref(), Some("https://www.sii.cl/circu11.htm"));
    for said in ["20-11-2026", "22-11-2026", "Rige desde el 01-01-2027"] {
        assert!(hit.content.contains(said), "{said}: {}", hit.content);
    }
    assert_eq!(&*hit.section, "", "{hit:?}");
}

#[tokio::test]
async fn a_figure_that_is_replaced_ends_what_stated_it() {
    let dated = Document::new("indicadores/utm", "UTM del mes", "La UTM es $69.542.")
        .valid(Some(date(2026, 10, 1)), None);
    let other = Document::new("indicadores/otra", "UTM de otro mes", "La UTM fue $69.265.")
        .valid(Some(date(2026, 9, 1)), None);
    let general = Document::new(
        "nomina/utm",
        "Qué es la UTM",
        "La UTM de octubre fue 69.542.",
    );
    let (base, passages) = over(&store(), vec![dated, other, general]);
    let first = [
        ("utm", "UTM noviembre", "UTM noviembre 69.611"),
        ("uf", "UF 39.643,59", "UF 39.700,01"),
    ];
    let first = figures("cambio-1", 0, &first);
    let second = figures("cambio-2", 1, &[("utm", "UTM 69.542", "UTM 69.900")]);
    let third = figures("cambio-3", 2, &[("uf", "UF 39.700,01", "UF 39.800,02")]);
    passages.accept(&first).await.unwrap();
    passages.accept(&second).await.unwrap();
    // One of its figures holds still.
    assert!(ids(&found(&base, "valor de la UTM", 1)).contains(&"sii/cambio-1"));
    // The dated article with the very number has ended, the others have not.
    let now = found(&base, "valor de la UTM", 1);
    assert!(!ids(&now).contains(&"indicadores/utm"), "{now:?}");
    assert!(ids(&now).contains(&"indicadores/otra") && ids(&now).contains(&"nomina/utm"));
    passages.accept(&third).await.unwrap();
    let now = found(&base, "valor de la UTM y la UF", 2);
    assert!(!ids(&now).contains(&"sii/cambio-1"), "{now:?}");
    assert!(ids(&now).contains(&"sii/cambio-2") && ids(&now).contains(&"sii/cambio-3"));
    // It is marked, not lost: a question of the day on which it held finds it.
    let then = found(&base, "valor de la UTM y la UF", 0);
    assert!(ids(&then).contains(&"sii/cambio-1"), "{then:?}");
    let all = base.search(&Query::new("valor de la UTM").top_k(20));
    let article = all.iter().find(|hit| hit.document_id == "indicadores/utm");
    assert_eq!(article.unwrap().valid_to, Some(date(2026, 11, 22)));
}

#[tokio::test]
async fn an_item_that_comes_late_replaces_nothing_newer() {
    let (base, passages) = over(&store(), Vec::new());
    let new = figures("cambio-2", 1, &[("utm", "UTM 69.542", "UTM 69.900")]);
    let old = figures("cambio-1", 0, &[("utm", "UTM 69.265", "UTM 69.542")]);
    passages.accept(&new).await.unwrap();
    passages.accept(&old).await.unwrap();
    assert_eq!(ids(&found(&base, "valor de la UTM", 2)), ["sii/cambio-2"]);
}

#[tokio::test]
async fn what_is_gone_from_the_site_is_cited_no_more() {
    let (base, passages) = over(&store(), Vec::new());
    let new = item("circular-11-2026", "Circular N° 11", "Patente en la guía.");
    passages.accept(&new).await.unwrap();
    let gone = Item {
        evento: Evento::Eliminado,
        ..item(
            "baja-1",
            "Eliminado del sitio: Circular N° 11",
            "Patente en la guía.",
        )
    };
    passages.accept(&gone).await.unwrap();
    assert_eq!(ids(&found(&base, "patente en la guía", 0)), ["sii/baja-1"]);
}

#[tokio::test]
async fn other_replicas_and_later_processes_catch_up() {
    let store = store();
    let archive = Archive::new(Arc::clone(&store));
    for day in 0..3 {
        let change = format!("UTM 70.00{day}");
        let before = format!("UTM 69.99{day}");
        let item = figures(&format!("cambio-{day}"), day, &[("utm", &before, &change)]);
        archive.publish(&item, None).await.unwrap();
    }
    let (base, passages) = over(&store, Vec::new());
    assert_eq!(passages.catch_up().await.unwrap(), 3);
    assert_eq!(passages.catch_up().await.unwrap(), 0);
    assert_eq!(ids(&found(&base, "valor de la UTM", 3)), ["sii/cambio-2"]);
    // A message wakes who follows: the look after next would be minutes away.
    let (other, following) = over(&store, Vec::new());
    let mut generation = other.generation();
    let task = tokio::spawn(async move { following.follow().await });
    let wait = async |generation: &mut tokio::sync::watch::Receiver<u64>, id: &str| {
        while !ids(&found(&other, "valor de la UTM", 9)).contains(&id) {
            generation.changed().await.unwrap();
        }
    };
    wait(&mut generation, "sii/cambio-2").await;
    let next = figures("cambio-9", 5, &[("utm", "UTM 70.002", "UTM 71.000")]);
    archive.publish(&next, None).await.unwrap();
    passages.accept(&next).await.unwrap();
    let within = timeout(LOOK_EVERY / 2, wait(&mut generation, "sii/cambio-9"));
    within.await.expect("the message didn't wake it");
    task.abort();
}

#[tokio::test]
async fn the_oldest_give_way() {
    let (base, mut passages) = over(&store(), Vec::new());
    passages.most = 5;
    for n in 0..=5 {
        let item = Item {
            detected_at: Timestamp::from_second(NOW + n).unwrap(),
            ..item(&format!("c-{n}"), "Circular", "Texto.")
        };
        passages.accept(&item).await.unwrap();
    }
    assert_eq!(base.stats().documents, 5);
    assert!(!base.remove("sii/c-0").await.unwrap());
}

#[tokio::test]
async fn odd_items_are_passages_too() {
    let (base, passages) = over(&store(), Vec::new());
    let odd = Item {
        url: Some("javascript:alert(1)".into()),
        ..item("x#\n/../ñ", " \n", "")
    };
    passages.accept(&odd).await.unwrap();
    assert!(base.remove("sii/x______.._").await.is_ok());
    let long = Item {
        resumen: "ñ".repeat(100_000),
        titulo: "ó".repeat(5_000),
        tipo: "ó".repeat(5_000),
        ..item(&"y".repeat(5_000), "", "")
    };
    passages.accept(&long).await.unwrap();
}
