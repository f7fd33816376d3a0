//! The HTTP contract of ai-service: what ERPs call.
//!
//! Routes, authentication, tenants, limits, errors and draining live here; rules about
//! documents live in `dte`, keeping answers in `cache`, calling a model in `llm-client`. This
//! crate wires them to HTTP and is the only one that knows the wire format.
//!
//! ```no_run
//! # async fn example(deps: http_api::Deps) -> Result<(), Box<dyn std::error::Error>> {
//! use http_api::{ApiKey, Config, Keyring};
//! use std::time::Duration;
//!
//! let key = ApiKey { name: "erp".into(), secret: "0123456789abcdef0123456789abcdef".into(), companies: None };
//! let config = Config::new(Keyring::new(&[key])?, "1.0.0");
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8002").await?;
//! let server = config.build(deps).spawn(listener);
//! // … until a signal comes:
//! server.drain(Duration::from_secs(2), Duration::from_secs(30)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! - Every answer is JSON of the contract or `application/problem+json`, carries the request's
//!   id and the security headers, and comes within [`Limits::request_timeout`] of its body.
//! - A model that is off, down, slow or talking nonsense never fails a validation: the rules
//!   answer, and the answer says so.
//! - What is computed for one tenant (a key and a company) is never served to another.
//! - No key, body or upstream text is in a log line or an error.
//! - A panic in a handler is a 500 of one request.
//!
//! # Absent on purpose
//!
//! TLS and HTTP/2 end at the reverse proxy in front of the service.

mod app;
mod auth;
mod body;
mod config;
mod figures;
mod offload;
mod probes;
mod problem;
mod reply;
mod request_id;
mod routes;
mod server;
mod service;
mod validate;

pub use app::{App, Deps};
pub use auth::{ApiKey, Keyring, KeyringError, MIN_KEY_CHARS, Tenant};
pub use config::{Config, Limits};
pub use problem::{FieldError, Problem, Segment};
pub use server::{Drained, Server};
pub use validate::OPERATION as VALIDATE_OPERATION;
