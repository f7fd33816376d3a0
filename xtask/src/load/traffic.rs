//! What ERPs send: kinds of requests, their shares, and what a whole answer to each looks like.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::bodies::{document, payslip, project, purchase, question};
use super::launch::Scenario;
use crate::bench::client::{Connection, Kept};
use crate::bench::targets::{get, post};
use crate::bench::template::{SERIAL, Template};
use crate::error::Error;

/// Documents that are asked about again and again.
const DOCUMENTS: u32 = 32;
/// How often, and with which pause, a document is asked about until its answer is kept.
const WARM_UP_TRIES: u32 = 100;
const WARM_UP_PAUSE: Duration = Duration::from_millis(20);
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Requests that wait for each other: a slow kind must not hold up a quick one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What the service answers by itself.
    Quick,
    /// What waits for a model.
    Slow,
    /// Streams.
    Stream,
}

impl Lane {
    /// All of them, by their places.
    pub const ALL: [Self; 3] = [Self::Quick, Self::Slow, Self::Stream];

    /// Connections of this lane.
    pub fn connections(self) -> usize {
        match self {
            // So many that it is the service where requests wait, and not the generator.
            Self::Quick => 512,
            Self::Slow | Self::Stream => 256,
        }
    }
}

/// Requests made ahead.
pub enum Source {
    /// The same ones, in turns.
    Turns(Vec<Vec<u8>>, AtomicUsize),
    /// One, each time with another number in it.
    Numbered(Template),
}

impl Source {
    /// The same ones, in turns.
    pub fn fixed(requests: Vec<Vec<u8>>) -> Self {
        Self::Turns(requests, AtomicUsize::new(0))
    }

    /// Writes the next one into a buffer.
    pub fn write(&self, buffer: &mut Vec<u8>) {
        match self {
            Self::Turns(requests, next) => {
                let turn = next.fetch_add(1, Ordering::Relaxed) % requests.len().max(1);
                buffer.clear();
                buffer.extend_from_slice(requests.get(turn).map_or(&[], Vec::as_slice));
            }
            Self::Numbered(template) => template.write(buffer),
        }
    }
}

/// A kind of request.
pub struct Kind {
    /// Its name in the report.
    pub name: &'static str,
    /// Its share of all requests.
    pub share: f64,
    /// With whom it waits.
    pub lane: Lane,
    /// What is sent.
    pub source: Source,
    /// To whom.
    pub address: SocketAddr,
    /// What a whole answer has in its last bytes; empty where any answer will do.
    pub end: &'static str,
    /// Whether it is sent to the model's stand-in itself, for comparison.
    pub yardstick: bool,
}

impl Kind {
    /// Whether an answer came to its end.
    pub fn is_whole(&self, body: &[u8]) -> bool {
        const TAIL: usize = 8 * 1024;
        let tail = body.get(body.len().saturating_sub(TAIL)..).unwrap_or(body);
        let end = self.end.as_bytes();
        end.is_empty() || tail.windows(end.len()).any(|bytes| bytes == end)
    }
}

/// The names that objectives and figures speak of.
pub mod name {
    /// A probe.
    pub const HEALTH: &str = "health";
    /// A document whose verdict is kept.
    pub const CACHED: &str = "validate-cached";
    /// A document that the rules reject.
    pub const RULES: &str = "validate-rules";
    /// A document that the model has to see.
    pub const MISS: &str = "validate-miss";
    /// A stream of the chat.
    pub const STREAM: &str = "chat-stream";
    /// The model's stand-in itself, asked what a miss asks it.
    pub const MODEL: &str = "model-itself";
    /// The same, streamed.
    pub const MODEL_STREAM: &str = "model-stream-itself";
    /// The model's stand-in through bare hyper on the service's cores.
    pub const PROXY: &str = "model-by-bare-hyper";
    /// The same, streamed.
    pub const PROXY_STREAM: &str = "model-stream-by-bare-hyper";
}

/// Who is pressed, and with which key.
#[derive(Clone)]
pub struct Goal {
    /// The service.
    pub service: SocketAddr,
    /// Its key.
    pub key: String,
    /// The model's stand-in, where we know it.
    pub model: Option<SocketAddr>,
    /// The service's admin listener, where it has one.
    pub admin: Option<SocketAddr>,
}

impl Goal {
    /// Whom to ask what only an operator may.
    pub fn admin(&self) -> SocketAddr {
        self.admin.unwrap_or(self.service)
    }
}

