//! Clients that are slow, large, many or malicious.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{KEY, Options, Reply, Request, Service, valid};

const LIMIT: Duration = Duration::from_secs(30);

/// Sends these bytes and reads until the server closes.
async fn raw(service: &Service, parts: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(service.addr).await.unwrap();
    for part in parts {
        stream.write_all(part).await.unwrap();
    }
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    // A reset after the answer is a close as well.
    let _ = tokio::time::timeout(LIMIT, read)
        .await
        .expect("the server doesn't close");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_head_that_does_not_come_closes_the_connection() {
    let service = Options::default()
        .config("[limits]\nhead_timeout_ms = 200\n")
        .start()
        .await;
    for head in [&b""[..], b"GET /live HTTP/1.1\r\nhost: a\r\n"] {
        let answer = raw(&service, &[head]).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408() {
    let service = Options::default()
        .config("[limits]\nbody_timeout_ms = 200\n")
        .start()
        .await;
    let head = format!(
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    let answer = raw(&service, &[head.as_bytes()]).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("body_timeout"), "{answer}");
}

#[tokio::test]
async fn a_head_that_is_too_large_or_ambiguous_is_refused() {
    let service = Service::start().await;
    let large = format!(
        "GET /live HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n",
        "y".repeat(64 * 1024)
    );
    assert!(
        raw(&service, &[large.as_bytes()])
            .await
            .starts_with("HTTP/1.1 431")
    );
    let both = b"POST /api/ai/validate HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\
        transfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n\r\n";
    let answer = raw(&service, &[both]).await;
    assert_eq!(
        answer.matches("HTTP/1.1 ").count(),
        1,
        "no request is smuggled: {answer}"
    );
    let two =
        b"POST /live HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc";
    assert!(raw(&service, &[two]).await.starts_with("HTTP/1.1 400"));
    for nonsense in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"hola\r\n\r\n",
    ] {
        assert!(raw(&service, &[nonsense]).await.starts_with("HTTP/1.1 400"));
    }
}

#[tokio::test]
async fn an_unannounced_body_over_the_limit_is_refused_on_the_way() {
    let service = Options::default()
        .config("[limits]\nmax_body_bytes = 2048\n")
        .start()
        .await;
    let head = format!(
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let chunk = format!("400\r\n{}\r\n", " ".repeat(1024));
    let parts = [
        head.as_bytes(),
        chunk.as_bytes(),
        chunk.as_bytes(),
        chunk.as_bytes(),
    ];
    assert!(raw(&service, &parts).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn a_hundred_megabytes_and_a_billion_laughs_take_no_memory() {
    let service = Service::start().await;
    assert_eq!(service.send(Request::validate(&valid())).await.status, 200);
    let before = service.memory_kib("VmHWM").await;
    let mut stream = TcpStream::connect(service.addr).await.unwrap();
    let head = format!(
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\n\
         content-type: application/json\r\ncontent-length: 104857600\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let filler = vec![b' '; 1024 * 1024];
    for _ in 0..100 {
        // The server refuses before it has read it all, and then takes no more.
        if stream.write_all(&filler).await.is_err() {
            break;
        }
    }
    drop(stream);
    let mut laughs = String::from("<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a0 \"ja\">");
    for i in 1..30 {
        laughs.push_str(&format!(
            "<!ENTITY a{i} \"{}\">",
            format!("&a{};", i - 1).repeat(10)
        ));
    }
    laughs.push_str("]><DTE><Documento>&a29;</Documento></DTE>");
    let deep = "<a>".repeat(400_000);
    for xml in [laughs, deep] {
        let reply = service
            .send(Request::validate(
                &json!({ "company_id": 1, "dte_xml": xml }),
            ))
            .await;
        assert_eq!(reply.status, 422, "{reply:?}");
    }
    let grown = service.memory_kib("VmHWM").await - before;
    assert!(grown < 24 * 1024, "{grown} KiB more at the peak");
}

#[tokio::test]
async fn connections_and_requests_over_the_limit_are_shed_with_503() {
    let config = "[limits]\nmax_connections = 2\n";
    let service = Options::default().config(config).start().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(service.addr).await.unwrap();
        stream
            .write_all(b"GET /live HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        held.push(stream);
    }
    // Also a client that has asked before it is refused gets to read it.
    let ask = format!("POST / HTTP/1.1\r\nhost: a\r\n\r\n{}", " ".repeat(100_000));
    let answer = raw(&service, &[ask.as_bytes()]).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"),
        "{answer}"
    );
    assert!(answer.contains("application/problem+json"), "{answer}");
    assert!(answer.contains(r#""code":"overloaded""#), "{answer}");
    drop(held);
}

#[tokio::test]
async fn requests_over_the_limit_are_shed_but_probes_are_not() {
    let mock = mock_anthropic::MockServer::start(mock_anthropic::Config::default())
        .await
        .unwrap();
    mock.inject(mock_anthropic::Fault::Hang, 1);
    let options = Options::default()
        .model(&mock, 5_000)
        .config("max_in_flight = 1\n");
    let service = options.start().await;
    let addr = service.addr;
    let held = tokio::spawn(async move { Request::validate(&valid()).try_send(addr).await });
    mock.wait_for(LIMIT, |stats| stats.in_flight == 1)
        .await
        .unwrap();
    let reply = service.send(Request::validate(&valid())).await;
    assert_eq!(reply.status, 503);
    assert_eq!(
        (reply.header("retry-after"), &reply.json()["code"]),
        ("1", &json!("overloaded"))
    );
    assert_eq!(
        service
            .send(Request::bare(Method::GET, "/live"))
            .await
            .status,
        200
    );
    assert_eq!(held.await.unwrap().unwrap().status, 200);
}

/// A client as Python's: all of the body first, then the answer.
async fn blocking_client(service: &Service, head: &str, bytes: usize) -> String {
    let mut stream = TcpStream::connect(service.addr).await.unwrap();
    let head = format!("{head}host: a\r\ncontent-length: {bytes}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; bytes]).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    String::from_utf8_lossy(&first).into_owned()
}

#[tokio::test]
async fn a_client_that_reads_only_after_its_body_sees_the_refusal() {
    let service = Service::start().await;
    let post = "POST /api/ai/validate HTTP/1.1\r\n";
    let key = format!("{post}authorization: Bearer {KEY}\r\n");
    for (head, status) in [
        (key.clone(), 413),
        (post.to_owned(), 401),
        (format!("{key}content-type: text/xml\r\n"), 415),
        ("POST /nada HTTP/1.1\r\n".to_owned(), 404),
        ("POST /live HTTP/1.1\r\n".to_owned(), 405),
    ] {
        let answer = blocking_client(&service, &head, 12 * 1024 * 1024).await;
        assert_eq!(answer, format!("HTTP/1.1 {status}"));
    }
}

#[tokio::test]
async fn a_client_that_never_reads_its_answers_is_left() {
    let service = Options::default()
        .config("[limits]\nwrite_timeout_ms = 300\n")
        .start()
        .await;
    let mut stream = TcpStream::connect(service.addr).await.unwrap();
    let requests = b"GET /live HTTP/1.1\r\nhost: a\r\n\r\n".repeat(1_000);
    let ask = async { while stream.write_all(&requests).await.is_ok() {} };
    // It fails only when the server has closed.
    tokio::time::timeout(LIMIT, ask)
        .await
        .expect("the server waits for ever");
}

#[tokio::test]
async fn bodies_over_the_limit_of_all_together_are_shed() {
    let config = "[limits]\nmax_body_bytes = 8192\nmax_in_flight_bytes = 8192\n";
    let service = Options::default().config(config).start().await;
    let mut held = TcpStream::connect(service.addr).await.unwrap();
    let head = format!(
        "POST /api/ai/validate HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\n\
         content-length: 8000\r\nexpect: 100-continue\r\n\r\n"
    );
    held.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    held.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 100", "it waits for the body");
    let reply = service.send(Request::validate(&valid())).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["code"]),
        (503, &json!("overloaded"))
    );
    held.write_all(&b" ".repeat(8_000)).await.unwrap();
    let mut rest = [0; 37];
    held.read_exact(&mut rest).await.unwrap();
    assert!(String::from_utf8_lossy(&rest).contains("HTTP/1.1 400"));
    assert_eq!(service.send(Request::validate(&valid())).await.status, 200);
}

#[tokio::test]
async fn what_goes_on_for_a_client_that_left_keeps_its_place() {
    let mock = mock_anthropic::MockServer::start(mock_anthropic::Config::default())
        .await
        .unwrap();
    mock.inject(mock_anthropic::Fault::Hang, 1);
    let options = Options::default()
        .model(&mock, 8_000)
        .config("max_in_flight = 1\n");
    let service = options.start().await;
    let addr = service.addr;
    let gone = tokio::spawn(async move { Request::validate(&valid()).try_send(addr).await });
    mock.wait_for(LIMIT, |stats| stats.in_flight == 1)
        .await
        .unwrap();
    gone.abort();
    let _ = gone.await;
    service.log(|line| line["status"] == 499).await;
    let reply = service.send(Request::validate(&valid())).await;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert_eq!(mock.stats().in_flight, 1);
    mock.wait_for(LIMIT, |stats| stats.in_flight == 0)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_envelope_of_wrong_documents_gets_an_answer_of_bounded_size() {
    let service = Service::start().await;
    let wrong = format!(
        "<DTE><Documento><Encabezado><IdDoc><TipoDTE>33</TipoDTE></IdDoc></Encabezado>{}</Documento></DTE>",
        "<Detalle/>".repeat(85)
    );
    let xml = format!(
        "<EnvioDTE xmlns=\"http://www.sii.cl/SiiDte\"><SetDTE>{}</SetDTE></EnvioDTE>",
        wrong.repeat(230)
    );
    let reply = service
        .send(Request::validate(
            &json!({ "company_id": 1, "dte_xml": xml }),
        ))
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["recommendation"], "reject");
    assert!(reply.body.len() < 1024 * 1024, "{} bytes", reply.body.len());
    assert!(
        reply.json()["errors"]
            .to_string()
            .contains("no se detallan"),
        "the rest is counted"
    );
}

/// Validates on a connection of its own until `over` says so; the first refusal.
async fn press(addr: std::net::SocketAddr, over: Arc<AtomicBool>) -> Option<Reply> {
    let mut refusal = None;
    while !over.load(Ordering::Relaxed) {
        let request = Request::validate(&valid()).header("cache-control", "no-store");
        let reply = request.try_send(addr).await.unwrap();
        match reply.status.as_u16() {
            200 => {}
            503 => refusal = refusal.or(Some(reply)),
            _ => panic!("{reply:?}"),
        }
    }
    refusal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_the_cores_can_is_refused_but_for_who_watches() {
    let options = Options::default().env("AI_SERVICE_OVERLOAD_DELAY_MS", "1");
    let service = options.config("[metrics]\npublic = true\n").start().await;
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..128)
        .map(|_| tokio::spawn(press(service.addr, Arc::clone(&over))))
        .collect();
    let counted = "http_refused_total{reason=\"overload\"} ";
    let shed = async {
        loop {
            for path in ["/live", "/ready", "/health"] {
                let status = service.send(Request::get(path)).await.status;
                assert!([200, 207].contains(&status.as_u16()), "{path}: {status}");
            }
            let metrics = service.send(Request::get("/metrics")).await;
            assert_eq!(metrics.status, 200);
            let text = String::from_utf8_lossy(&metrics.body).into_owned();
            let line = text.lines().find_map(|line| line.strip_prefix(counted));
            if line.unwrap().parse::<f64>().unwrap() > 100.0 {
                return;
            }
        }
    };
    let shed = tokio::time::timeout(LIMIT, shed).await;
    over.store(true, Ordering::Relaxed);
    shed.expect("nothing is refused");
    let mut refusals = 0;
    for client in clients {
        if let Some(reply) = client.await.unwrap() {
            refusals += 1;
            assert_eq!(reply.header("retry-after"), "1");
            assert_eq!(reply.header("content-type"), "application/problem+json");
            assert_eq!(reply.json()["code"], "overloaded");
        }
    }
    assert!(refusals > 0);
    // And then it is over.
    let again = async { while service.send(Request::validate(&valid())).await.status != 200 {} };
    tokio::time::timeout(LIMIT, again).await.unwrap();
}
