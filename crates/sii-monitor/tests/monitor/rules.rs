//! Rules of single cases: the turn of the year, watched documents, a sink that fails, a page that
//! is accepted as it is, the model.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use llm_client::test_util::{Outcome, ScriptedModel};
use sii_monitor::archive::NewsQuery;
use sii_monitor::deliver::Deliveries;
use sii_monitor::index::Tipo;
use sii_monitor::item::{AnalizadoPor, Item};
use sii_monitor::run::{Monitor, MonitorConfig, MonitorError, Parts, RunStatus};
use sii_monitor::sink::{NewsSink, SinkError};
use sii_monitor::source::{Kind, Source, SourceError};
use store::ManualClock;

use crate::memory::Site;
use crate::rig::{Told, clock, monitor, store};

const DAY: Duration = Duration::from_secs(86_400);

async fn news(monitor: &Monitor) -> Vec<Item> {
    let query = NewsQuery {
        limit: Some(100),
        ..NewsQuery::default()
    };
    monitor.archive().news(&query).await.unwrap().items
}

fn circular(n: u32, year: u32) -> String {
    format!(
        "<h5><a href='/{year}/c{n}.pdf'>Circular N° {n} del 5 de Enero del {year}</a></h5><p>IVA.</p>"
    )
}

#[tokio::test]
async fn the_first_circular_of_a_year_is_news() {
    let (clock, told, site) = (clock(), Told::default(), Site::default());
    let source = Source {
        tipo: Tipo::Circular,
        ..Source::new("circulares", "https://sii.test/{year}/i.htm", Kind::Index)
    };
    let monitor = monitor(
        vec![source],
        store(&clock),
        Arc::new(site.clone()),
        &clock,
        &told,
    );
    site.set("/2026/i.htm", &circular(1, 2026));
    assert_eq!(monitor.run(true).await.unwrap().news_created, 0);
    // January: the new year's page isn't there yet, which is no error.
    clock.advance(DAY * 45);
    let report = monitor.run(true).await.unwrap();
    assert_eq!(
        (report.status, report.urls_scraped),
        (RunStatus::Success, 2)
    );
    let status = monitor.status().await.unwrap();
    assert_eq!(status.sources[0].key, "circulares:2027");
    assert_eq!(
        status.sources[0].state.last_status.as_deref(),
        Some("not_published")
    );
    // It appears with a circular on it, and the old year gets a late one.
    site.set("/2027/i.htm", &circular(1, 2027));
    site.set("/2026/i.htm", &(circular(99, 2026) + &circular(1, 2026)));
    assert_eq!(monitor.run(true).await.unwrap().news_created, 2);
    let mut ids: Vec<String> = news(&monitor)
        .await
        .into_iter()
        .map(|item| item.id)
        .collect();
    ids.sort();
    assert_eq!(ids, ["circular-1-2027", "circular-99-2026"]);
}

#[tokio::test]
async fn documents_of_an_index_are_watched_where_that_is_asked_for() {
    let (clock, told, site) = (clock(), Told::default(), Site::default());
    let source = Source {
        watch_documents: true,
        ..Source::new("esquemas", "https://sii.test/i.htm", Kind::Index)
    };
    let monitor = monitor(
        vec![source],
        store(&clock),
        Arc::new(site.clone()),
        &clock,
        &told,
    );
    site.set(
        "/i.htm",
        "<ul><li><a href='/dte.xsd'>Esquema del DTE</a></li></ul>",
    );
    site.set(
        "/dte.xsd",
        "<x:element name=\"Folio\">\n<x:maxLength value=\"10\"/>",
    );
    assert_eq!(monitor.run(true).await.unwrap().news_created, 0);
    site.set(
        "/dte.xsd",
        "<x:element name=\"Folio\">\n<x:maxLength value=\"12\"/>",
    );
    let report = monitor.run(true).await.unwrap();
    assert_eq!((report.news_created, report.errors), (1, vec![]));
    let item = news(&monitor).await.remove(0);
    assert!(item.diff.contains("value=\"12\""), "{}", item.diff);
    assert_eq!(item.url.as_deref(), Some("https://sii.test/dte.xsd"));
}

#[tokio::test]
async fn a_page_that_is_right_as_it_is_can_be_accepted() {
    let (clock, told, site) = (clock(), Told::default(), Site::default());
    let source = Source::new("a", "https://sii.test/a", Kind::Article);
    let monitor = monitor(
        vec![source],
        store(&clock),
        Arc::new(site.clone()),
        &clock,
        &told,
    );
    site.set(
        "/a",
        "<p>Un texto largo sobre la factura electrónica y sus plazos.</p>",
    );
    monitor.run(true).await.unwrap();
    site.set("/a", "<p>Derogado.</p>");
    for _ in 0..2 {
        let report = monitor.run(true).await.unwrap();
        assert_eq!(report.status, RunStatus::Error);
        assert!(
            report.errors[0].starts_with("a: shrunk: "),
            "{:?}",
            report.errors
        );
    }
    assert!(monitor.archive().forget("a").await.unwrap());
    assert_eq!(monitor.run(true).await.unwrap().status, RunStatus::Success);
}

