//! What `API.md` promises of `POST /api/ai/validate`, the probes and the errors.

use http::Method;
use serde_json::{Value, json};

use crate::support::{
    KEY, Options, Reply, Request, Service, base64, factura_con, factura_xml, valid,
};

/// Asserts that an answer is a problem of this status and code, and gives its body.
fn problem(reply: &Reply, status: u16, code: &str) -> Value {
    assert_eq!(reply.status.as_u16(), status, "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let body = reply.json();
    assert_eq!(body["code"], code, "{body}");
    assert_eq!(body["status"], status);
    assert_eq!(body["request_id"], reply.header("x-request-id"));
    for name in ["type", "title", "detail"] {
        assert!(body[name].is_string(), "{name} in {body}");
    }
    body
}

/// Asserts that a verdict has every field of the contract, of its type.
fn verdict(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/json");
    let body = reply.json();
    assert!(
        (0..=100).contains(&body["confidence"].as_i64().unwrap()),
        "{body}"
    );
    assert!(["send", "review", "reject"].contains(&body["recommendation"].as_str().unwrap()));
    assert!(body["degraded"].is_boolean());
    let findings = body["findings"].as_array().unwrap();
    for (list, severity) in [("errors", "error"), ("warnings", "warning")] {
        let of: Vec<_> = findings
            .iter()
            .filter(|finding| finding["severity"] == severity)
            .collect();
        let messages: Vec<_> = of.iter().map(|finding| &finding["message"]).collect();
        assert_eq!(
            body[list].as_array().unwrap().iter().collect::<Vec<_>>(),
            messages,
            "{body}"
        );
    }
    for finding in findings {
        assert!(
            ["rule", "model"].contains(&finding["source"].as_str().unwrap()),
            "{finding}"
        );
        for name in ["code", "message", "path"] {
            assert!(finding[name].is_string(), "{name} in {finding}");
        }
    }
    body
}

#[tokio::test]
async fn a_good_invoice_in_each_of_its_forms() {
    let service = Service::start().await;
    let coded = "PERURS8+"; // <DTE/>
    let latin: Vec<u8> = factura_xml(11_900)
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    for body in [
        valid(),
        json!({ "company_id": 1, "dte_xml": factura_xml(11_900) }),
        json!({ "company_id": 1, "dte_xml_base64": base64(&latin) }),
    ] {
        let verdict = verdict(&service.send(Request::validate(&body)).await);
        assert_eq!(verdict["recommendation"], "send", "{verdict}");
        assert_eq!(verdict["errors"], json!([]), "{verdict}");
        assert_eq!(
            verdict["degraded"], true,
            "no model is configured: {verdict}"
        );
        assert_eq!(
            verdict["warnings"].as_array().unwrap().len(),
            1,
            "only that: {verdict}"
        );
    }
    let empty = json!({ "company_id": 1, "dte_xml_base64": coded });
    problem(
        &service.send(Request::validate(&empty)).await,
        422,
        "invalid_request",
    );
}

#[tokio::test]
async fn a_wrong_total_is_named_with_both_figures() {
    let service = Service::start().await;
    for body in [
        json!({ "company_id": 1, "dte_xml": factura_xml(12_900) }),
        {
            let mut body = valid();
            body["dte_data"]["monto_total"] = json!(12_900);
            body
        },
    ] {
        let verdict = verdict(&service.send(Request::validate(&body)).await);
        assert_eq!(verdict["recommendation"], "reject", "{verdict}");
        let finding = &verdict["findings"][0];
        assert_eq!(finding["level"], "reparo", "{finding}");
        assert!(
            finding["cure"].as_str().unwrap().ends_with('.'),
            "{finding}"
        );
        let error = verdict["errors"][0].as_str().unwrap();
        for figure in ["11.900", "12.900", "1.000"] {
            assert!(error.contains(figure), "{figure} in {error}");
        }
    }
}

#[tokio::test]
async fn what_is_no_tax_document_is_a_422_that_says_what_it_is() {
    let service = Service::start().await;
    for (xml, said) in [
        ("<html><body>Error 500</body></html>", "HTML"),
        ("hola", "no es XML"),
        ("<Invoice xmlns=\"urn:oasis\"/>", "Invoice"),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><DTE>&b;</DTE>", "DOCTYPE"),
        ("<DTE><Documento>", "mal formado"),
    ] {
        let body = json!({ "company_id": 1, "dte_xml": xml });
        let reply = service.send(Request::validate(&body)).await;
        let body = problem(&reply, 422, "invalid_request");
        assert_eq!(body["errors"][0]["loc"], json!(["body", "dte_xml"]));
        assert!(
            body["detail"].as_str().unwrap().contains(said),
            "{said} in {body}"
        );
    }
    let body = json!({ "company_id": 1, "dte_data": { "lineas": 7 } });
    let body = problem(
        &service.send(Request::validate(&body)).await,
        422,
        "invalid_request",
    );
    let locs: Vec<_> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["loc"])
        .collect();
    assert!(
        locs.contains(&&json!(["body", "dte_data", "tipo_dte"])),
        "{body}"
    );
    assert!(
        locs.contains(&&json!(["body", "dte_data", "lineas"])),
        "{body}"
    );
}

