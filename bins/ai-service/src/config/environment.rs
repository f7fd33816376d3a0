//! The process's environment as a value, so that no test needs to change the real one.

use std::collections::BTreeMap;

use super::file::{Auth, File, Model, Redis};
use super::settings::{SettingsError, wrong};

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
    pub(super) fn overlay(&self, file: &mut File) -> Result<(), SettingsError> {
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
        over(&mut file.traces.endpoint, "OTEL_EXPORTER_OTLP_ENDPOINT");
        if let Some(ratio) = self.get("OTEL_TRACES_SAMPLER_ARG") {
            let ratio = ratio
                .parse()
                .map_err(|_| wrong("OTEL_TRACES_SAMPLER_ARG", "must be 0 to 1"))?;
            file.traces.sample_ratio = Some(ratio);
        }
        let content = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
        if let Some(word) = self.get(content) {
            file.traces.model_content = yes_or_no(content, &word)?;
        }
        if let Some(delay) = self.get("AI_SERVICE_OVERLOAD_DELAY_MS") {
            let delay = delay
                .parse()
                .map_err(|_| wrong("AI_SERVICE_OVERLOAD_DELAY_MS", "must be milliseconds"))?;
            file.limits.overload_delay_ms = Some(delay);
        }
        if let Some(url) = self.get("SLACK_WEBHOOK_URL") {
            let slack = &mut file.sii_monitor.slack;
            (slack.webhook_url, slack.webhook_url_file) = (Some(url.into()), None);
        }
        self.overlay_redis(&mut file.redis)
    }

    /// Whether a variable says where Redis is.
    fn places_redis(&self) -> bool {
        let sentinel = self.get("REDIS_SENTINEL_ENABLED");
        let sentinel = sentinel.is_some_and(|word| yes_or_no("", &word).unwrap_or(false));
        sentinel || self.get("REDIS_HOST").is_some()
    }

    fn overlay_redis(&self, redis: &mut Redis) -> Result<(), SettingsError> {
        if let Some(url) = self.get("REDIS_URL") {
            if url.contains('@') {
                // It has a user or a password of its own: the file's are another server's.
                (redis.username, redis.password, redis.password_file) = (None, None, None);
            }
            redis.url = Some(url.into());
        } else if self.places_redis() {
            // The file's URL would go before these.
            redis.url = None;
        }
        let over = |target: &mut Option<String>, name| {
            if let Some(value) = self.get(name) {
                *target = Some(value);
            }
        };
        over(&mut redis.host, "REDIS_HOST");
        over(&mut redis.sentinel_hosts, "REDIS_SENTINEL_HOSTS");
        over(
            &mut redis.sentinel_master_name,
            "REDIS_SENTINEL_MASTER_NAME",
        );
        if let Some(password) = self.get("REDIS_PASSWORD") {
            (redis.password, redis.password_file) = (Some(password.into()), None);
        }
        if let Some(port) = self.get("REDIS_PORT") {
            let port = port
                .parse()
                .map_err(|_| wrong("REDIS_PORT", "must be 0 to 65535"))?;
            redis.port = Some(port);
        }
        if let Some(db) = self.get("REDIS_DB") {
            let db = db
                .parse()
                .map_err(|_| wrong("REDIS_DB", "must be 0 to 255"))?;
            redis.db = Some(db);
        }
        for (name, target) in [
            ("REDIS_SENTINEL_ENABLED", &mut redis.sentinel_enabled),
            ("REDIS_REPLICA_READS", &mut redis.replica_reads),
        ] {
            if let Some(word) = self.get(name) {
                *target = Some(yes_or_no(name, &word)?);
            }
        }
        Ok(())
    }
}

/// As compose files write it.
fn yes_or_no(name: &'static str, word: &str) -> Result<bool, SettingsError> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(wrong(name, "must be true or false")),
    }
}
