//! What is asked of the servers, and what a right answer is.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::time::{sleep, timeout};

use super::client::{Cache, Connection, Expectation};
use super::generator::Load;
use super::invoice::Invoice;
use super::rules;
use super::server::{API_KEY, Server};
use super::template::Template;
use crate::error::Error;

/// How often, and with which pause, an answer that isn't as expected yet is asked for again:
/// the service stores an answer in its cache after it has given it.
const WARM_UP_TRIES: u32 = 200;
const WARM_UP_PAUSE: Duration = Duration::from_millis(5);
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// The server that a target needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Bare hyper.
    Hello,
    /// The service with nothing configured.
    Plain,
    /// The service with a model.
    Model,
}

/// Something that is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Bare hyper.
    Hello,
    /// Bare hyper, sent the same bytes as a validate: the part of a validate's cost that is
    /// HTTP and nothing else.
    HelloPost,
    /// The cheapest route.
    Live,
    /// A validate whose answer is in the cache.
    Cached,
    /// A validate by the rules alone, ten lines of JSON.
    RulesJson,
    /// The same as XML.
    RulesXml,
    /// The same with sixty lines of JSON.
    RulesSixty,
}

impl Target {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 7] = [
        Self::Hello,
        Self::HelloPost,
        Self::Live,
        Self::Cached,
        Self::RulesJson,
        Self::RulesXml,
        Self::RulesSixty,
    ];

    /// The name that `--filter` looks at.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::HelloPost => "hello-post",
            Self::Live => "live",
            Self::Cached => "validate-cached",
            Self::RulesJson => "validate-rules-json-10",
            Self::RulesXml => "validate-rules-xml-10",
            Self::RulesSixty => "validate-rules-json-60",
        }
    }

    /// The server that it needs.
    pub fn needs(self) -> Needs {
        match self {
            Self::Hello | Self::HelloPost => Needs::Hello,
            Self::Cached => Needs::Model,
            _ => Needs::Plain,
        }
    }

    /// What is sent, and what must come back. The rules' requests each have a folio of their
    /// own, so that no answer can come from the cache.
    pub fn load(self, server: &Server, connections: usize) -> Arc<Load> {
        let today = jiff::Zoned::now().date().to_string();
        let json = |lines| {
            let invoice = Invoice::new(lines, &today).dte_data();
            validate(&json!({ "dte_data": invoice, "company_id": 1 }).to_string())
        };
        let xml = || {
            let invoice = Invoice::new(10, &today).xml();
            validate(&json!({ "dte_xml": invoice, "company_id": 1 }).to_string())
        };
        let (template, cache) = match self {
            Self::Hello => (Template::fixed(get("/")), Cache::Any),
            Self::HelloPost => (Template::fixed(json(10)), Cache::Any),
            Self::Live => (Template::fixed(get("/live")), Cache::Any),
            Self::Cached => (Template::fixed(json(10)), Cache::Hit),
            Self::RulesJson => (Template::numbered(json(10)), Cache::NotHit),
            Self::RulesXml => (Template::numbered(xml()), Cache::NotHit),
            Self::RulesSixty => (Template::numbered(json(rules::LINES)), Cache::NotHit),
        };
        Arc::new(Load {
            address: server.address,
            template,
            expected: Expectation { status: 200, cache },
            connections,
        })
    }
}

/// A GET as bytes.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n").into_bytes()
}

/// A POST to the validate route as bytes.
fn validate(body: &str) -> Vec<u8> {
    post("/api/ai/validate", API_KEY, body)
}

/// A POST of JSON with a key, as bytes.
pub fn post(path: &str, key: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Asks until the answer is as expected; returns the length of its body.
///
/// # Errors
///
/// [`Error::Bench`] with the start of the last answer.
pub async fn warm_up(target: Target, load: &Load) -> Result<usize, Error> {
    let failed = |reason: String| Error::Bench(format!("{}: {reason}", target.name()));
    let mut connection = Connection::open(load.address)
        .await
        .map_err(|e| failed(e.to_string()))?;
    let mut request = load.template.copy();
    let mut last = String::new();
    for _ in 0..WARM_UP_TRIES {
        load.template.renew(&mut request);
        let answer = timeout(ANSWER_DEADLINE, connection.exchange(&request))
            .await
            .map_err(|_| failed(format!("no answer in {ANSWER_DEADLINE:?}")))?
            .map_err(|failure| failed(failure.to_string()))?;
        match answer.check(load.expected) {
            Ok(()) => return Ok(answer.body.len()),
            Err(failure) => {
                let body: String = String::from_utf8_lossy(answer.body)
                    .chars()
                    .take(400)
                    .collect();
                last = format!("{failure}; the answer was {body}");
            }
        }
        sleep(WARM_UP_PAUSE).await;
    }
    Err(failed(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (index, target) in Target::ALL.iter().enumerate() {
            let first = Target::ALL
                .iter()
                .position(|other| other.name() == target.name());
            assert_eq!(first, Some(index));
        }
    }

    #[test]
    fn a_post_says_how_long_its_body_is() {
        let request = String::from_utf8(validate("{\"ñ\":1}")).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())));
    }
}