/// The kinds of a scenario, without yardsticks.
pub fn kinds(scenario: Scenario, goal: &Goal) -> Vec<Kind> {
    let all = service_kinds(goal);
    match scenario {
        Scenario::Streams => {
            let streams = |kind: &Kind| matches!(kind.name, name::STREAM | name::HEALTH);
            all.into_iter().filter(streams).collect()
        }
        _ => all,
    }
}

fn service_kinds(goal: &Goal) -> Vec<Kind> {
    let kind = |name, share, lane, source| Kind {
        name,
        share,
        lane,
        source,
        address: goal.service,
        end: "",
        yardstick: false,
    };
    let send = |path: &str, body: &Value| post(path, &goal.key, &body.to_string());
    let numbered = |path, body| Source::Numbered(Template::numbered(send(path, &body)));
    let ask = |path| {
        let line = format!(
            "GET {path} HTTP/1.1\r\nhost: load\r\nauthorization: Bearer {}\r\n\r\n",
            goal.key
        );
        Source::fixed(vec![line.into_bytes()])
    };
    let cached = (1..=DOCUMENTS).map(|lines| send(VALIDATE, &document(lines, false)));
    let payslips = (1..=DOCUMENTS).map(|id| send(PAYROLL, &payslip(json!(id))));
    let serial: Value = serde_json::from_str(SERIAL).unwrap_or_default();
    vec![
        kind(
            name::HEALTH,
            0.02,
            Lane::Quick,
            Source::fixed(vec![get("/health")]),
        ),
        kind(
            name::CACHED,
            0.40,
            Lane::Quick,
            Source::fixed(cached.collect()),
        ),
        kind(
            name::RULES,
            0.15,
            Lane::Quick,
            numbered(VALIDATE, document(10, true)),
        ),
        kind(
            name::MISS,
            0.08,
            Lane::Slow,
            numbered(VALIDATE, document(10, false)),
        ),
        kind(
            "payroll-cached",
            0.08,
            Lane::Quick,
            Source::fixed(payslips.collect()),
        ),
        kind(
            "payroll-new",
            0.07,
            Lane::Quick,
            numbered(PAYROLL, payslip(serial)),
        ),
        kind("match-po", 0.07, Lane::Slow, numbered(MATCH_PO, purchase())),
        kind(
            "suggest-project",
            0.03,
            Lane::Quick,
            numbered(SUGGEST, project()),
        ),
        kind(
            "analytics-stats",
            0.02,
            Lane::Quick,
            ask("/api/ai/analytics/stats"),
        ),
        kind("chat-search", 0.03, Lane::Quick, ask(SEARCH)),
        kind("chat-message", 0.03, Lane::Slow, numbered(CHAT, question())),
        Kind {
            end: "\"type\":\"done\"",
            ..kind(
                name::STREAM,
                0.02,
                Lane::Stream,
                numbered(STREAM, question()),
            )
        },
    ]
}

const VALIDATE: &str = "/api/ai/validate";
const PAYROLL: &str = "/api/payroll/validate";
const MATCH_PO: &str = "/api/ai/reception/match_po";
const SUGGEST: &str = "/api/ai/analytics/suggest_project";
const CHAT: &str = "/api/chat/message";
const STREAM: &str = "/api/chat/message/stream";
const SEARCH: &str = "/api/chat/knowledge/search?query=nota%20de%20credito";

/// Asks each kind's requests once, what is to be kept until it is, so that nothing is cold.
///
/// # Errors
///
/// [`Error::Bench`] with the start of an answer that isn't as it should be.
pub async fn warm_up(kinds: &[Kind]) -> Result<(), Error> {
    let mut request = Vec::new();
    for kind in kinds {
        let (turns, until_kept) = match &kind.source {
            Source::Turns(requests, _) => (requests.len(), kind.name.ends_with("-cached")),
            Source::Numbered(_) => (3, false),
        };
        for _ in 0..turns {
            kind.source.write(&mut request);
            asked(kind, &request, until_kept).await?;
        }
    }
    Ok(())
}

