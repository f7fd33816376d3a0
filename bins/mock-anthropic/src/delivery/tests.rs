//! How each fault bends an answer.

use super::*;
use crate::{body::Act, stats::Counters};

const HANG: Duration = Duration::from_secs(300);

fn delivery(fault: Option<Fault>) -> Delivery {
    let counters = Arc::new(Counters::new(0));
    let mut in_flight = InFlight::begin(&counters);
    in_flight.finish();
    Delivery {
        fault,
        in_flight,
        reset: Arc::default(),
        hang_limit: HANG,
        request_id: "req_1".to_owned(),
    }
}

/// Eight events, one a millisecond.
fn events() -> Vec<Event> {
    (0..8)
        .map(|n| Event {
            after: Duration::from_millis(n),
            bytes: event(&format!("e{n}"), b"{}"),
        })
        .collect()
}

fn steps(fault: &str) -> Vec<Step> {
    delivery(Some(fault.parse().unwrap())).steps(events())
}

fn text(steps: &[Step]) -> String {
    String::from_utf8(joined(steps).to_vec()).unwrap()
}

#[test]
fn without_a_fault_a_stream_is_its_events() {
    let steps = delivery(None).steps(events());
    assert_eq!(steps.len(), 8);
    assert_eq!(text(&steps).matches("event: ").count(), 8);
}

#[test]
fn a_stream_ends_where_the_fault_wants_it() {
    for (fault, sent, end) in [
        ("cut_stream", 4, Some(FLUSH)),
        ("cut_stream=2", 2, Some(FLUSH)),
        ("cut_stream=99", 8, Some(FLUSH)),
        ("hang_stream=1", 1, Some(HANG)),
        ("hang_stream=0", 0, Some(HANG)),
    ] {
        let steps = steps(fault);
        assert_eq!(text(&steps).matches("event: ").count(), sent, "{fault}");
        let sent_last = Duration::from_millis((sent as u64).saturating_sub(1));
        let cut = end.map(|wait| Step::cut(sent_last + wait));
        assert_eq!(steps.last(), cut.as_ref(), "{fault}");
    }
}

#[test]
fn an_error_event_is_the_last() {
    let text = text(&steps("error_event"));
    assert_eq!(
        text.matches("event: e").count() - 1,
        4,
        "four events and the error: {text}"
    );
    assert!(
        text.contains("event: error\n") && text.contains("overloaded_error"),
        "{text}"
    );
    assert!(!text.contains("e7"));
}

#[test]
fn one_event_is_no_json_and_the_rest_goes_on() {
    let text = text(&steps("malformed_json"));
    assert!(
        text.contains(MALFORMED) && text.contains("event: e7"),
        "{text}"
    );
}

#[test]
fn half_of_the_bytes_and_a_cut() {
    let whole = text(&delivery(None).steps(events()));
    let steps = steps("cut_body");
    assert_eq!(text(&steps), whole[..whole.len() / 2]);
    assert_eq!(steps.last().map(|step| &step.act), Some(&Act::Cut));
}

#[test]
fn a_trickle_sends_everything_slowly() {
    let whole = text(&delivery(None).steps(events()));
    let steps = steps("trickle=10");
    assert_eq!(text(&steps), whole);
    assert_eq!(steps.len(), whole.len().div_ceil(TRICKLE_BYTES));
    assert_eq!(steps[3].after, Duration::from_millis(30));
    let slow = trickle(
        &[Step::send(Duration::ZERO, Bytes::from(vec![0; 160]))],
        HANG,
        HANG,
    );
    assert_eq!(
        slow.last().map(|step| step.after),
        Some(HANG),
        "no longer than a hang"
    );
}
