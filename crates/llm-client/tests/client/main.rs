//! The client from outside: against a scripted socket, over TLS, and against the Messages
//! API's stand-in. One program, so that it is linked once.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests stop the test"
)]

mod flapping;
mod interop;
mod openai;
mod oracle;
mod socket;
mod stand_in;
mod streams;
mod support;
mod tls;
