//! The months' indicators: fetched from a site of the test's own, which publishes, hangs, fails and
//! lies.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mock_anthropic::{Answer, Config, MockServer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::support::{Options, Reply, Request, Service};

/// A made-up October of 2026: UF 40,000 and UTM 70,000.
const PAGE: &str = r#"<!doctype html><html><head><script>var x = "<td>$ 1</td>";</script></head><body>
<table><tr><td colspan=2><strong>VALOR UF</td></tr>
<tr><td>al 31 de Octubre 2026<td><strong>$ 40.000,00</strong>
<tr><td>al 30 de Septiembre 2026<td>$ 39.900,50</table>
<table><tr><th>VALOR<th>UTM<th>UTA</tr><tr><td>Octubre 2026</td><td>$ 70.000</td><td>$ 840.000</td></tr></table>
<table><tr><td>RENTAS TOPES IMPONIBLES</td></tr>
<tr><td>Para afiliados a una AFP (90,1 UF):</td><td>$ 3.604.000</td></tr>
<tr><td>Para afiliados al IPS (ex INP) (60 UF):</td><td>$ 2.394.030</td></tr>
<tr><td>Para Seguro de Cesantía (135,3 UF):</td><td>$ 5.412.000</td></tr></table>
<table><tr><td>RENTAS MÍNIMAS IMPONIBLES</td></tr>
<tr><td>Trab. Dependientes e Independientes:</td><td>$ 600.000</td></tr>
<tr><td>Menores de 18 y Mayores de 65:</td><td>$ 447.580</td></tr>
<tr><td>Trabajadores de Casa Particular:</td><td>$ 600.000</td></tr></table>
<table><tr><td>AHORRO PREVISIONAL VOLUNTARIO (APV)</td></tr>
<tr><td>Tope Mensual (50 UF):</td><td>$ 2.000.000</td></tr>
<tr><td>Tope Anual (600 UF):</td><td>$ 24.000.000</td></tr></table>
<table><tr><td>DEPÓSITO CONVENIDO</td></tr><tr><td>Tope Anual (900 UF):</td><td>$ 36.000.000</td></tr></table>
<table><tr><td>SEGURO DE CESANTÍA (AFC)</td></tr><tr><td>CONTRATO<td>EMPLEADOR<td>TRABAJADOR</tr>
<tr><td>Plazo Indefinido<td>2,4% R.I.<td>0,6% R.I.</tr><tr><td>Plazo Fijo<td>3,0% R.I.<td>-</tr>
<tr><td>Plazo Indefinido 11 años o más (*)<td>0,8% R.I.<td>-</tr></table>
<table><tr><td>AFP<td>TASA COTIZACIÓN OBLIGATORIO AFP</tr>
<tr><td>Capital<td>11,44%<td>0,1%<td>11,54%<td>13,00%</tr><tr><td>Uno<td>10,46%<td>0,1%<td>10,56%<td>12,02%</tr>
<tr><td>Plan Vital<td>11,16%<td>0,1%<td>11,26%<td>12,72%</tr></table>
<table><tr><td>SEGURO DE INVALIDEZ Y SOBREVIVENCIA (SIS)</td><td>1,56%</td></tr>
<tr><td>Expectativa de vida<td>0,9%</table>
<table><tr><td>TRAMO<td>ASIGNACIÓN FAMILIAR</tr>
<tr><td>1 (A)<td>$ 25.000<td>Renta &lt; ó = $ 700.000</tr>
<tr><td>2 (B)<td>$ 15.000<td>Renta &gt; $ 700.000 &lt; = $ 1.000.000</tr>
<tr><td>3 (C)<td>$ 5.000<td>Renta &gt; $ 1.000.000 &lt; = $ 1.600.000</tr>
<tr><td>4 (D)<td>-<td>Renta &gt; $ 1.600.000</tr></table>
<table><tr><td>Trabajo pesado<td>4%<td>2% R.I.<td>2% R.I.</tr></table>
<table><tr><td>DISTRIBUCIÓN DEL 7% SALUD</tr><tr><td>CCAF<td>4,2% R.I.</tr><tr><td>FONASA<td>2,8% R.I.</table></body>"#;

/// A made-up April whose UTM doesn't follow from March's: as made by a program that lacked one.
const MOCK: &str = r#"{"PeriodoMY": "042026", "UFValPeriodo": "40120,20", "UTMVal": "70200",
    "RTIAfpUF": "90", "RTISegCesUF": "135,2", "RMITrabDepeInd": "539000", "TasaSIS": "1,54"}"#;

/// What the site does with a request.
#[derive(Debug, Clone)]
enum Does {
    Publish(String),
    Fail(u16),
    Redirect(String),
    Hang,
}

