//! The whole, pressed from outside: the real binary, a stand-in for the model, real clients.
//!
//! Everything runs on loopback ports that the system chooses, in folders of its own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod support;

mod admin;
mod anthropic_sdk;
mod chat;
mod contract;
mod deploy;
mod deploy_compose;
mod drain;
mod dropin;
mod limits;
mod metrics;
mod model;
mod model_layers;
mod newcomer;
mod odoo;
mod payroll;
mod persistence;
mod real_documents;
mod schemathesis;
mod security;
mod sii;
mod stream_readers;
mod tls;
mod traces;