#[derive(Debug, Default)]
struct Moody {
    up: AtomicBool,
    told: Told,
}

#[async_trait]
impl NewsSink for Moody {
    async fn accept(&self, item: &Item) -> Result<(), SinkError> {
        if self.up.load(Ordering::SeqCst) {
            return self.told.accept(item).await;
        }
        Err(SinkError::Unavailable)
    }
}

fn parts(clock: &Arc<ManualClock>, site: &Site) -> Parts {
    let store = store(clock);
    Parts {
        deliveries: Deliveries::new(Arc::clone(&store), Vec::new(), TimeZone::UTC),
        store,
        fetcher: Arc::new(site.clone()),
        model: None,
        sink: None,
        clock: Arc::clone(clock) as Arc<dyn store::Clock>,
    }
}

#[tokio::test]
async fn a_sink_that_is_down_gets_the_item_later_and_the_model_says_what_it_means() {
    let (clock, site, sink) = (clock(), Site::default(), Arc::new(Moody::default()));
    let answer = r#"{"resumen": "La UTM sube.", "cambios_tecnicos": [], "nivel": "medio",
        "componentes_afectados": ["indicadores"], "requiere_certificacion": false,
        "breaking_change": false, "justificacion": "x", "acciones_requeridas": []}"#;
    let model = ScriptedModel::new("scripted-1").otherwise(Outcome::text(answer));
    let config = MonitorConfig {
        sources: vec![Source::new("utm", "https://sii.test/utm", Kind::Table)],
        ..MonitorConfig::default()
    };
    let parts = Parts {
        model: Some(Arc::new(model)),
        sink: Some(Arc::clone(&sink) as Arc<dyn NewsSink>),
        ..parts(&clock, &site)
    };
    let monitor = Monitor::try_new(config, parts).unwrap();
    let table =
        |utm: &str| format!("<h2>UTM</h2><table><tr><td>Noviembre</td><td>{utm}</td></tr></table>");
    site.set("/utm", &table("69.542"));
    monitor.tick().await;
    site.set("/utm", &table("70.118"));
    clock.advance(Duration::from_secs(25 * 3_600));
    monitor.tick().await;
    assert!(sink.told.passages.lock().unwrap().is_empty());
    sink.up.store(true, Ordering::SeqCst);
    // Nothing is due, but what waits is handed on.
    monitor.tick().await;
    monitor.tick().await;
    assert_eq!(sink.told.passages.lock().unwrap().len(), 1);
    let item = news(&monitor).await.remove(0);
    assert_eq!(
        (item.analizado_por, item.resumen.as_str()),
        (AnalizadoPor::Modelo, "La UTM sube.")
    );
    let replaced = &item.reemplaza[0];
    assert_eq!(replaced.indicador, "utm");
    assert!(replaced.antes.contains("69.542") && replaced.despues.contains("70.118"));
}

#[tokio::test]
async fn sources_with_an_interval_of_their_own_rest() {
    let (clock, told, site) = (clock(), Told::default(), Site::default());
    let source = Source {
        every_hours: Some(24),
        ..Source::new("uf", "https://sii.test/uf", Kind::Table)
    };
    let monitor = monitor(
        vec![source],
        store(&clock),
        Arc::new(site.clone()),
        &clock,
        &told,
    );
    site.set("/uf", "<p>UF de hoy</p>");
    for (hours, visited) in [(0, 1), (6, 0), (12, 0), (6, 1)] {
        clock.advance(Duration::from_secs(hours * 3_600));
        let report = monitor.run(false).await.unwrap();
        assert_eq!(report.urls_scraped, visited);
    }
    assert_eq!(monitor.run(true).await.unwrap().urls_scraped, 1, "forced");
}

#[test]
fn what_is_no_configuration() {
    let (clock, site) = (clock(), Site::default());
    let refused = |config| Monitor::try_new(config, parts(&clock, &site)).unwrap_err();
    let twice = Source::new("a", "https://a.cl", Kind::Article);
    let sources = vec![twice.clone(), twice];
    let config = MonitorConfig {
        sources,
        ..MonitorConfig::default()
    };
    assert_eq!(
        refused(config),
        MonitorError::Source(SourceError::Twice("a".into()))
    );
    let config = MonitorConfig {
        lease: Duration::from_secs(2),
        ..MonitorConfig::default()
    };
    assert_eq!(refused(config), MonitorError::Limits);
}
