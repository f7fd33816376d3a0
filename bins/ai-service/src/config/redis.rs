//! Shared state in Redis: where it is, and every bound on waiting and holding.

use std::ops::RangeInclusive;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use store::{
    KeyClass, KeyClasses, RedisConfig, RedisConfigError, RedisParameters, RedisTls, ResilientConfig,
};

use super::file;
use super::keys::secret;
use super::limits::time;
use super::settings::{SettingsError, wrong};

/// Most connections of the pool, for each process.
const MAX_POOL: usize = 10_000;
/// Most commands or writes that wait.
const MAX_WAITING: usize = 1_000_000;
/// Most bytes that the journal may be allowed: 4 GiB.
const MAX_JOURNAL_BYTES: usize = 4 << 30;
/// Most questions of TCP's keepalive that Linux takes.
const MAX_KEEPALIVE: u32 = 127;

/// Redis, and what becomes of what while it is away.
#[derive(Debug, Clone)]
pub(crate) struct SharedStore {
    pub(crate) redis: RedisConfig,
    pub(crate) resilient: ResilientConfig,
}

/// What the file says, if it says where Redis is. What is wrong is said either way.
pub(super) fn redis(mut file: file::Redis) -> Result<Option<SharedStore>, SettingsError> {
    let found = place(&mut file)?;
    // A stand-in to check the rest by: a bound that makes no sense is none where Redis isn't used.
    let mut config = match &found {
        Some(config) => config.clone(),
        None => RedisConfig::from_url("redis://localhost").map_err(|e| unusable(&e))?,
    };
    log_in(&mut config, &mut file)?;
    if let Some(path) = file.ca_file.take() {
        config.tls = Some(RedisTls::CaFile(path));
    }
    if file.replica_reads == Some(true) {
        // What may be some milliseconds old: kept answers, not leases, budgets or sessions.
        config.replica_read_prefixes = vec!["cache:v1:".to_owned()];
    }
    if let Some(prefix) = file.prefix.take() {
        if prefix.contains(['{', '}']) {
            return Err(wrong("redis.prefix", "may not contain braces"));
        }
        config.prefix = prefix;
    }
    bounds(&mut config, &file)?;
    times(&mut config, &file)?;
    let mut resilient = resilient(&file)?;
    // The last resort is behind the client's own time-out, not before it.
    resilient.deadline = resilient.deadline.max(config.command_timeout * 2);
    Ok(found.map(|_| SharedStore {
        redis: config,
        resilient,
    }))
}

/// Where it is: a URL goes before the separate parameters.
fn place(file: &mut file::Redis) -> Result<Option<RedisConfig>, SettingsError> {
    let sentinel_enabled = file.sentinel_enabled.unwrap_or(false);
    let config = if let Some(url) = &file.url {
        RedisConfig::from_url(url.expose_secret().trim())
    } else if file.host.is_some() || sentinel_enabled {
        RedisConfig::from_parameters(RedisParameters {
            host: file.host.take(),
            port: file.port,
            database: file.db,
            password: None,
            sentinel_enabled,
            sentinel_hosts: file.sentinel_hosts.take(),
            sentinel_master_name: file.sentinel_master_name.take(),
        })
    } else {
        return Ok(None);
    };
    config.map(Some).map_err(|error| unusable(&error))
}

/// Users and passwords: what has a key of its own goes over what the URL says.
fn log_in(config: &mut RedisConfig, file: &mut file::Redis) -> Result<(), SettingsError> {
    let given = |key, inline: &mut Option<SecretString>, file: &mut Option<_>| {
        let secret = secret(key, inline.take(), file.take())?;
        // Compose files pass an unset password on as an empty one.
        Ok::<_, SettingsError>(secret.filter(|secret| !secret.expose_secret().is_empty()))
    };
    let password = given(
        "redis.password",
        &mut file.password,
        &mut file.password_file,
    )?;
    config.password = password.or(config.password.take());
    config.username = file.username.take().or(config.username.take());
    config.sentinel_password = given(
        "redis.sentinel_password",
        &mut file.sentinel_password,
        &mut file.sentinel_password_file,
    )?;
    config.sentinel_username = file.sentinel_username.take();
    for (key, user, password) in [
        ("redis.username", &config.username, &config.password),
        (
            "redis.sentinel_username",
            &config.sentinel_username,
            &config.sentinel_password,
        ),
    ] {
        if user.is_some() && password.is_none() {
            return Err(wrong(key, "has no password"));
        }
    }
    Ok(())
}

