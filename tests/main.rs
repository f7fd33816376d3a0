//! The whole, pressed from outside: the real binary, a stand-in for the model, real clients.
//!
//! Everything runs on loopback ports that the system chooses, in folders of its own.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

mod admin;
mod anthropic_sdk;
mod chat;
mod contract;
mod drain;
mod dropin;
mod limits;
mod model;
mod model_layers;
mod newcomer;
mod odoo;
mod payroll;
mod persistence;
mod real_documents;
mod schemathesis;
mod security;
mod stream_readers;
mod tls;
