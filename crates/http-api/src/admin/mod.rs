//! The operator's listener: what changes a serving process and tells how it is.
//!
//! It is apart from the public one, so that a firewall or a binding keeps it to those who run the
//! service. With a key, the key opens it. Without one it serves on loopback only, and then only
//! what names this machine as its `Host` and comes from no web page: else any page that somebody
//! on this machine looks at could send it requests.

mod actions;
mod server;

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use knowledge_base::KnowledgeBase;
use llm_client::Breaker;
use observability::Written;
use observability::logs::Level;
use secrecy::SecretString;
use store::ResilientStore;
use thiserror::Error;

use crate::app::Controls;
use crate::body;
use crate::config::Limits;
use crate::keyring::{ApiKey, KeySecret, Keyring, KeyringError};
use crate::problem::Problem;
use crate::reply::{self, Body, Reply};
use crate::request_id::RequestId;
use crate::within::within;

pub use server::AdminServer;

/// Longest that anything here may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Largest body.
const MAX_BODY: usize = 16 * 1024;

/// What the operator can act on.
pub struct AdminDeps {
    /// The application that serves.
    pub controls: Controls,
    /// What the chat knows.
    pub knowledge: KnowledgeBase,
    /// The breakers of the models, the first one's first.
    pub breakers: Vec<Arc<Breaker>>,
    /// The store with its stand-in, where it is a shared one.
    pub shared_store: Option<Arc<ResilientStore>>,
    /// The log's level.
    pub log_level: Level,
    /// The settings in force, as text and without secrets.
    pub settings: String,
    /// Reads keys and certificates again.
    pub reload: Arc<dyn Reload>,
}

/// Reads what may change while the process serves: keys and certificates.
#[async_trait]
pub trait Reload: Send + Sync {
    /// Reads it now.
    ///
    /// # Errors
    /// [`ReloadError`]; what was in force stays in force.
    async fn reload(&self) -> Result<Reloaded, ReloadError>;
}

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reloaded {
    /// Keys that are good now.
    pub keys: usize,
    /// Whether there is a certificate, read again.
    pub certificate: bool,
}

/// Why the new configuration isn't used. The configuration's fault; for an operator's eyes.
#[derive(Debug, Error)]
#[error("failed to use the new configuration: {0}")]
pub struct ReloadError(pub String);

/// The operator's API, ready to serve.
pub struct Admin {
    /// Its key; none: anybody on this machine.
    keys: Option<Keyring>,
    deps: AdminDeps,
}

impl Admin {
    /// The API over `deps`, opened by `key`. Without one it must listen on loopback only: that is
    /// the caller's to see to.
    ///
    /// # Errors
    /// [`KeyringError`], where the key is blank.
    pub fn new(key: Option<SecretString>, deps: AdminDeps) -> Result<Self, KeyringError> {
        let ring = |key| Keyring::new(&[ApiKey::new("admin", KeySecret::Plain(key))]);
        Ok(Self {
            keys: key.map(ring).transpose()?,
            deps,
        })
    }

    /// Answers one request.
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let started = Instant::now();
        let id = RequestId::of(request.headers());
        let id = id.as_str();
        let outcome = within(LIMIT, pin!(self.handle(request))).await;
        match outcome.unwrap_or_else(|_| Err(Problem::deadline())) {
            Ok(reply) => reply.into_response(id, started.elapsed(), Written::default()),
            Err(problem) => reply::refusal(&problem, id, started.elapsed(), &Written::default()),
        }
    }

    async fn handle(&self, request: Request<Incoming>) -> Result<Reply, Problem> {
        let (head, mut incoming) = request.into_parts();
        self.authenticate(&head.headers)?;
        let action = actions::find(&head.method, head.uri.path())?;
        let body = if head.method == Method::GET {
            Bytes::new()
        } else {
            let limits = Limits {
                max_body_bytes: MAX_BODY,
                ..Limits::default()
            };
            body::read_json(&head.headers, &mut incoming, &limits).await?
        };
        action.run(&self.deps, &body).await
    }

    fn authenticate(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match &self.keys {
            Some(keys) => {
                let now = || self.deps.controls.shared.now();
                keys.authenticate(headers, now).map(drop)
            }
            None if is_of_this_machine(headers) => Ok(()),
            None => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "not_of_this_machine",
                "Forbidden",
                "Sin clave, sólo se atienden solicitudes hechas en esta misma máquina con \
                 «localhost» o su dirección.",
            )),
        }
    }
}

/// Whether a request names this machine and comes from no page: a page of another site that has
/// its name point to 127.0.0.1 names itself, and one that just sends has an origin.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let host = host.to_str().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let here = name.eq_ignore_ascii_case("localhost")
        || name
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback());
    here && !headers.contains_key(ORIGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_foreign_names_are_not_of_this_machine() {
        let headers = |list: &[(http::HeaderName, &'static str)]| -> HeaderMap {
            let value = |text| http::HeaderValue::from_static(text);
            list.iter()
                .map(|(name, text)| (name.clone(), value(text)))
                .collect()
        };
        for (host, here) in [
            ("localhost", true),
            ("LOCALHOST:9002", true),
            ("127.0.0.1:9002", true),
            ("[::1]:9002", true),
            ("evil.example:9002", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("192.0.2.1", false),
            ("", false),
            ("[", false),
        ] {
            assert_eq!(
                is_of_this_machine(&headers(&[(HOST, host)])),
                here,
                "{host}"
            );
        }
        let page = headers(&[(HOST, "localhost"), (ORIGIN, "https://evil.example")]);
        assert!(!is_of_this_machine(&page));
        assert!(!is_of_this_machine(&HeaderMap::new()));
        let mut two = headers(&[(HOST, "localhost")]);
        two.append(HOST, http::HeaderValue::from_static("evil.example"));
        assert!(!is_of_this_machine(&two));
    }
}
