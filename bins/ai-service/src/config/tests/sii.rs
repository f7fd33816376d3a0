//! What watches the tax service: what is refused, what replaces what, and that secrets don't show.

use super::load;

#[test]
fn it_runs_on_request_unless_it_is_told_otherwise() {
    let with = |toml: &str| load(toml, &[]).unwrap().sii;
    let default = with("");
    assert!(default.is_on() && default.monitor.schedule.is_none());
    assert!(default.outlets.is_empty() && default.monitor.sources.len() >= 12);
    let scheduled = with("[sii_monitor]\nmode = \"scheduled\"\nevery_minutes = 60");
    let every = scheduled.monitor.schedule.unwrap().every();
    assert_eq!(every.as_mins(), 60);
    assert!(!with("[sii_monitor]\nmode = \"off\"").is_on());
}

#[test]
fn a_source_of_ones_own_joins_or_replaces_the_built_in_ones() {
    let toml = "[[sii_monitor.sources]]\nkey = \"circulares\"\nurl = \"https://a.cl/{year}\"\n\
                kind = \"index\"\n[[sii_monitor.sources]]\nkey = \"mia\"\n\
                url = \"https://b.cl/\"\nkind = \"article\"\nevery_hours = 24";
    let url = |sources: &[sii_monitor::source::Source], key: &str| {
        let mut found = sources.iter().filter(|source| source.key == key);
        let url = found.next().unwrap().url.clone();
        assert!(found.next().is_none(), "{key} is there twice");
        url
    };
    let all = load(toml, &[]).unwrap().sii.monitor.sources;
    assert_eq!(url(&all, "circulares"), "https://a.cl/{year}");
    assert_eq!(url(&all, "mia"), "https://b.cl/");
    assert!(url(&all, "resoluciones").contains("sii.cl"));
    let alone = format!("[sii_monitor]\ndefault_sources = false\n{toml}");
    assert_eq!(load(&alone, &[]).unwrap().sii.monitor.sources.len(), 2);
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    for (toml, named) in [
        ("mode = \"always\"", "unknown variant"),
        ("every_minutes = 0", "sii_monitor.every_minutes"),
        (
            "every_minutes = 5\njitter_minutes = 5",
            "sii_monitor.jitter_minutes",
        ),
        ("lease_seconds = 2", "sii_monitor.lease_seconds"),
        ("run_limit_minutes = 0", "sii_monitor.run_limit_minutes"),
        ("look_seconds = 0", "sii_monitor.look_seconds"),
        ("sources_at_a_time = 0", "sii_monitor.sources_at_a_time"),
        ("max_documents = 100000", "sii_monitor.max_documents"),
        ("user_agent = \"\\u0007\"", "sii_monitor.user_agent"),
        (
            "request_interval_ms = 3600001",
            "sii_monitor.request_interval_ms",
        ),
        ("max_document_bytes = 0", "sii_monitor.max_document_bytes"),
        (
            "sources = [{ key = \"A\", url = \"https://a\", kind = \"pdf\" }]",
            "sii_monitor.sources",
        ),
        ("slack = { webhook_url = \"no\" }", "sii_monitor.slack"),
        (
            "slack = { webhook_url = \"https://a.cl\", policy = { min_priority = 9 } }",
            "sii_monitor.slack",
        ),
        (
            "webhook = { url = \"https://a.cl\" }",
            "sii_monitor.webhook",
        ),
        ("email = { host = \"a.cl\" }", "sii_monitor.email"),
        (
            "email = { host = \"a.cl\", from = \"nadie\", to = [\"a@b.cl\"] }",
            "sii_monitor.email",
        ),
    ] {
        let error = load(&format!("[sii_monitor]\n{toml}"), &[]).unwrap_err();
        assert!(error.contains(named), "{toml}: {error}");
    }
}

#[test]
fn channels_hide_their_secrets() {
    let toml = "[sii_monitor.webhook]\nurl = \"https://a.cl/camino-secreto\"\n\
                secret = \"clave-secreta\"\n[sii_monitor.email]\nhost = \"a.cl\"\nuser = \"u\"\n\
                password = \"clave-secreta\"\nfrom = \"a@b.cl\"\nto = [\"c@d.cl\"]\n\
                [sii_monitor.slack.policy]\nmin_priority = 3\n\
                quiet = { from = \"21:00\", to = \"08:00\" }\ndigest = { daily = { at = \"09:30\" } }";
    let slack = [("SLACK_WEBHOOK_URL", "https://hooks.example/camino-secreto")];
    let settings = load(toml, &slack).unwrap();
    let names: Vec<&str> = settings
        .sii
        .outlets
        .iter()
        .map(|outlet| outlet.name.as_str())
        .collect();
    assert_eq!(names, ["slack", "webhook", "email"]);
    assert_eq!(settings.sii.outlets[0].policy.min_priority, 3);
    for text in [settings.to_string(), format!("{settings:?}")] {
        assert!(
            !text.contains("secreto") && !text.contains("secreta"),
            "{text}"
        );
    }
    for toml in [
        "[sii_monitor.slack]\nwebhook_url = 778899",
        "[sii_monitor.webhook]\nsecret = 778899",
        "[sii_monitor.email]\npassword = 778899",
    ] {
        let error = load(toml, &[]).unwrap_err();
        assert!(!error.contains("778899"), "{error}");
    }
}
