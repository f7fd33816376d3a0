//! Starting the service and talking to it.

mod client;
mod documents;
mod service;
mod site;

pub use client::{Reply, Request};
pub use documents::{base64, factura_con, factura_xml, valid};
pub use service::{KEY, Options, Service};
pub use site::Site;
