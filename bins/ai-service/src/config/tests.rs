//! What is refused, what goes over what, and that secrets don't show.

mod redis;
mod sii;

use std::io::Write as _;

use secrecy::ExposeSecret as _;

use super::*;

const LONG: &str = "0123456789abcdef0123456789abcdef";

fn load(toml: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(toml.as_bytes()).unwrap();
    Settings::load(Some(file.path()), &Environment::of(environment))
        .map_err(|error| crate::chain(&error))
}

/// Everything that is wrong with a file.
fn problems(toml: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(toml.as_bytes()).unwrap();
    let source = Source {
        path: Some(file.path().to_owned()),
        environment: Environment::of(environment),
    };
    let problems = source.problems();
    problems.iter().map(|error| crate::chain(error)).collect()
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let wrong = r#"
        listen = "0.0.0.0:8002"
        log_level = "loud"
        [auth]
        api_key = "short"
        [store]
        engine = "tape"
        [redis]
        url = "http://redis"
        [drain]
        grace_ms = 99999999999
    "#;
    let found = problems(wrong, &[]);
    let told = |word: &str| found.iter().filter(|text| text.contains(word)).count();
    for word in ["log_level", "store.engine", "redis", "drain.grace_ms"] {
        assert_eq!(told(word), 1, "{word}: {found:?}");
    }
    // The key is too short: that none is left without it is no other problem.
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(problems("log_level = \"info\"", &[]).is_empty());
}

#[test]
fn one_problem_is_told_once_whoever_has_it() {
    let environment = [("AI_SERVICE_LISTEN", "nowhere")];
    assert_eq!(problems("", &environment).len(), 1);
    assert_eq!(problems("listen = 'here'", &environment).len(), 1);
    assert_eq!(problems("no toml", &[]).len(), 1);
    assert_eq!(problems("[redis]\nport = 'x'\n[storage]\n", &[]).len(), 1);
    let none = Source {
        path: Some("/nonexistent/ai-service.toml".into()),
        environment: Environment::of(&[]),
    };
    assert_eq!(none.problems().len(), 1);
}

/// The secret of a key that is configured as itself.
fn plain(key: &http_api::ApiKey) -> &str {
    match &key.secret {
        http_api::KeySecret::Plain(secret) => secret.expose_secret(),
        hashed => panic!("{hashed:?}"),
    }
}

#[test]
fn with_nothing_set_it_serves_on_loopback_with_a_made_up_key_and_no_model() {
    let settings = Settings::load(None, &Environment::of(&[])).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8002");
    assert_eq!(settings.engine, Engine::File("data/ai-service.redb".into()));
    assert!(settings.model.is_none());
    let key = settings
        .made_up_key
        .as_ref()
        .unwrap()
        .expose_secret()
        .to_owned();
    assert_eq!(key.len(), 64);
    let again = Settings::load(None, &Environment::of(&[])).unwrap();
    assert_ne!(again.made_up_key.unwrap().expose_secret(), key);
}

