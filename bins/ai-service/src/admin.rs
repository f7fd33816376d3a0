//! The operator's listener, where one is configured.

use std::io;
use std::net::SocketAddr;

use http_api::{Admin, AdminDeps, AdminServer};
use tokio::net::TcpListener;

use crate::config::AdminSettings;

/// The listener, bound but not serving yet: before the public one serves, so that a port that is
/// taken ends the start.
pub(crate) async fn bind(
    settings: Option<&AdminSettings>,
) -> Result<Option<TcpListener>, (SocketAddr, io::Error)> {
    let Some(settings) = settings else {
        return Ok(None);
    };
    let listener = TcpListener::bind(settings.listen).await;
    listener.map(Some).map_err(|error| (settings.listen, error))
}

/// Serves on it, where there is one.
pub(crate) fn spawn(
    bound: Option<(&AdminSettings, TcpListener)>,
    deps: AdminDeps,
) -> Result<Option<AdminServer>, http_api::KeyringError> {
    let Some((settings, listener)) = bound else {
        return Ok(None);
    };
    let server = Admin::new(settings.key.clone(), deps)?.spawn(listener);
    if let Some(addr) = server.local_addr() {
        tracing::info!(%addr, key = settings.key.is_some(), "listening for the operator");
    }
    Ok(Some(server))
}