#[tokio::test]
async fn every_kind_of_refusal() {
    let service = Service::start().await;
    let post = || Request::validate(&valid());
    let send = |request| service.send(request);
    let reply = send(post().without("authorization")).await;
    problem(&reply, 401, "unauthorized");
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    problem(
        &send(post().header("authorization", "Bearer otra")).await,
        401,
        "unauthorized",
    );
    problem(&send(Request::get("/api/ai/nada")).await, 404, "not_found");
    let reply = send(Request::get("/api/ai/validate")).await;
    problem(&reply, 405, "method_not_allowed");
    assert_eq!(reply.header("allow"), "POST");
    problem(
        &send(post().header("content-type", "text/xml")).await,
        415,
        "unsupported_media_type",
    );
    let reply = send(post().header("content-encoding", "gzip")).await;
    problem(&reply, 415, "unsupported_media_type");
    problem(
        &send(post().body("{\"company_id\":")).await,
        400,
        "invalid_json",
    );
    let body = problem(&send(post().body("{}")).await, 422, "invalid_request");
    assert_eq!(body["errors"].as_array().unwrap().len(), 2, "{body}");
    let twice = r#"{"company_id":1,"company_id":2,"dte_data":{"tipo_dte":33}}"#;
    problem(&send(post().body(twice)).await, 422, "invalid_request");
    problem(
        &send(post().body(vec![b' '; 2 * 1024 * 1024 + 1])).await,
        413,
        "body_too_large",
    );
    assert!(!service.log_text().contains(KEY));
}

#[tokio::test]
async fn either_header_carries_the_key_and_ids_are_echoed() {
    let service = Service::start().await;
    let request = Request::validate(&valid())
        .without("authorization")
        .header("x-api-key", KEY);
    let reply = service
        .send(request.header("x-request-id", "odoo-77"))
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("x-request-id")),
        (200, "odoo-77")
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("x-cache", "miss"),
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
    assert!(
        reply
            .header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert!(reply.header("server-timing").starts_with("total;dur="));
    let line = service.log(|line| line["request_id"] == "odoo-77").await;
    assert_eq!(
        (&line["status"], &line["caller"]),
        (&json!(200), &json!("default")),
        "{line}"
    );
}

#[tokio::test]
async fn a_key_speaks_only_for_its_companies_and_tenants_share_nothing() {
    let keys = r#"
        [[auth.keys]]
        name = "uno"
        key = "clave-uno-0123456789abcdef01234567"
        companies = [1]
        [[auth.keys]]
        name = "dos"
        key = "clave-dos-0123456789abcdef01234567"
        companies = [1, 2]
    "#;
    let service = Options::default().config(keys).start().await;
    let ask = |key: &str, company: u64| {
        // The rules reject it, so that the answer is complete without a model… and without one
        // configured nothing is: what is looked at here is only who may ask.
        let body = json!({ "company_id": company, "dte_data": factura_con("Cemento") });
        Request::validate(&body).header("authorization", &format!("Bearer {key}"))
    };
    let (uno, dos) = (
        "clave-uno-0123456789abcdef01234567",
        "clave-dos-0123456789abcdef01234567",
    );
    for (key, company, status) in [
        (uno, 1, 200),
        (uno, 2, 403),
        (dos, 1, 200),
        (dos, 2, 200),
        (dos, 3, 403),
    ] {
        let reply = service.send(ask(key, company)).await;
        assert_eq!(reply.status.as_u16(), status, "{key} {company}");
    }
    problem(&service.send(ask(uno, 2)).await, 403, "company_not_allowed");
}

#[tokio::test]
async fn probes_and_figures() {
    let service = Service::start().await;
    let open = |path| Request::bare(Method::GET, path);
    let live = service.send(open("/live")).await.json();
    assert_eq!(live["status"], "alive");
    assert!(live["uptime_seconds"].is_u64());
    assert_eq!(
        service.send(open("/ready")).await.json(),
        json!({ "status": "ready" })
    );
    assert_eq!(
        service
            .send(Request::bare(Method::HEAD, "/live"))
            .await
            .body
            .len(),
        0
    );
    service.send(Request::validate(&valid())).await;
    let reply = service.send(open("/health")).await;
    let health = reply.json();
    assert_eq!(
        (reply.status.as_u16(), &health["status"]),
        (200, &json!("healthy")),
        "{health}"
    );
    assert_eq!(health["service"], "ai-service");
    let dependencies = &health["dependencies"];
    assert_eq!(dependencies["redis"]["type"], "embedded", "{health}");
    for name in ["master", "replicas", "sentinels", "latency_ms"] {
        assert!(
            dependencies["redis"].get(name).is_some(),
            "{name}: {health}"
        );
    }
    assert_eq!(
        dependencies["anthropic"]["status"], "not_configured",
        "{health}"
    );
    assert_eq!(health["metrics"]["cache_misses"], 1, "{health}");
    let latency = &health["metrics"]["latency_ms"]["/api/ai/validate"];
    assert!(
        latency["p99"].as_f64().unwrap() >= latency["p50"].as_f64().unwrap(),
        "{health}"
    );
    problem(&service.send(open("/metrics")).await, 401, "unauthorized");
    let text =
        String::from_utf8(service.send(Request::get("/metrics")).await.body.to_vec()).unwrap();
    for line in [
        r#"http_request_duration_seconds_count{method="POST",endpoint="/api/ai/validate",status="200"} 1"#,
        r#"cache_requests_total{operation="validate",tier="none",result="miss"} 1"#,
        "process_resident_memory_bytes",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
    // Every family has its type, and every one of ours its help.
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for family in families.filter_map(|line| line.split(' ').next()) {
        assert!(
            text.contains(&format!("# HELP {family} ")),
            "{family} has no help"
        );
    }
}

#[tokio::test]
async fn public_metrics_need_no_key() {
    let service = Options::default()
        .config("[metrics]\npublic = true")
        .start()
        .await;
    assert_eq!(
        service
            .send(Request::bare(Method::GET, "/metrics"))
            .await
            .status,
        200
    );
}