#[test]
fn the_environment_goes_over_the_file_and_empty_variables_are_unset() {
    let toml = r#"
        listen = "127.0.0.1:9000"
        log_level = "warn"
        [auth]
        api_key = "from the file"
        [model]
        name = "claude-haiku-4-5"
        api_key = "sk-file"
    "#;
    let settings = load(
        toml,
        &[
            ("AI_SERVICE_LISTEN", "127.0.0.1:9001"),
            ("LOG_LEVEL", ""),
            ("AI_SERVICE_API_KEY", "from the environment"),
            ("ANTHROPIC_BASE_URL", "http://127.0.0.1:8100"),
            ("AI_SERVICE_OVERLOAD_DELAY_MS", "0"),
            ("SLACK_WEBHOOK_URL", "https://hooks.slack.example/x"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"),
            ("REDIS_HOST", ""),
        ],
    )
    .unwrap();
    assert_eq!(settings.listen.port(), 9001);
    assert_eq!(settings.log_level, "warn");
    assert_eq!(plain(&settings.keys[0]), "from the environment");
    let model = settings.model.unwrap();
    assert_eq!(
        (model.model.as_str(), model.base_url.as_str()),
        ("claude-haiku-4-5", "http://127.0.0.1:8100")
    );
    assert_eq!(
        settings.traces.unwrap().endpoint.to_string(),
        "http://localhost:4318"
    );
    assert_eq!(settings.sii.outlets[0].name, "slack");
    assert!(settings.limits.overload_delay.is_zero());
    assert!(settings.shared.is_none());
}

#[test]
fn beyond_loopback_only_with_long_keys() {
    let open = ("AI_SERVICE_LISTEN", "0.0.0.0:8002");
    for environment in [vec![open], vec![open, ("AI_SERVICE_API_KEY", "short")]] {
        let error = load("", &environment).unwrap_err();
        assert!(error.contains("auth.api_key must be set"), "{error}");
    }
    assert!(load("", &[open, ("AI_SERVICE_API_KEY", LONG)]).is_ok());
    let one_short = format!(
        "[[auth.keys]]\nname = \"a\"\nkey = \"{LONG}\"\n[[auth.keys]]\nname = \"b\"\nkey = \"x\""
    );
    assert!(load(&one_short, &[open]).is_err());
}

#[test]
fn nonsense_is_refused_by_name() {
    for (toml, named) in [
        ("listn = \"x\"", "unknown field"),
        ("listen = \"8002\"", "listen must be ADDRESS:PORT"),
        ("log_level = \"loud\"", "log_level"),
        ("[store]\nengine = \"redis\"", "store.engine"),
        ("[store]\nengine = \"memory\"\npath = \"x\"", "store.path"),
        ("[store]\nmax_bytes = 1", "store.max_bytes"),
        ("[cache]\nl1_bytes = 0", "l1_bytes"),
        ("[cache]\nl1_byte = 1", "unknown field"),
        ("[limits]\nmax_in_flight = 0", "limits.max_in_flight"),
        ("[limits]\nhead_timeout_ms = 0", "limits.head_timeout_ms"),
        (
            "[limits]\nmodel_timeout_ms = 29000",
            "limits.model_timeout_ms",
        ),
        ("[limits]\nmax_body_bytes = 10", "limits.max_body_bytes"),
        (
            "[limits]\nmax_in_flight_bytes = 2048",
            "limits.max_in_flight_bytes",
        ),
        (
            "[validate]\nlifetime_seconds = 0",
            "validate.lifetime_seconds",
        ),
        (
            "[validate]\nlifetime_seconds = 9223372036854775807",
            "validate.lifetime_seconds",
        ),
        (
            "[indicators]\nurl = \"http://example.com/\"",
            "indicators.url",
        ),
        ("[indicators]\nurl = \"previred\"", "indicators.url"),
        ("[indicators]\ntimeout_ms = 0", "indicators.timeout_ms"),
        ("[concurrency]\nmax = 0", "concurrency.max"),
        ("[concurrency]\nqueue = 100001", "concurrency.queue"),
        ("[concurrency]\ninitial = 9\nmax = 8", "concurrency.initial"),
        ("[drain]\ngrace_ms = 9223372036854775807", "drain.grace_ms"),
        ("[limits]\nmin_body_rate = 0", "limits.min_body_rate"),
        (
            "[limits]\noverload_delay_ms = 3600001",
            "limits.overload_delay_ms",
        ),
        (
            "[limits]\nmax_connections_per_peer = 0",
            "limits.max_connections_per_peer",
        ),
        ("[tls]\ncertificate = \"a.pem\"", "tls needs both"),
        (
            "[tls]\ncertificate = \"/nonexistent/a.pem\"\nkey = \"b\"",
            "/nonexistent/a.pem",
        ),
        ("[cors]\norigins = [\"*\"]", "cors.origins"),
        ("[proxies]\ntrusted = [\"10.0.0.0/99\"]", "proxies.trusted"),
        ("[admin]\nlisten = \"0.0.0.0:9002\"", "admin.api_key"),
        (
            "[admin]\nlisten = \"127.0.0.1:9002\"\napi_key = \"corta\"",
            "admin.api_key",
        ),
        ("[admin]\napi_key = \"x\"", "admin.listen"),
        ("[auth]\napi_key = \"blake3:12\"", "64 hexadecimal"),
        ("[auth]\nburst = 3", "auth.burst"),
        (
            "[auth]\napi_key = \"x\"\nrequests_per_minute = 0",
            "auth.requests_per_minute",
        ),
        ("[auth]\nkeys_file = \"/nonexistent/k\"", "/nonexistent/k"),
        (
            "[[auth.keys]]\nname = \"a\"\nkey = \"x\"\nrole = \"dios\"",
            "auth.keys.role",
        ),
        (
            "[[auth.keys]]\nname = \"a\"\nkey = \"x\"\nprevious = \"y\"",
            "auth.keys.previous",
        ),
        (
            "[[auth.keys]]\nname = \"a\"\nkey = \"x\"\nprevious = \"y\"\nprevious_until = \"mañana\"",
            "auth.keys.previous_until",
        ),
        ("[[auth.keys]]\nname = \"erp\"", "neither key nor key_file"),
        (
            "[auth]\napi_key = \"a\"\napi_key_file = \"b\"",
            "both directly and as a file",
        ),
        (
            "[auth]\napi_key_file = \"/nonexistent/key\"",
            "/nonexistent/key",
        ),
        ("[model]\napi_key = \"sk\"\nbase_url = \"ftp://x\"", "model"),
        (
            "[model]\napi_key = \"sk\"\nca_file = \"/nonexistent/ca\"",
            "/nonexistent/ca",
        ),
        (
            // A file that is there and holds no certificate.
            "[model]\napi_key = \"sk\"\nca_file = \"Cargo.toml\"",
            "trusted certificates",
        ),
        (
            "[second_model]\nname = \"x\"\nbase_url = \"https://x/v1\"\nca_file = \"Cargo.toml\"",
            "trusted certificates",
        ),
        (
            "[model]\napi_key = \"sk\"\nbase_url = \"http://example.com\"",
            "model",
        ),
    ] {
        let error = load(toml, &[]).unwrap_err();
        assert!(error.contains(named), "{toml}: {error}");
    }
    let missing = Settings::load(Some("/nonexistent/ai.toml".as_ref()), &Environment::of(&[]));
    assert!(
        missing
            .unwrap_err()
            .to_string()
            .contains("/nonexistent/ai.toml")
    );
}

#[test]
fn secrets_come_from_files_too_and_never_show() {
    let mut key = tempfile::NamedTempFile::new().unwrap();
    writeln!(key, "{LONG}").unwrap();
    let toml = format!(
        "[[auth.keys]]\nname = \"erp\"\nkey_file = {:?}\ncompanies = [1, 2]\n[model]\napi_key = \"sk-secret\"",
        key.path()
    );
    let settings = load(&toml, &[]).unwrap();
    assert_eq!(plain(&settings.keys[0]), LONG);
    assert_eq!(settings.keys[0].companies, Some([1, 2].into()));
    for text in [settings.to_string(), format!("{settings:?}")] {
        assert!(
            !text.contains(LONG) && !text.contains("sk-secret"),
            "{text}"
        );
    }
}

#[test]
fn a_file_that_makes_no_sense_is_refused_without_quoting_it() {
    for (toml, line) in [
        ("[auth]\napi_key = \"sk-secreta\" oops\n", "line 2"),
        ("[auth]\n\napi_key = 9988776655", "line 3"),
        ("[auth]\napi_key = [\"sk-secreta\"]", "line 2"),
        ("[[auth.keys]]\nkey = { a = \"sk-secreta\" }", "line 2"),
        ("api_key = sk-secreta", "line 1"),
    ] {
        let error = load(toml, &[]).unwrap_err();
        assert!(error.contains(line), "{error}");
        assert!(
            !error.contains("secreta") && !error.contains("9988776655"),
            "{error}"
        );
    }
}

#[test]
fn white_space_around_a_key_is_none_of_it() {
    let open = ("AI_SERVICE_LISTEN", "0.0.0.0:8002");
    let windows = format!("{LONG}\r");
    let settings = load("", &[open, ("AI_SERVICE_API_KEY", &windows)]).unwrap();
    assert_eq!(plain(&settings.keys[0]), LONG);
    let padded = format!("[auth]\napi_key = \"x{}\"", " ".repeat(40));
    assert!(load(&padded, &[open]).is_err(), "one character is no key");
    let settings = load("", &[("ANTHROPIC_API_KEY", "sk-ant\r\n")]).unwrap();
    assert!(settings.model.is_some());
}

/// The example in `docs/configuration.md`.
fn documented() -> &'static str {
    let page = include_str!("../../../../docs/configuration.md");
    let begin = page.find("```toml\n").unwrap() + "```toml\n".len();
    &page[begin..begin + page[begin..].find("```").unwrap()]
}

