//! Where Redis is, from a file and the environment.

use secrecy::ExposeSecret as _;
use store::{Deployment, RedisConfig, RedisHost, RedisTls};

use super::load;

fn redis(toml: &str, environment: &[(&str, &str)]) -> RedisConfig {
    load(toml, environment).unwrap().shared.unwrap().redis
}

fn password(config: &RedisConfig) -> Option<&str> {
    config
        .password
        .as_ref()
        .map(|password| password.expose_secret())
}

fn one(host: &str, port: u16) -> Deployment {
    Deployment::Standalone(RedisHost::new(host, port))
}

#[test]
fn the_variables_of_compose_files_say_where_it_is() {
    let config = redis(
        "",
        &[
            ("REDIS_HOST", "redis"),
            ("REDIS_PORT", "6390"),
            ("REDIS_DB", "3"),
            ("REDIS_PASSWORD", "clave"),
        ],
    );
    assert_eq!(config.deployment, one("redis", 6390));
    assert_eq!(config.database, 3);
    assert_eq!(password(&config), Some("clave"));

    let config = redis(
        "",
        &[
            ("REDIS_SENTINEL_ENABLED", "True"),
            ("REDIS_SENTINEL_HOSTS", "a:26379, b"),
            ("REDIS_SENTINEL_MASTER_NAME", "principal"),
            ("REDIS_REPLICA_READS", "1"),
        ],
    );
    let sentinels = vec![RedisHost::new("a", 26379), RedisHost::new("b", 26379)];
    let master = "principal".to_owned();
    assert_eq!(
        config.deployment,
        Deployment::Sentinel { sentinels, master }
    );
    assert_eq!(config.replica_read_prefixes, ["cache:v1:"]);

    let config = redis("", &[("REDIS_URL", "rediss://app:cl%40ve@h:1/2")]);
    assert_eq!(config.deployment, one("h", 1));
    assert_eq!(config.tls, Some(RedisTls::PublicRoots));
    assert_eq!(config.username.as_deref(), Some("app"));
    assert_eq!(password(&config), Some("cl@ve"));
}

#[test]
fn what_says_nothing_of_a_place_is_no_redis() {
    for environment in [
        [("REDIS_HOST", ""), ("REDIS_PASSWORD", "")],
        [("REDIS_PORT", "6379"), ("REDIS_DB", "0")],
        [("REDIS_SENTINEL_ENABLED", "false"), ("REDIS_URL", " ")],
    ] {
        assert!(load("", &environment).unwrap().shared.is_none());
    }
}

#[test]
fn the_environment_goes_over_the_file() {
    let file = "[redis]\nurl = \"redis://u:del-archivo@archivo\"\npool_max = 7";
    let config = redis(file, &[("REDIS_HOST", "ambiente")]);
    assert_eq!(config.deployment, one("ambiente", 6379));
    assert_eq!(password(&config), None);
    assert_eq!((config.pool_max, config.pool_start), (7, 2));
    let config = redis(file, &[("REDIS_PASSWORD", "nueva")]);
    assert_eq!(config.deployment, one("archivo", 6379));
    assert_eq!(password(&config), Some("nueva"));

    let file = "[redis]\nhost = \"archivo\"\nusername = \"u\"\npassword = \"del-archivo\"";
    let config = redis(file, &[("REDIS_URL", "redis://:del-ambiente@ambiente")]);
    assert_eq!(config.deployment, one("ambiente", 6379));
    assert_eq!(password(&config), Some("del-ambiente"));
    assert_eq!(config.username, None);
    let config = redis(file, &[("REDIS_URL", "redis://ambiente")]);
    assert_eq!(password(&config), Some("del-archivo"));
}

#[test]
fn nonsense_about_redis_is_refused_by_name_and_not_quoted() {
    for (toml, environment, named) in [
        ("", ("REDIS_URL", "http://:secreta@h"), "redis is unusable"),
        ("", ("REDIS_URL", "redis://:secreta@h:x"), "host:port"),
        ("", ("REDIS_URL", "redis-sentinel://h"), "master"),
        ("", ("REDIS_PORT", "secreta"), "REDIS_PORT"),
        ("", ("REDIS_DB", "256"), "REDIS_DB"),
        (
            "",
            ("REDIS_SENTINEL_ENABLED", "secreta"),
            "REDIS_SENTINEL_ENABLED",
        ),
        ("", ("REDIS_SENTINEL_ENABLED", "true"), "host:port"),
        ("[redis]\nprefix = \"{a}\"", ("", ""), "redis.prefix"),
        ("[redis]\npool_max = 0", ("", ""), "redis.pool_max"),
        (
            "[redis]\npool_max = 3\npool_start = 4",
            ("", ""),
            "redis.pool_start",
        ),
        (
            "[redis]\ncommand_timeout_ms = 0",
            ("", ""),
            "redis.command_timeout_ms",
        ),
        (
            "[redis]\nreconnect_min_ms = 3000",
            ("", ""),
            "redis.reconnect_min_ms",
        ),
        (
            "[redis]\nkeepalive_count = 128",
            ("", ""),
            "redis.keepalive_count",
        ),
        (
            "[redis]\njournal_bytes = 1",
            ("", ""),
            "redis.journal_bytes",
        ),
        ("[redis]\nusername = \"u\"", ("", ""), "redis.username"),
        (
            "[redis]\npassword = \"secreta\"\npassword_file = \"b\"",
            ("", ""),
            "redis.password is given both",
        ),
        ("[redis]\npasword = \"secreta\"", ("", ""), "unknown field"),
        ("[redis]\npassword = [\"secreta\"]", ("", ""), "line 2"),
    ] {
        let error = load(toml, &[environment]).unwrap_err();
        assert!(error.contains(named), "{toml} {environment:?}: {error}");
        assert!(!error.contains("secreta"), "{error}");
    }
}

#[test]
fn a_patience_that_is_given_is_not_cut_short() {
    let file = "[redis]\nhost = \"h\"\ncommand_timeout_ms = 5000";
    let shared = load(file, &[]).unwrap().shared.unwrap();
    assert!(shared.resilient.deadline > shared.redis.command_timeout);
}

#[test]
fn check_config_shows_every_bound_and_no_password() {
    let toml = "[redis]\nsentinel_password = \"oculta-1\"\njournal_len = 321";
    let url = (
        "REDIS_URL",
        "redis-sentinel://:oculta-2@a:1,b:2/principal/4",
    );
    let settings = load(toml, &[url]).unwrap();
    let text = settings.to_string();
    for shown in [
        "principal",
        "database: 4",
        "pool_max: 50",
        "keepalive_count: 3",
        "command_timeout: 40ms",
        "redis.journal_len = 321",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(!text.contains("oculta") && !format!("{settings:?}").contains("oculta"));
}
