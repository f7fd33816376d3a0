//! The way of a month through the provider, with a source that is told what to answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use store::{EmbeddedConfig, EmbeddedStore, ManualClock};

use super::*;

const ABRIL: &str = r#"{"PeriodoMY": "042026", "UFValPeriodo": "39.900,00", "UTMVal": "69889",
    "UTAVal": "838668", "RTIAfpUF": "90", "RTISegCesUF": "135,2", "RMITrabDepeInd": "539000",
    "TasaSIS": "1,54", "AFPUnoTasaDepTrab": "10,46"}"#;

#[derive(Debug)]
enum Say {
    Text(&'static str),
    Down,
    Hang,
}

#[derive(Debug)]
struct Fake {
    say: Say,
    asked: AtomicUsize,
}

impl Fake {
    fn new(say: Say) -> Arc<Self> {
        Arc::new(Self {
            say,
            asked: AtomicUsize::new(0),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl IndicatorSource for Fake {
    async fn fetch(&self, _period: Periodo) -> Result<Fetched, SourceError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.say {
            Say::Text(text) => Ok(Fetched {
                bytes: text.into(),
                url: "https://example.test/p".into(),
            }),
            Say::Down => Err(SourceError::new(SourceErrorKind::Unreachable, "fetch page")),
            Say::Hang => std::future::pending().await,
        }
    }
}

#[async_trait]
impl IndicatorExtractor for Fake {
    async fn extract(&self, ask: Ask<'_>) -> Result<Extracted, SourceError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(ask.question.contains("2026-04") && ask.schema.is_object());
        match self.say {
            Say::Text(text) => Ok(Extracted {
                text: text.into(),
                model: "prueba".into(),
                cost_usd: Some(Decimal::ONE),
            }),
            Say::Down => Err(SourceError::new(SourceErrorKind::Limited, "ask model")),
            Say::Hang => std::future::pending().await,
        }
    }
}

fn noviembre() -> Arc<ManualClock> {
    let seconds: i64 = jiff::civil::date(2026, 11, 22)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap()
        .timestamp()
        .as_second();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap());
    Arc::new(ManualClock::at(now))
}

fn provider(source: &Arc<Fake>) -> Provider {
    let clock = noviembre();
    let store = EmbeddedStore::in_memory(
        EmbeddedConfig::default(),
        Arc::clone(&clock) as Arc<dyn Clock>,
    )
    .unwrap();
    let config = ProviderConfig {
        fetch_timeout: Duration::from_millis(50),
        ..ProviderConfig::default()
    };
    Provider::new(Arc::new(store), clock, config)
        .with_source(Arc::clone(source) as Arc<dyn IndicatorSource>)
}

const fn mes(anio: i16, mes: i8) -> Periodo {
    Periodo::de(anio, mes)
}

#[tokio::test]
async fn a_built_in_month_asks_nobody() {
    let source = Fake::new(Say::Down);
    let answer = provider(&source).get(mes(2026, 3), false).await.unwrap();
    assert_eq!(
        (answer.metadata.source.as_str(), answer.degraded),
        ("builtin", None)
    );
    assert!(answer.indicators.len() >= 60);
    assert_eq!(source.asked(), 0);
}

#[tokio::test]
async fn a_fetched_month_is_checked_kept_and_not_fetched_again() {
    let source = Fake::new(Say::Text(ABRIL));
    let provider = provider(&source);
    let first = provider.get(mes(2026, 4), false).await.unwrap();
    assert_eq!(first.metadata.source, "previred");
    assert_eq!(
        first.metadata.fetched_at.as_deref(),
        Some("2026-11-22T00:00:00Z")
    );
    assert_eq!(
        first.indicators.get(Campo::ExpectativaVida),
        Some("0.9".parse().unwrap())
    );
    let again = provider.get(mes(2026, 4), false).await.unwrap();
    assert_eq!((again, source.asked()), (first, 1));
    provider.get(mes(2026, 4), true).await.unwrap();
    assert_eq!(source.asked(), 2, "force asks anew");
}

#[tokio::test]
async fn calls_at_one_time_fetch_once() {
    let source = Fake::new(Say::Text(ABRIL));
    let provider = provider(&source);
    let (one, two) = tokio::join!(
        provider.get(mes(2026, 4), false),
        provider.get(mes(2026, 4), false)
    );
    assert_eq!((one.unwrap(), source.asked()), (two.unwrap(), 1));
}

#[tokio::test]
async fn a_source_that_is_down_is_left_alone_for_a_while() {
    let source = Fake::new(Say::Down);
    let provider = provider(&source);
    let error = provider.get(mes(2026, 4), false).await.unwrap_err();
    assert_eq!(
        (error.code(), error.is_not_found(), error.is_retryable()),
        ("source_failed", false, true)
    );
    let error = provider.get(mes(2026, 4), false).await.unwrap_err();
    assert_eq!((error.code(), source.asked()), ("source_failed_lately", 1));
    assert_eq!(
        provider.get(mes(2026, 4), true).await.unwrap_err().code(),
        "source_failed"
    );
    // What is known is answered all the same.
    let known = provider.get(mes(2026, 3), true).await.unwrap();
    assert_eq!(
        (known.metadata.source.as_str(), known.degraded),
        ("builtin", Some("source_failed"))
    );
    let partial = provider.get(mes(2025, 12), false).await.unwrap();
    assert_eq!(
        (partial.indicators.get(Campo::Utm), partial.degraded),
        (None, Some("source_failed"))
    );
}

#[tokio::test]
async fn a_source_that_hangs_ends_in_time() {
    let source = Fake::new(Say::Hang);
    let error = provider(&source)
        .get(mes(2026, 4), false)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "source_timeout");
}

#[tokio::test]
async fn a_wrong_page_is_refused_and_not_kept() {
    let source = Fake::new(Say::Text(
        r#"{"PeriodoMY": "042026", "UFValPeriodo": "40120,20", "UTMVal": "70200", "RTIAfpUF": "90",
        "RTISegCesUF": "135,2", "RMITrabDepeInd": "539000", "TasaSIS": "1,54"}"#,
    ));
    let provider = provider(&source);
    let error = provider.get(mes(2026, 4), false).await.unwrap_err();
    assert_eq!(error.code(), "implausible_figures");
    assert!(error.to_string().contains("utm_contra_uf"), "{error}");
    assert_eq!(
        provider.get(mes(2026, 4), false).await.unwrap_err().code(),
        "source_failed_lately"
    );
}

#[tokio::test]
async fn months_to_come_are_not_asked_for() {
    let source = Fake::new(Say::Text(ABRIL));
    let provider = provider(&source);
    let error = provider.get(mes(2026, 12), false).await.unwrap_err();
    assert_eq!(
        (error.code(), error.is_not_found(), source.asked()),
        ("not_published", true, 0)
    );
    // The page still shows April, and isn't asked again at once.
    for _ in 0..2 {
        let error = provider.get(mes(2026, 5), false).await.unwrap_err();
        assert_eq!((error.code(), source.asked()), ("not_published", 1));
    }
}

#[tokio::test]
async fn a_model_reads_what_the_reader_does_not_know() {
    let source = Fake::new(Say::Text(
        "<html><p>Indicadores de abril: vea la imagen</p></html>",
    ));
    let model = Fake::new(Say::Text(
        r#"{"periodo": "2026-04", "indicadores": [{"nombre": "uf", "valor": "39.900,00"}, {"nombre": "utm", "valor": "69.889"}, {"nombre": "sueldo_minimo", "valor": "539.000"}, {"nombre": "afp_tope_uf", "valor": "90"}, {"nombre": "afc_tope_uf", "valor": "135,2"}, {"nombre": "sis_pct", "valor": "1,54"}]}"#,
    ));
    let with_model =
        provider(&source).with_extractor(Arc::clone(&model) as Arc<dyn IndicatorExtractor>);
    let answer = with_model.get(mes(2026, 4), false).await.unwrap();
    assert_eq!(answer.metadata.source, "previred+model");
    assert_eq!(
        (
            answer.metadata.model.as_deref(),
            answer.metadata.cost_usd.as_deref()
        ),
        (Some("prueba"), Some("1"))
    );
    // The same checks hold for it.
    let liar = Fake::new(Say::Text(
        r#"{"periodo": "2026-04", "indicadores": [{"nombre": "uf", "valor": "39.900,00"}, {"nombre": "utm", "valor": "70.200"}, {"nombre": "sueldo_minimo", "valor": "539.000"}, {"nombre": "afp_tope_uf", "valor": "90"}, {"nombre": "afc_tope_uf", "valor": "135,2"}, {"nombre": "sis_pct", "valor": "1,54"}]}"#,
    ));
    let with_liar = provider(&source).with_extractor(liar);
    assert_eq!(
        with_liar.get(mes(2026, 4), false).await.unwrap_err().code(),
        "implausible_figures"
    );
    // Without a model the reader's error stands.
    assert_eq!(
        provider(&source)
            .get(mes(2026, 4), false)
            .await
            .unwrap_err()
            .code(),
        "shape_drift"
    );
}

#[tokio::test]
async fn without_a_source_only_the_known_is_known() {
    let clock = noviembre();
    let store = EmbeddedStore::in_memory(
        EmbeddedConfig::default(),
        Arc::clone(&clock) as Arc<dyn Clock>,
    )
    .unwrap();
    let provider = Provider::new(Arc::new(store), clock, ProviderConfig::default());
    assert_eq!(
        provider.get(mes(2026, 4), false).await.unwrap_err().code(),
        "no_source"
    );
    assert!(provider.get(mes(2026, 2), false).await.is_ok());
}