/// A site that publishes indicators.
struct Site {
    addr: SocketAddr,
    does: watch::Sender<Does>,
    asked: Arc<AtomicUsize>,
}

impl Site {
    async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (does, now) = watch::channel(does);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let does = now.borrow().clone();
                tokio::spawn(async move {
                    let mut head = [0; 4_096];
                    let _ = stream.read(&mut head).await;
                    let answer = match does {
                        Does::Publish(page) => http(200, &[], &page),
                        Does::Fail(status) => http(status, &[], "no"),
                        Does::Redirect(to) => http(302, &[("location", &to)], ""),
                        Does::Hang => std::future::pending().await,
                    };
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { addr, does, asked }
    }

    fn now(&self, does: Does) {
        self.does.send_replace(does);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn options(&self, path: &str) -> Options {
        let url = format!("http://{}{path}", self.addr);
        let config = format!("[indicators]\nurl = {url:?}\ntimeout_ms = 500\n");
        Options::default().config(&config)
    }
}

fn http(status: u16, headers: &[(&str, &str)], body: &str) -> String {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

async fn get(service: &Service, period: &str, force: bool) -> Reply {
    let path = format!("/api/payroll/indicators/{period}?force={force}");
    service.send(Request::get(&path)).await
}

/// Asserts that a month is refused with this status and code, and a sentence for the user.
async fn refused(service: &Service, period: &str, status: u16, code: &str) {
    let reply = get(service, period, true).await;
    let body = reply.json();
    assert_eq!(
        (reply.status.as_u16(), body["code"].as_str().unwrap()),
        (status, code),
        "{period}: {body}"
    );
    assert!(
        body["detail"].as_str().unwrap().ends_with(['.', ')']),
        "{body}"
    );
}

fn payslip(period: &str) -> Value {
    json!({
        "employee_id": 7, "period": period, "wage": 1_000_000,
        "lines": [
            { "code": "BASIC", "name": "Sueldo base", "amount": 1_000_000 },
            { "code": "GRAT", "name": "Gratificación legal", "amount": 237_500 },
            { "code": "AFP", "name": "AFP Uno", "amount": -100_000 },
            { "code": "FONASA", "name": "Fonasa 7%", "amount": -86_625 },
            { "code": "AFC", "name": "Seguro de cesantía", "amount": -7_425 },
        ],
    })
}

async fn errors(service: &Service, period: &str) -> Vec<Value> {
    let reply = service
        .send(Request::post("/api/payroll/validate", &payslip(period)))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    let findings = answer["findings"].as_array().unwrap();
    let codes = findings.iter().map(|finding| finding["code"].clone());
    codes.collect()
}

#[tokio::test]
async fn a_month_is_fetched_once_and_payslips_know_it_from_then_on() {
    let site = Site::start(Does::Publish(PAGE.to_owned())).await;
    let service = site.options("/p").start().await;
    let afp = json!("LIQ-AFP-MONTO");
    let before = errors(&service, "2026-10").await;
    assert!(!before.contains(&afp), "{before:?}");
    assert_eq!(site.asked(), 0, "a payslip doesn't wait for the site");

    let answer = get(&service, "2026-10", false).await.json();
    assert_eq!(answer["indicators"]["uf"], 40_000, "{answer}");
    assert_eq!(answer["indicators"]["afp_uno_pct"], 10.46);
    assert_eq!(
        answer["indicators"].get("afp_cuprum_pct"),
        None,
        "absent, not 0"
    );
    let metadata = &answer["metadata"];
    assert_eq!(metadata["source"], "previred");
    assert_eq!(metadata["url"], format!("http://{}/p", site.addr));
    assert!(metadata["fetched_at"].is_string(), "{metadata}");
    let fields = answer["indicators"].as_object().unwrap().len();
    assert_eq!(metadata["fields_count"], fields);
    assert!(fields >= 40, "{fields}");

    let again = get(&service, "2026-10", false).await.json();
    assert_eq!((&again, site.asked()), (&answer, 1));
    let after = errors(&service, "2026-10").await;
    assert!(after.contains(&afp), "{after:?}");
}

#[tokio::test]
async fn what_is_not_the_month_is_refused_with_what_is_wrong() {
    let site = Site::start(Does::Publish(PAGE.to_owned())).await;
    let service = site.options("/p").start().await;
    refused(&service, "2026-11", 404, "not_published").await;
    refused(&service, "2026-09", 404, "other_month").await;
    refused(&service, "2027-03", 404, "not_published").await;

    // A column was added before the ones that are known.
    site.now(Does::Publish(
        PAGE.replace("<td>Capital<td>", "<td>Capital<td>99,9%<td>"),
    ));
    let reply = get(&service, "2026-10", true).await;
    assert_eq!(reply.status, 502, "{reply:?}");
    let body = reply.json();
    let refusals = ["column_shift", "conflicting_figures", "implausible_figures"];
    assert!(refusals.contains(&body["code"].as_str().unwrap()), "{body}");
    site.now(Does::Publish(PAGE.replace("$ 840.000", "$ 940.000")));
    refused(&service, "2026-10", 502, "implausible_figures").await;
    site.now(Does::Publish(MOCK.to_owned()));
    refused(&service, "2026-04", 502, "implausible_figures").await;
    site.now(Does::Publish(
        "<html><p>En mantención</p></html>".to_owned(),
    ));
    refused(&service, "2026-10", 502, "shape_drift").await;
    site.now(Does::Publish("x".repeat(5 << 20)));
    refused(&service, "2026-10", 502, "source_failed").await;
}

#[tokio::test]
async fn a_site_in_trouble_is_told_left_alone_and_never_in_the_way() {
    let site = Site::start(Does::Fail(500)).await;
    let service = site.options("/p").start().await;
    refused(&service, "2026-10", 502, "source_failed").await;
    let asked = site.asked();
    let reply = get(&service, "2026-10", false).await;
    assert_eq!(reply.json()["code"], "source_failed_lately", "{reply:?}");
    assert_eq!(site.asked(), asked, "not asked again so soon");

    site.now(Does::Redirect("/p".to_owned()));
    refused(&service, "2026-10", 502, "source_failed").await;
    assert_eq!(site.asked(), asked + 4, "one and three redirects");
    site.now(Does::Redirect("http://example.test/".to_owned()));
    refused(&service, "2026-10", 502, "source_failed").await;
    site.now(Does::Fail(404));
    refused(&service, "2026-10", 502, "source_failed").await;
    site.now(Does::Hang);
    refused(&service, "2026-10", 502, "source_timeout").await;

    let known = get(&service, "2026-03", true).await.json();
    assert_eq!(known["metadata"]["source"], "builtin", "{known}");
    assert_eq!(known["metadata"]["degraded"], "source_timeout");
    assert!(
        errors(&service, "2026-03")
            .await
            .contains(&json!("LIQ-AFP-MONTO"))
    );
}

#[tokio::test]
async fn a_site_with_a_page_for_each_month_is_asked_for_the_month() {
    let site = Site::start(Does::Fail(404)).await;
    let service = site.options("/{period}/{MMYYYY}.json").start().await;
    refused(&service, "2026-09", 404, "not_published").await;
    site.now(Does::Publish(PAGE.to_owned()));
    let answer = get(&service, "2026-10", false).await.json();
    let url = format!("http://{}/2026-10/102026.json", site.addr);
    assert_eq!(answer["metadata"]["url"], url, "{answer}");
}

#[tokio::test]
async fn months_that_are_none_are_a_400_and_nothing_is_asked_where_fetching_is_off() {
    let site = Site::start(Does::Publish(PAGE.to_owned())).await;
    let service = site.options("/p").config("fetch = false\n").start().await;
    for period in [
        "2026-13", "2026-00", "2026-3", "26-03", "1979-12", "2101-01", "octubre", "%00",
    ] {
        refused(&service, period, 400, "invalid_parameter").await;
    }
    let path = "/api/payroll/indicators/2026-03?force=quizas";
    let reply = service.send(Request::get(path)).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    refused(&service, "2026-10", 404, "no_source").await;
    assert_eq!(site.asked(), 0);
}

#[tokio::test]
async fn the_model_reads_a_page_that_nobody_knows_and_is_checked_like_it() {
    let mock = MockServer::start(Config::default()).await.unwrap();
    let site = Site::start(Does::Publish(
        "<html><p>Vea la imagen</p></html>".to_owned(),
    ))
    .await;
    let service = site.options("/p").model(&mock, 10_000).start().await;
    let said = |utm: &str| {
        let figures = [
            ("uf", "40.000,00"),
            ("utm", utm),
            ("uta", "840.000"),
            ("sueldo_minimo", "539.000"),
            ("afp_tope_uf", "90"),
            ("afc_tope_uf", "135,2"),
            ("sis_pct", "1,54"),
        ];
        let figures = figures.map(|(name, value)| json!({ "nombre": name, "valor": value }));
        json!({ "periodo": "2026-10", "indicadores": figures }).to_string()
    };
    mock.answer_with(Answer::once(said("71.000")));
    refused(&service, "2026-10", 502, "implausible_figures").await;
    mock.answer_with(Answer::once(said("70.000")));
    let answer = get(&service, "2026-10", true).await.json();
    assert_eq!(answer["metadata"]["source"], "previred+model", "{answer}");
    assert!(
        answer["metadata"]["model"]
            .as_str()
            .unwrap()
            .starts_with("claude-")
    );
    assert!(
        answer["metadata"]["cost_usd"].as_f64().unwrap() > 0.0,
        "{answer}"
    );
    assert_eq!(answer["details"]["uf"]["confidence"], "medium");
    let path = "/metrics/costs?period=today";
    let costs = service.send(Request::get(path)).await.json();
    assert!(
        costs["by_operation"]["payroll_indicators"].is_object(),
        "{costs}"
    );
}

#[tokio::test]
async fn the_model_looks_at_a_payslip_that_the_rules_let_pass() {
    let mock = MockServer::start(Config::default()).await.unwrap();
    let options = Options::default().config("[indicators]\nfetch = false\n");
    let service = options.model(&mock, 10_000).start().await;
    let mut good = payslip("2026-03");
    good["wage"] = json!(900_000);
    good["lines"][0]["amount"] = json!(900_000);
    good["lines"][1]["amount"] = json!(213_354);
    good["lines"][2]["amount"] = json!(-116_457);
    good["lines"][3]["amount"] = json!(-77_935);
    good["lines"][4]["amount"] = json!(-6_680);
    let ask = || Request::post("/api/payroll/validate", &good);
    let remark = json!({ "confidence": 80, "findings": [
        { "severity": "warning", "message": "Revise la glosa.", "path": "lines[0]" },
    ]});
    mock.answer_with(Answer::once(remark.to_string()));
    let reply = service.send(ask()).await;
    let answer = reply.json();
    assert_eq!(answer["errors"], json!([]), "{answer}");
    assert_eq!(
        (&answer["degraded"], &answer["recommendation"]),
        (&json!(false), &json!("review")),
        "{answer}"
    );
    assert!(
        answer["warnings"]
            .as_array()
            .unwrap()
            .contains(&json!("Revise la glosa."))
    );
    assert_eq!(reply.header("x-cache"), "miss");
    let again = service.send(ask()).await;
    assert_eq!((again.header("x-cache"), &again.body), ("hit", &reply.body));

    // What the model said is nonsense: the rules answer, the answer says so and isn't kept.
    mock.answer_with(Answer::once("nada"));
    let afresh = service
        .send(ask().header("cache-control", "no-store"))
        .await;
    let answer = afresh.json();
    assert_eq!(answer["degraded"], true, "{answer}");
    let last = answer["findings"].as_array().unwrap().last().unwrap();
    assert_eq!(last["code"], "SERVICIO-SIN-MODELO", "{answer}");

    // A reject needs no model.
    let asked = mock.stats().requests_to("/v1/messages");
    assert!(
        errors(&service, "2026-03")
            .await
            .contains(&json!("LIQ-AFP-MONTO"))
    );
    assert_eq!(mock.stats().requests_to("/v1/messages"), asked);
}

#[tokio::test]
async fn a_payslip_of_another_shape_is_a_422_that_says_where() {
    let service = Service::start().await;
    let nobody = json!({ "period": "2026-03", "wage": 1, "lines": [{ "code": "A", "amount": 1 }] });
    for (body, place) in [
        (nobody, json!(["body", "employee_id"])),
        (
            json!({ "employee_id": 0, "period": "2026-03", "wage": 1, "lines": [{ "code": "A", "amount": 1 }] }),
            json!(["body", "employee_id"]),
        ),
        (
            json!({ "employee_id": 1, "period": "2026-03*", "wage": 1, "lines": [{ "code": "A", "amount": 1 }] }),
            json!(["body", "period"]),
        ),
        (
            json!({ "employee_id": 1, "period": "2026-13", "wage": 1, "lines": [{ "code": "A", "amount": 1 }] }),
            json!(["body", "period"]),
        ),
        (
            json!({ "employee_id": 1, "period": "2026-03", "wage": 0, "lines": [{ "code": "A", "amount": 1 }] }),
            json!(["body", "wage"]),
        ),
        (
            json!({ "employee_id": 1, "period": "2026-03", "wage": 1, "lines": [] }),
            json!(["body", "lines"]),
        ),
        (
            json!({ "employee_id": 1, "period": "2026-03", "wage": 1, "lines": [{ "amount": 1 }] }),
            json!(["body", "lines", 0, "code"]),
        ),
        (
            json!({ "employee_id": 1, "period": "2026-03", "wage": 1, "lines": [1] }),
            json!(["body", "lines", 0]),
        ),
        (json!([]), json!(["body"])),
    ] {
        let reply = service
            .send(Request::post("/api/payroll/validate", &body))
            .await;
        assert_eq!(reply.status, 422, "{body}: {reply:?}");
        let problem = reply.json();
        assert_eq!(problem["code"], "invalid_request");
        assert_eq!(problem["errors"][0]["loc"], place, "{problem}");
    }
}