async fn asked(kind: &Kind, request: &[u8], until_kept: bool) -> Result<(), Error> {
    let failed = |reason: String| Error::Bench(format!("{}: {reason}", kind.name));
    let mut connection = Connection::open(kind.address)
        .await
        .map_err(|error| failed(error.to_string()))?;
    for _ in 0..WARM_UP_TRIES {
        let answer = timeout(ANSWER_LIMIT, connection.stream(request, || ()))
            .await
            .map_err(|_| failed(format!("no answer in {ANSWER_LIMIT:?}")))?
            .map_err(|failure| failed(failure.to_string()))?;
        if matches!(answer.status, 429 | 503) {
            // What has just started may still be connecting.
            let closes = answer.closes;
            sleep(WARM_UP_PAUSE).await;
            if closes {
                connection = Connection::open(kind.address)
                    .await
                    .map_err(|error| failed(error.to_string()))?;
            }
            continue;
        }
        if !matches!(answer.status, 200 | 207) || !kind.is_whole(answer.body) {
            let body = String::from_utf8_lossy(answer.body);
            let start: String = body.chars().take(300).collect();
            return Err(failed(format!("status {}: {start}", answer.status)));
        }
        if !until_kept || answer.kept == Kept::Hit {
            return Ok(());
        }
        sleep(WARM_UP_PAUSE).await;
    }
    Err(failed(
        "refused, or never kept, however often it was asked".to_owned(),
    ))
}

/// The model's stand-in asked by ourselves what the service asked it last, whole and streamed, at
/// its own address and through the `proxy`: what the service adds is the difference to the one,
/// what it adds to the way through any process the difference to the other. Shares are those of
/// the service's own kinds.
///
/// # Errors
///
/// [`Error::Bench`] when the stand-in doesn't tell.
pub async fn yardsticks(model: SocketAddr, proxy: SocketAddr) -> Result<Vec<Kind>, Error> {
    let failed = |reason: &str| Error::Bench(format!("the model's stand-in: {reason}"));
    let mut connection = Connection::open(model)
        .await
        .map_err(Error::io("connect to the model's stand-in"))?;
    let answer = connection.exchange(&get("/mock/stats")).await;
    let answer = answer.map_err(|failure| failed(&failure.to_string()))?;
    let stats: Value =
        serde_json::from_slice(answer.body).map_err(|error| failed(&error.to_string()))?;
    let bodies = || {
        let recent = stats["recent_requests"].as_array().into_iter().flatten();
        recent.rev().map(|request| &request["body"])
    };
    let streamed = |body: &&Value| body["stream"] == json!(true);
    let kind = |name, address, lane, body: &Value, end| Kind {
        name,
        share: 0.02,
        lane,
        source: Source::fixed(vec![post(
            "/v1/messages",
            "none\r\nx-api-key: any\r\nanthropic-version: 2023-06-01",
            &body.to_string(),
        )]),
        address,
        end,
        yardstick: true,
    };
    let verdict = |body: &&Value| !streamed(body) && body["output_config"].is_object();
    let whole = bodies()
        .find(verdict)
        .or_else(|| bodies().find(|body| !streamed(body)));
    let mut kinds = Vec::new();
    if let Some(body) = whole {
        let both = [(name::MODEL, model), (name::PROXY, proxy)];
        kinds.extend(both.map(|(name, address)| kind(name, address, Lane::Slow, body, "")));
    }
    if let Some(body) = bodies().find(streamed) {
        let both = [(name::MODEL_STREAM, model), (name::PROXY_STREAM, proxy)];
        let streamed = |(name, address)| kind(name, address, Lane::Stream, body, "message_stop");
        kinds.extend(both.map(streamed));
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal() -> Goal {
        Goal {
            service: SocketAddr::from(([127, 0, 0, 1], 1)),
            key: "clave".to_owned(),
            model: None,
            admin: None,
        }
    }

    #[test]
    fn shares_make_a_whole_and_names_are_unique() {
        let kinds = kinds(Scenario::Mixed, &goal());
        let sum: f64 = kinds.iter().map(|kind| kind.share).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        let names: std::collections::BTreeSet<_> = kinds.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), kinds.len());
        assert_eq!(super::kinds(Scenario::Streams, &goal()).len(), 2);
    }

    #[test]
    fn new_requests_differ_and_known_ones_come_back() {
        for kind in kinds(Scenario::Mixed, &goal()) {
            let draw = || {
                let mut request = Vec::new();
                kind.source.write(&mut request);
                request
            };
            let (first, second) = (draw(), draw());
            match &kind.source {
                Source::Numbered(_) => assert_ne!(first, second, "{}", kind.name),
                Source::Turns(all, _) => {
                    for _ in 2..all.len() {
                        draw();
                    }
                    let again = draw();
                    assert!(again == first || all.len() == 1, "{}", kind.name);
                }
            }
        }
    }
}
