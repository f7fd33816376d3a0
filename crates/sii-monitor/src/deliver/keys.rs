//! Under which keys deliveries are kept.

pub(super) fn record_key(channel: &str, id: &str) -> String {
    format!("news:told:{channel}:{id}")
}

pub(super) fn waiting_key(channel: &str) -> String {
    format!("news:wait:{channel}")
}

pub(super) fn dead_key(channel: &str) -> String {
    format!("news:dead:{channel}")
}
