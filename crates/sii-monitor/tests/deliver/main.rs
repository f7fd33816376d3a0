//! Telling, against real servers on loopback: who is told what, and what a failure costs.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop the test")]

mod documented;
mod servers;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use servers::{Answer, HttpServer, MailServer};
use sii_monitor::deliver::{
    Channel, Deliveries, Digest, Notice, Outlet, Policy, SendErrorKind, Slack, Smtp, SmtpConfig,
    SmtpTls, Webhook,
};
use store::{EmbeddedConfig, EmbeddedStore, Store, SystemClock};

const LIMIT: Duration = Duration::from_secs(1);

fn store() -> Arc<dyn Store> {
    Arc::new(EmbeddedStore::in_memory(EmbeddedConfig::default(), Arc::new(SystemClock)).unwrap())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn notice(id: &str, prioridad: u8) -> Notice {
    Notice {
        id: id.into(),
        tipo: "circular".into(),
        numero: Some("11".into()),
        fecha: None,
        vigencia: None,
        titulo: format!("Circular {id}"),
        url: None,
        resumen: "Instruye sobre el IVA.".into(),
        prioridad,
        breaking: false,
        acciones: Vec::new(),
        detected_at: at(0),
    }
}

fn slack(url: &str) -> Box<dyn Channel> {
    Box::new(Slack::try_new(SecretString::from(url), LIMIT).unwrap())
}

fn outlet(name: &str, channel: Box<dyn Channel>) -> Outlet {
    Outlet {
        name: name.into(),
        policy: Policy::default(),
        channel,
    }
}

fn deliveries(store: &Arc<dyn Store>, outlets: Vec<Outlet>) -> Deliveries {
    let zone = TimeZone::get("America/Santiago").unwrap();
    Deliveries::new(Arc::clone(store), outlets, zone)
}

#[tokio::test]
async fn everyone_is_told_once_what_they_want() {
    let (all, urgent) = (HttpServer::start().await, HttpServer::start().await);
    let store = store();
    let mut picky = outlet("urgente", slack(&urgent.url()));
    picky.policy.min_priority = 4;
    let deliveries = deliveries(&store, vec![outlet("todo", slack(&all.url())), picky]);
    let notices = [notice("a", 2), notice("b", 5)];
    deliveries.offer(&notices, at(0)).await.unwrap();
    // Offered again, as after a crash.
    deliveries.offer(&notices, at(1)).await.unwrap();
    let round = deliveries.tell(at(1)).await;
    assert_eq!(round.channels["todo"].sent, 2);
    assert_eq!(round.channels["urgente"].sent, 1);
    // Told is told, also for what is offered once more.
    deliveries.offer(&notices, at(2)).await.unwrap();
    assert_eq!(deliveries.tell(at(2)).await.channels["todo"].sent, 0);
    let bodies = all.bodies();
    assert_eq!(bodies.len(), 2);
    assert!(
        bodies[0].contains("Circular b"),
        "the urgent one goes first"
    );
    assert_eq!(urgent.bodies().len(), 1);
}

#[tokio::test]
async fn a_channel_that_fails_or_hangs_delays_no_other() {
    let (good, hung, broken) = (
        HttpServer::start().await,
        HttpServer::start().await,
        HttpServer::start().await,
    );
    hung.always(Answer::Hang);
    broken.always(Answer::Status(500, None));
    let store = store();
    let outlets = vec![
        outlet("colgado", slack(&hung.url())),
        outlet("roto", slack(&broken.url())),
        outlet("bueno", slack(&good.url())),
        outlet("nadie", slack("http://127.0.0.1:1/")),
    ];
    let deliveries = deliveries(&store, outlets);
    let many: Vec<_> = (0..5).map(|n| notice(&format!("n{n}"), 3)).collect();
    deliveries.offer(&many, at(0)).await.unwrap();
    let round = deliveries.tell(at(0)).await;
    // One attempt of the hung channel, not five: it is left after its first failure.
    assert_eq!(hung.requests().len(), 1);
    assert_eq!(round.channels["bueno"].sent, 5);
    for (name, kind) in [
        ("colgado", SendErrorKind::Timeout),
        ("roto", SendErrorKind::Failed),
        ("nadie", SendErrorKind::Unreachable),
    ] {
        let told = &round.channels[name];
        assert_eq!((told.sent, told.failed), (0, 1), "{name}");
        assert_eq!(told.error.unwrap().kind(), kind);
    }
    // Not before its time again; after it, all of them.
    assert_eq!(
        deliveries.tell(at(1)).await.channels["roto"].failed,
        1,
        "the next one"
    );
    broken.always(Answer::Status(200, None));
    let told = deliveries.tell(at(100)).await.channels["roto"].clone();
    assert_eq!((told.sent, told.waiting), (5, 5));
}

#[tokio::test]
async fn patience_that_is_asked_for_is_given() {
    let server = HttpServer::start().await;
    server.always(Answer::Status(429, Some(3_600)));
    let store = store();
    let deliveries = deliveries(&store, vec![outlet("slack", slack(&server.url()))]);
    deliveries.offer(&[notice("a", 3)], at(0)).await.unwrap();
    let told = deliveries.tell(at(0)).await.channels["slack"].clone();
    assert_eq!(told.error.unwrap().kind(), SendErrorKind::Busy);
    server.always(Answer::Status(200, None));
    assert_eq!(deliveries.tell(at(3_599)).await.channels["slack"].sent, 0);
    assert_eq!(deliveries.tell(at(3_600)).await.channels["slack"].sent, 1);
}

#[tokio::test]
async fn what_is_refused_or_fails_for_days_is_kept_apart_and_can_be_revived() {
    let server = HttpServer::start().await;
    let store = store();
    let deliveries = deliveries(&store, vec![outlet("slack", slack(&server.url()))]);
    server.always(Answer::Status(404, None));
    deliveries.offer(&[notice("a", 3)], at(0)).await.unwrap();
    assert_eq!(deliveries.tell(at(0)).await.channels["slack"].dead, 1);
    server.always(Answer::Status(503, None));
    deliveries.offer(&[notice("b", 3)], at(0)).await.unwrap();
    let mut attempts = 0;
    for hour in 0..24 * 5 {
        let told = deliveries.tell(at(hour * 3_600)).await.channels["slack"].clone();
        attempts += told.failed + told.dead;
    }
    assert_eq!(attempts, 11);
    let mut dead: Vec<_> = deliveries.dead("slack").await.unwrap();
    dead.sort_by(|a, b| a.id.cmp(&b.id));
    let ids: Vec<_> = dead.iter().map(|notice| notice.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    server.always(Answer::Status(200, None));
    assert_eq!(deliveries.revive("slack", at(600_000)).await.unwrap(), 2);
    assert_eq!(deliveries.tell(at(600_000)).await.channels["slack"].sent, 2);
    assert!(deliveries.dead("slack").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_digest_is_one_message() {
    let server = HttpServer::start().await;
    let store = store();
    let mut hourly = outlet("slack", slack(&server.url()));
    hourly.policy.digest = Digest::Hourly;
    let deliveries = deliveries(&store, vec![hourly]);
    let many: Vec<_> = (0..5).map(|n| notice(&format!("n{n}"), 3)).collect();
    deliveries.offer(&many, at(0)).await.unwrap();
    assert_eq!(deliveries.tell(at(1)).await.channels["slack"].sent, 0);
    assert_eq!(deliveries.tell(at(3_600)).await.channels["slack"].sent, 5);
    assert_eq!(server.bodies().len(), 1);
}

#[tokio::test]
async fn a_webhook_is_signed_and_its_retries_are_known() {
    let server = HttpServer::start().await;
    server.once(Answer::CutOff);
    let secret = SecretString::from("secreto-compartido");
    let webhook = Webhook::try_new(server.url().into(), secret.clone(), LIMIT).unwrap();
    let store = store();
    let deliveries = deliveries(&store, vec![outlet("erp", Box::new(webhook))]);
    deliveries.offer(&[notice("a", 3)], at(0)).await.unwrap();
    let told = deliveries.tell(at(0)).await.channels["erp"].clone();
    assert_eq!(told.error.unwrap().kind(), SendErrorKind::Unreachable);
    assert_eq!(deliveries.tell(at(100)).await.channels["erp"].sent, 1);
    let requests = server.requests();
    let [first, second] = requests.as_slice() else {
        panic!("{}", requests.len());
    };
    assert_eq!(first.header("x-event-id"), second.header("x-event-id"));
    let expected =
        sii_monitor::deliver::webhook::signature(&secret, at(100), second.body.as_bytes());
    assert_eq!(second.header("x-signature"), expected);
}

fn smtp(server: &MailServer) -> Smtp {
    Smtp::try_new(SmtpConfig {
        host: "127.0.0.1".into(),
        port: server.port(),
        tls: SmtpTls::None,
        user: None,
        password: None,
        from: "ai-service <avisos@empresa.cl>".into(),
        to: vec!["contabilidad@empresa.cl".into(), "ti@empresa.cl".into()],
        limit: Duration::from_secs(5),
    })
    .unwrap()
}

#[tokio::test]
async fn a_mail_reaches_its_server_and_a_refusal_is_told_apart() {
    let server = MailServer::start().await;
    let channel = smtp(&server);
    let told = [notice("a", 5)];
    channel.send("e-1", &told, at(0)).await.unwrap();
    let mail = server.mails().remove(0);
    for part in [
        "From: ai-service <avisos@empresa.cl>",
        "To: contabilidad@empresa.cl, ti@empresa.cl",
        "Subject: [SII, urgente] Circular a",
        "Message-ID: <e-1@ai-service>",
        "Instruye sobre el IVA.",
        "text/html",
    ] {
        assert!(mail.contains(part), "{part} is not in\n{mail}");
    }
    for (reply, kind) in [
        ("550 no such user", SendErrorKind::Refused),
        ("451 try again later", SendErrorKind::Busy),
    ] {
        server.answer_data_with(reply);
        let error = channel.send("e-2", &told, at(0)).await.unwrap_err();
        assert_eq!(error.kind(), kind);
    }
    let port = server.port();
    drop(server);
    let gone = SmtpConfig {
        host: "127.0.0.1".into(),
        port,
        tls: SmtpTls::None,
        user: None,
        password: None,
        from: "a@b.cl".into(),
        to: vec!["c@d.cl".into()],
        limit: LIMIT,
    };
    let error = Smtp::try_new(gone).unwrap().send("e", &told, at(0)).await;
    assert!(error.unwrap_err().is_retryable());
}

#[test]
fn addresses_that_are_none() {
    for url in ["", "ftp://x", "no es", "https://"] {
        let error = Slack::try_new(url.into(), LIMIT).unwrap_err();
        assert_eq!(error.kind(), SendErrorKind::Configuration, "{url}");
        assert!(!error.is_retryable());
    }
}
