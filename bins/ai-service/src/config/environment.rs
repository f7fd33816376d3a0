//! The process's environment as a value, so that no test needs to change the real one.

use std::collections::BTreeMap;

use super::file::{Auth, File, Model};

/// Variables of later versions that compose files already set: they change nothing yet, and
/// whoever sets them should know.
const NOT_YET: [&str; 11] = [
    "REDIS_URL",
    "REDIS_HOST",
    "REDIS_PORT",
    "REDIS_DB",
    "REDIS_PASSWORD",
    "REDIS_SENTINEL_ENABLED",
    "REDIS_SENTINEL_HOSTS",
    "REDIS_SENTINEL_MASTER_NAME",
    "REDIS_REPLICA_READS",
    "SLACK_WEBHOOK_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// Environment variables.
pub(crate) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The process's own. What isn't UTF-8 is none of ours.
    pub(crate) fn of_process() -> Self {
        let vars = std::env::vars_os();
        Self(
            vars.filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        )
    }

    /// A made-up one.
    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    /// A variable that is set to something: compose files pass on unset ones as empty, and
    /// `.env` files written on Windows leave a carriage return behind.
    fn get(&self, name: &str) -> Option<String> {
        let value = self.0.get(name)?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Puts what is set over what the file says.
    pub(super) fn overlay(&self, file: &mut File) {
        let over = |target: &mut Option<String>, name| {
            if let Some(value) = self.get(name) {
                *target = Some(value);
            }
        };
        over(&mut file.listen, "AI_SERVICE_LISTEN");
        over(&mut file.log_level, "LOG_LEVEL");
        let Auth {
            api_key,
            api_key_file,
            ..
        } = &mut file.auth;
        if let Some(key) = self.get("AI_SERVICE_API_KEY") {
            (*api_key, *api_key_file) = (Some(key.into()), None);
        }
        let Model {
            name,
            base_url,
            api_key,
            api_key_file,
            ..
        } = &mut file.model;
        over(name, "ANTHROPIC_MODEL");
        over(base_url, "ANTHROPIC_BASE_URL");
        if let Some(key) = self.get("ANTHROPIC_API_KEY") {
            (*api_key, *api_key_file) = (Some(key.into()), None);
        }
    }

    /// Variables that are set and that this version doesn't read yet.
    pub(super) fn not_yet(&self) -> Vec<&'static str> {
        NOT_YET
            .into_iter()
            .filter(|name| self.get(name).is_some())
            .collect()
    }
}
