//! Telling: to whom, when, and in which form.

mod channel;
mod deliveries;
pub mod email;
mod keys;
mod notice;
mod policy;
mod post;
pub mod slack;
mod smtp;
pub mod webhook;

pub use channel::{Channel, SendError, SendErrorKind, Slack, Webhook};
pub use deliveries::{Deliveries, MAX_DEAD, Outlet, Round, Told};
pub use notice::Notice;
pub use policy::{Digest, Policy, PolicyError, Quiet};
pub use smtp::{Smtp, SmtpConfig, SmtpTls};
