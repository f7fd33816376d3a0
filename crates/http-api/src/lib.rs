//! The HTTP contract of ai-service: what ERPs call.
//!
//! Routes, authentication, tenants, limits, errors and draining live here; rules about
//! documents live in `dte`, those about payslips in `payroll`, keeping answers in `cache`, calling a
//! model in `llm-client`. This crate wires them to HTTP and is the only one that knows the wire
//! format.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use cache::{Cache, CacheConfig};
//! use http_api::{ApiKey, Config, Deps, Keyring, OPERATIONS};
//! use llm_client::{Meter, MeterConfig};
//! use observability::Metrics;
//! use payroll::provider::{Provider, ProviderConfig};
//! use store::{EmbeddedConfig, EmbeddedStore, Store, SystemClock};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::{TcpListener, TcpStream};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = Arc::new(SystemClock);
//! let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone())?;
//! let store: Arc<dyn Store> = Arc::new(store);
//! let second_tier = Some(Arc::clone(&store));
//! let cache = Cache::new(&CacheConfig::default(), &OPERATIONS, second_tier, clock.clone())?;
//! // Without a model the rules answer.
//! let meter = Meter::new(MeterConfig::default(), Arc::clone(&store), clock.clone());
//! let metrics = Metrics::install(&[])?;
//! // Without a source the built-in months are known.
//! let indicators = Provider::new(Arc::clone(&store), clock.clone(), ProviderConfig::default());
//! let indicators = Arc::new(indicators);
//! // Nobody answers questions here, nor watches the tax service.
//! let (model, chat, sii) = (None, None, None);
//! let deps = Deps { cache, store, model, chat, sii, indicators, meter, metrics, clock };
//!
//! let key = ApiKey::new("erp", "0123456789abcdef0123456789abcdef");
//! let config = Config::new(Keyring::new(&[key])?, "1.0.0");
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let server = config.build(deps).spawn(listener);
//!
//! let mut stream = TcpStream::connect(server.local_addr().ok_or("it has no address")?).await?;
//! stream.write_all(b"GET /live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
//! let mut answer = String::new();
//! stream.read_to_string(&mut answer).await?;
//! assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
//! assert!(answer.contains(r#""status":"alive""#), "{answer}");
//!
//! // At the end: idle connections are closed at once, requests being worked on may end.
//! let drained = server.drain(Duration::ZERO, Duration::from_secs(30)).await;
//! assert_eq!(drained.unfinished, 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - Every answer is JSON of the contract or `application/problem+json`, carries the request's
//!   id and the security headers, and comes within [`Limits::request_timeout`] of its body.
//!   Only what is no HTTP request is answered by hyper itself: an empty 400, or 431 for a head
//!   that is too large.
//! - A client that sends or reads nothing is left in time; one that goes away leaves nothing
//!   behind that isn't counted by [`Limits::max_in_flight`].
//! - A model that is off, down, slow or talking nonsense never fails a validation: the rules
//!   answer, and the answer says so.
//! - What is computed for one tenant (a key and a company) is never served to another.
//! - No key, body or upstream text is in a log line or an error.
//! - A panic in a handler is a 500 of one request.
//!
//! - Connections that do nothing give their place to those who ask ([`Limits::max_connections`]).
//!
//! # Absent on purpose
//!
//! HTTP/2 without TLS, HTTP/3, compression of answers, client certificates: a reverse proxy has
//! them all.

mod admin;
mod analytics;
mod app;
mod asked;
mod auth;
mod body;
mod chat;
mod config;
mod connection;
mod connections;
mod cors;
mod costs;
mod entry;
mod fields;
mod figures;
mod head_timer;
mod kept;
mod keyring;
mod offload;
mod openapi;
mod overload;
mod payslips;
mod peers;
mod places;
mod probes;
mod problem;
mod purchases;
mod query;
mod reply;
mod request_id;
mod routes;
mod server;
mod service;
mod sii;
mod stream;
mod suggestions;
mod throttle;
mod tls;
mod today;
mod told;
mod turns;
mod validate;
mod within;

pub use admin::{Admin, AdminDeps, AdminServer, Reload, ReloadError, Reloaded};
pub use app::{App, Controls, Deps, Model};
pub use auth::{Role, Tenant};
pub use config::{Config, Limits};
pub use cors::{Cors, OriginError};
pub use keyring::{ApiKey, KeySecret, Keyring, KeyringError, MIN_KEY_CHARS};
pub use payslips::{PageError, PageReader, PreviredPage};
pub use peers::{NetworkError, TrustedProxies};
pub use problem::{FieldError, Problem, Segment};
pub use server::{Drained, Server};
pub use tls::{Tls, TlsError};

/// The operations whose answers are kept, as the cache's metrics name them.
pub const OPERATIONS: [&str; 6] = [
    ::chat::OPERATION,
    validate::OPERATION,
    purchases::MATCH_OPERATION,
    purchases::RECONCILE_OPERATION,
    analytics::OPERATION,
    payslips::OPERATION,
];