#[test]
fn the_documented_file_is_the_default() {
    let documented = load(documented(), &[]).unwrap();
    let default = Settings::load(None, &Environment::of(&[])).unwrap();
    assert_eq!(documented.to_string(), default.to_string());
    assert_eq!(documented.cache, default.cache);
    assert_eq!(documented.meter.limits, default.meter.limits);
    assert_eq!(documented.sii.monitor, default.sii.monitor);
    // The model's own values show only where there is a key.
    let key = [("ANTHROPIC_API_KEY", "sk-ant")];
    let documented = load(self::documented(), &key).unwrap().model.unwrap();
    let default = Settings::load(None, &Environment::of(&key))
        .unwrap()
        .model
        .unwrap();
    assert_eq!(format!("{documented:?}"), format!("{default:?}"));
    // And Redis's own where there is one.
    let redis = [("REDIS_URL", "redis://localhost")];
    let documented = load(self::documented(), &redis).unwrap().shared.unwrap();
    let default = load("", &redis).unwrap().shared.unwrap();
    assert_eq!(format!("{documented:?}"), format!("{default:?}"));
}

#[test]
fn every_key_is_documented() {
    for section in [
        "",
        "auth",
        "[auth.keys]",
        "store",
        "cache",
        "redis",
        "cache.adaptive",
        "model",
        "second_model",
        "concurrency",
        "budget",
        "prices.modelo",
        "limits",
        "validate",
        "answers",
        "indicators",
        "sii_monitor",
        "[sii_monitor.sources]",
        "sii_monitor.slack",
        "sii_monitor.slack.policy",
        "sii_monitor.webhook",
        "sii_monitor.email",
        "metrics",
        "drain",
        "tls",
        "cors",
        "proxies",
        "admin",
    ] {
        let header = if section.is_empty() {
            String::new()
        } else {
            format!("[{section}]\n")
        };
        let error = load(&format!("{header}no_such_key = 1"), &[]).unwrap_err();
        let (_, expected) = error.split_once("expected ").unwrap();
        let keys = expected.split('`').skip(1).step_by(2);
        for key in keys.take_while(|key| {
            key.chars()
                .all(|c| c.is_ascii_lowercase() || "_0123456789".contains(c))
        }) {
            assert!(
                documented().contains(key),
                "{section}.{key} is not in docs/configuration.md"
            );
        }
    }
}

