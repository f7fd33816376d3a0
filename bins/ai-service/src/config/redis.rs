//! Shared state in Redis: where it is, and every bound on waiting and holding.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use store::{
    KeyClass, KeyClasses, RedisConfig, RedisConfigError, RedisParameters, RedisTls, ResilientConfig,
};

use super::file;
use super::keys::secret;
use super::settings::{SettingsError, wrong};

/// The longest time that any of these settings may be: an hour.
const MAX_MS: u64 = 3_600_000;

/// Redis, and what becomes of what while it is away.
#[derive(Debug, Clone)]
pub(crate) struct SharedStore {
    pub(crate) redis: RedisConfig,
    pub(crate) resilient: ResilientConfig,
}

/// What the file says, if it says anything of Redis.
pub(super) fn redis(file: file::Redis) -> Result<Option<SharedStore>, SettingsError> {
    let password = secret("redis.password", file.password, file.password_file)?;
    let sentinel_enabled = file.sentinel_enabled.unwrap_or(false);
    let mut config = match file.url {
        Some(url) => RedisConfig::from_url(url.expose_secret()).map_err(|e| unusable(&e))?,
        None if file.host.is_some() || sentinel_enabled => {
            let parameters = RedisParameters {
                host: file.host,
                port: file.port,
                database: file.db,
                password: password.clone(),
                sentinel_enabled,
                sentinel_hosts: file.sentinel_hosts,
                sentinel_master_name: file.sentinel_master_name,
            };
            RedisConfig::from_parameters(parameters).map_err(|e| unusable(&e))?
        }
        None => return Ok(None),
    };
    if password.is_some() {
        config.password = password;
    }
    if file.username.is_some() {
        config.username = file.username;
    }
    config.sentinel_username = file.sentinel_username.or(config.sentinel_username);
    config.sentinel_password = secret(
        "redis.sentinel_password",
        file.sentinel_password,
        file.sentinel_password_file,
    )?
    .or(config.sentinel_password);
    config.tls = tls(file.ca_file, config.tls);
    if file.replica_reads == Some(true) {
        // What may be some milliseconds old: answers, not budgets or sessions.
        config.replica_read_prefixes = vec!["cache:".to_owned()];
    }
    config.prefix = file.prefix.unwrap_or(config.prefix);
    config.pool_max = file.pool_max.unwrap_or(config.pool_max);
    config.pool_start = file.pool_start.unwrap_or(config.pool_start);
    config.keepalive_count = file.keepalive_count.unwrap_or(config.keepalive_count);
    config.queue_len = file.queue_len.unwrap_or(config.queue_len);
    let times = [
        (
            "redis.keepalive_idle_ms",
            file.keepalive_idle_ms,
            &mut config.keepalive_idle,
        ),
        (
            "redis.keepalive_interval_ms",
            file.keepalive_interval_ms,
            &mut config.keepalive_interval,
        ),
        (
            "redis.connect_timeout_ms",
            file.connect_timeout_ms,
            &mut config.connect_timeout,
        ),
        (
            "redis.command_timeout_ms",
            file.command_timeout_ms,
            &mut config.command_timeout,
        ),
        (
            "redis.unresponsive_timeout_ms",
            file.unresponsive_timeout_ms,
            &mut config.unresponsive_timeout,
        ),
        (
            "redis.heartbeat_ms",
            file.heartbeat_ms,
            &mut config.heartbeat,
        ),
        (
            "redis.reconnect_min_ms",
            file.reconnect_min_ms,
            &mut config.reconnect_min,
        ),
        (
            "redis.reconnect_max_ms",
            file.reconnect_max_ms,
            &mut config.reconnect_max,
        ),
        (
            "redis.reconnect_jitter_ms",
            file.reconnect_jitter_ms,
            &mut config.reconnect_jitter,
        ),
        (
            "redis.sentinel_interval_ms",
            file.sentinel_interval_ms,
            &mut config.sentinel_interval,
        ),
    ];
    for (key, given, target) in times {
        match given {
            None => {}
            Some(ms @ 1..=MAX_MS) => *target = Duration::from_millis(ms),
            Some(_) => return Err(wrong(key, format!("must be 1 to {MAX_MS}"))),
        }
    }
    let mut resilient = ResilientConfig::new(classes());
    resilient.journal_len = file.journal_len.unwrap_or(resilient.journal_len);
    resilient.journal_bytes = file.journal_bytes.unwrap_or(resilient.journal_bytes);
    Ok(Some(SharedStore {
        redis: config,
        resilient,
    }))
}

/// What becomes of which key while Redis is away. What isn't named must not be lost.
fn classes() -> KeyClasses {
    KeyClasses::new(KeyClass::Durable)
        .with("cache:", KeyClass::Ephemeral)
        .with("llm-breaker:", KeyClass::Ephemeral)
        .with("limit:", KeyClass::Local)
}

fn tls(ca_file: Option<PathBuf>, from_url: Option<RedisTls>) -> Option<RedisTls> {
    ca_file.map(RedisTls::CaFile).or(from_url)
}

/// The URL may hold a password: the error names the part that is wrong and doesn't quote it.
fn unusable(error: &RedisConfigError) -> SettingsError {
    wrong("redis", error.to_string())
}
