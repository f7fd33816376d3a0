//! Faults by name, and whom they strike.

use super::*;

#[test]
fn every_name_is_read_and_written_back() {
    for text in [
        "rate_limit",
        "rate_limit=30",
        "rate_limit=1500ms",
        "spend_limit",
        "spend_limit=contract_spend_limit_reached",
        "overloaded",
        "server_error",
        "status=503",
        "should_retry=400,true",
        "hang",
        "hang_stream",
        "hang_stream=4",
        "cut",
        "cut_stream",
        "cut_stream=2",
        "cut_body",
        "malformed_json",
        "error_event",
        "error_event=api_error",
        "trickle=5",
        "bytes",
        "pings=7",
        "big_event=100",
        "no_usage",
    ] {
        let fault: Fault = text.parse().unwrap();
        assert_eq!(fault.to_string(), text);
        assert!(FAULT_NAMES.contains(&fault.name()), "{text}");
    }
    assert_eq!(
        "trickle".parse(),
        Ok(Fault::Trickle(Duration::from_millis(20)))
    );
}

#[test]
fn what_is_no_fault_is_refused() {
    for (text, wanted) in [
        ("explode", FaultError::Unknown("explode".to_owned())),
        ("", FaultError::Unknown(String::new())),
        ("overloaded=1", FaultError::Parameter("overloaded")),
        ("status", FaultError::Parameter("status")),
        ("status=200", FaultError::Parameter("status")),
        ("status=700", FaultError::Parameter("status")),
        ("cut_stream=x", FaultError::Parameter("cut_stream")),
        ("rate_limit=\n", FaultError::Parameter("rate_limit")),
        ("overloaded;times", FaultError::Option("times".to_owned())),
        (
            "overloaded;times=-1",
            FaultError::Option("times=-1".to_owned()),
        ),
        (
            "overloaded;probability=2",
            FaultError::Option("probability=2".to_owned()),
        ),
        (
            "overloaded;often=2",
            FaultError::Option("often=2".to_owned()),
        ),
    ] {
        // A line break inside is refused; one at the end is trimmed away with the spaces.
        let text = if text == "rate_limit=\n" {
            "rate_limit=1\n2"
        } else {
            text
        };
        assert_eq!(text.parse::<FaultRule>(), Err(wanted), "{text}");
    }
}

#[test]
fn refusals_have_their_status_type_and_headers() {
    for (text, status, kind, header) in [
        ("rate_limit", 429, "rate_limit_error", None),
        (
            "rate_limit=30",
            429,
            "rate_limit_error",
            Some(("retry-after", "30")),
        ),
        (
            "rate_limit=1500ms",
            429,
            "rate_limit_error",
            Some(("retry-after-ms", "1500")),
        ),
        ("spend_limit", 429, "rate_limit_error", None),
        ("overloaded", 529, "overloaded_error", None),
        ("server_error", 500, "api_error", None),
        ("status=400", 400, "invalid_request_error", None),
        ("status=504", 504, "timeout_error", None),
        ("error_event=timeout_error", 504, "timeout_error", None),
    ] {
        let error = text.parse::<Fault>().unwrap().refusal(false).unwrap();
        assert_eq!(
            (error.status.as_u16(), error.kind.as_str()),
            (status, kind),
            "{text}"
        );
        let headers: Vec<_> = error
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(headers, header.into_iter().collect::<Vec<_>>(), "{text}");
    }
    for text in ["hang", "cut", "cut_stream", "trickle", "malformed_json"] {
        assert_eq!(
            text.parse::<Fault>().unwrap().refusal(false),
            None,
            "{text}"
        );
    }
    assert_eq!(Fault::ErrorEvent(None).refusal(true), None);
}

fn strikes(table: &mut FaultTable, path: &str, header: Option<&str>, draw: f64) -> bool {
    table.strike(path, header, || draw).unwrap().is_some()
}

#[test]
fn a_rule_strikes_as_often_as_it_was_told() {
    let mut table = FaultTable::default();
    table
        .add("overloaded;times=2;path=/v1/messages".parse().unwrap())
        .unwrap();
    assert!(!strikes(&mut table, "/v1/messages/count_tokens", None, 0.0));
    let struck: Vec<_> = (0..4)
        .map(|_| strikes(&mut table, "/v1/messages", None, 0.0))
        .collect();
    assert_eq!(struck, [true, true, false, false]);
    assert_eq!(table.rules().count(), 0);
}

#[test]
fn rules_strike_in_turn() {
    let mut table = FaultTable::default();
    table.add("overloaded;times=1".parse().unwrap()).unwrap();
    table.add("server_error;times=1".parse().unwrap()).unwrap();
    let mut next = || table.strike("/v1/messages", None, || 0.0).unwrap();
    assert_eq!(next(), Some(Fault::Overloaded));
    assert_eq!(next(), Some(Fault::ServerError));
    assert_eq!(next(), None);
}

#[test]
fn a_probability_is_drawn() {
    let mut table = FaultTable::default();
    table
        .add("overloaded;probability=0.25".parse().unwrap())
        .unwrap();
    assert!(strikes(&mut table, "/v1/messages", None, 0.24));
    assert!(!strikes(&mut table, "/v1/messages", None, 0.25));
}

#[test]
fn a_header_counts_over_all_requests_that_carry_it() {
    let mut table = FaultTable::default();
    let header = Some("overloaded;times=2");
    let struck: Vec<_> = (0..3)
        .map(|_| strikes(&mut table, "/v1/messages", header, 0.0))
        .collect();
    assert_eq!(struck, [true, true, false]);
    assert!(strikes(&mut table, "/v1/messages", Some("cut"), 0.0));
    assert!(strikes(&mut table, "/v1/messages", Some("cut"), 0.0));
    table.clear();
    assert!(strikes(&mut table, "/v1/messages", header, 0.0));
}

#[test]
fn the_table_is_bounded() {
    let mut table = FaultTable::default();
    for _ in 0..100 {
        table.add(FaultRule::times(Fault::Cut, 1)).unwrap();
    }
    assert_eq!(
        table.add(FaultRule::times(Fault::Cut, 1)),
        Err(TableError::Full)
    );
    assert!(strikes(&mut table, "/v1/messages", None, 0.0));
    assert_eq!(
        table.add(FaultRule::times(Fault::Cut, 1)),
        Ok(()),
        "a used one makes room"
    );
    for n in 0..1_000 {
        strikes(
            &mut table,
            "/v1/messages",
            Some(&format!("cut;times={n}")),
            0.0,
        );
    }
    let full = table.strike("/v1/messages", Some("cut;times=5000"), || 0.0);
    // `times=0` never strikes and so is not remembered: one place is left.
    assert_eq!(full, Ok(Some(Fault::Cut)));
    let full = table.strike("/v1/messages", Some("cut;times=5001"), || 0.0);
    assert_eq!(full, Err(TableError::Full));
}