/// Numbers of things.
fn bounds(config: &mut RedisConfig, file: &file::Redis) -> Result<(), SettingsError> {
    let pool = 1..=MAX_POOL;
    within("redis.pool_max", file.pool_max, &pool, &mut config.pool_max)?;
    // A small pool begins small.
    config.pool_start = config.pool_start.min(config.pool_max);
    let start = 1..=config.pool_max;
    within(
        "redis.pool_start",
        file.pool_start,
        &start,
        &mut config.pool_start,
    )?;
    let waiting = 1..=MAX_WAITING;
    within(
        "redis.queue_len",
        file.queue_len,
        &waiting,
        &mut config.queue_len,
    )?;
    let questions = 1..=MAX_KEEPALIVE;
    within(
        "redis.keepalive_count",
        file.keepalive_count,
        &questions,
        &mut config.keepalive_count,
    )
}

/// Times, each of 1 ms to an hour.
fn times(config: &mut RedisConfig, file: &file::Redis) -> Result<(), SettingsError> {
    let set = |key, given, target: &mut Duration| {
        time(key, given, *target).map(|checked| *target = checked)
    };
    set(
        "redis.keepalive_idle_ms",
        file.keepalive_idle_ms,
        &mut config.keepalive_idle,
    )?;
    set(
        "redis.keepalive_interval_ms",
        file.keepalive_interval_ms,
        &mut config.keepalive_interval,
    )?;
    set(
        "redis.connect_timeout_ms",
        file.connect_timeout_ms,
        &mut config.connect_timeout,
    )?;
    set(
        "redis.command_timeout_ms",
        file.command_timeout_ms,
        &mut config.command_timeout,
    )?;
    set(
        "redis.unresponsive_timeout_ms",
        file.unresponsive_timeout_ms,
        &mut config.unresponsive_timeout,
    )?;
    set(
        "redis.heartbeat_ms",
        file.heartbeat_ms,
        &mut config.heartbeat,
    )?;
    set(
        "redis.reconnect_min_ms",
        file.reconnect_min_ms,
        &mut config.reconnect_min,
    )?;
    set(
        "redis.reconnect_max_ms",
        file.reconnect_max_ms,
        &mut config.reconnect_max,
    )?;
    set(
        "redis.reconnect_jitter_ms",
        file.reconnect_jitter_ms,
        &mut config.reconnect_jitter,
    )?;
    set(
        "redis.sentinel_interval_ms",
        file.sentinel_interval_ms,
        &mut config.sentinel_interval,
    )?;
    if config.reconnect_min > config.reconnect_max {
        let problem = "must be at most redis.reconnect_max_ms";
        return Err(wrong("redis.reconnect_min_ms", problem));
    }
    Ok(())
}

fn resilient(file: &file::Redis) -> Result<ResilientConfig, SettingsError> {
    let mut config = ResilientConfig::new(classes());
    within(
        "redis.journal_len",
        file.journal_len,
        &(1..=MAX_WAITING),
        &mut config.journal_len,
    )?;
    within(
        "redis.journal_bytes",
        file.journal_bytes,
        &(1024..=MAX_JOURNAL_BYTES),
        &mut config.journal_bytes,
    )?;
    Ok(config)
}

/// Puts what is given in its place, if it is in bounds.
fn within<T: Copy + PartialOrd + std::fmt::Display>(
    key: &'static str,
    given: Option<T>,
    bounds: &RangeInclusive<T>,
    target: &mut T,
) -> Result<(), SettingsError> {
    match given {
        Some(value) if !bounds.contains(&value) => {
            let (least, most) = (bounds.start(), bounds.end());
            Err(wrong(key, format!("must be {least} to {most}")))
        }
        given => {
            *target = given.unwrap_or(*target);
            Ok(())
        }
    }
}

/// What becomes of which key while Redis is away. What isn't named must not be lost.
fn classes() -> KeyClasses {
    KeyClasses::new(KeyClass::Durable)
        .with("cache:", KeyClass::Ephemeral)
        .with("llm-breaker:", KeyClass::Ephemeral)
        .with("limit:", KeyClass::Local)
}

/// The URL may hold a password: the error names the part that is wrong and doesn't quote it.
fn unusable(error: &RedisConfigError) -> SettingsError {
    wrong("redis", format!("is unusable: failed to {error}"))
}