#[test]
fn hashes_count_as_long_keys_and_previous_ones_must_be_long_too() {
    let open = ("AI_SERVICE_LISTEN", "0.0.0.0:8002");
    let key = |more: &str| format!("[[auth.keys]]\nname = \"a\"\nkey = \"{LONG}\"\n{more}");
    let hash = http_api::KeySecret::hashed(&"other".into());
    let until = "previous_until = \"2027-01-01T00:00:00-03:00\"";
    assert!(load(&key(&format!("previous = \"{hash}\"\n{until}")), &[open]).is_ok());
    assert!(load(&key(&format!("previous = \"corta\"\n{until}")), &[open]).is_err());
    let settings = load(&format!("[auth]\napi_key = \"{hash}\""), &[open]).unwrap();
    assert!(matches!(
        settings.keys[0].secret,
        http_api::KeySecret::Blake3(_)
    ));
}

#[test]
fn limits_of_keys_are_their_own_or_those_of_all() {
    let settings = load(
        "[auth]\napi_key = \"uno\"\nrequests_per_minute = 60\nburst = 5\n\
         [[auth.keys]]\nname = \"dos\"\nkey = \"dos\"\n\
         [[auth.keys]]\nname = \"tres\"\nkey = \"tres\"\nrequests_per_minute = 120\n",
        &[],
    )
    .unwrap();
    let bursts: Vec<_> = settings
        .keys
        .iter()
        .map(|key| key.rate.map(|rate| rate.max_burst()))
        .collect();
    assert_eq!(bursts, [Some(5), Some(5), Some(120)]);
    let without = load("[auth]\napi_key = \"uno\"", &[]).unwrap();
    assert_eq!(without.keys[0].rate, None);
}
