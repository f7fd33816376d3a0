//! Streams: their end, their readers, those who leave and those who come back.

use std::sync::Arc;
use std::time::Duration;

use chat::{Ask, Event, EventBody, EventId, Failure, Tenant};
use futures_util::StreamExt as _;
use llm_client::test_util::{Outcome, ScriptedModel, Step, completion};
use llm_client::{Error, ErrorKind, StreamEvent};

use crate::gated::Gated;
use crate::{ANULAR, World, ask, read, sur};

const OTHER: &str = "¿Dónde se piden los folios CAF del SII?";

fn failed(last: &EventBody) -> Failure {
    match last {
        EventBody::Failed(failure) => *failure,
        other => panic!("{other:?}"),
    }
}

/// A model that says two pieces and then nothing.
fn hanging() -> ScriptedModel {
    // A last letter that a fence may begin with (hexadecimal, by chance) would be held back.
    ScriptedModel::new("m").otherwise(Outcome::stream(&["Se anuló", " así"], Step::Hang))
}

#[tokio::test]
async fn a_reader_that_leaves_cancels_within_a_tenth_of_a_second() {
    for (_, question) in [("shared", ANULAR), ("also shared", OTHER)] {
        let model = hanging();
        let world = World::new(model.clone());
        let id = world.session().await;
        let mut stream = world
            .chat
            .message_stream(&sur(), ask(Some(id), question))
            .await
            .unwrap();
        assert!(matches!(
            stream.next().await.unwrap().body,
            EventBody::Text(_)
        ));
        tokio::time::pause();
        let begun = tokio::time::Instant::now();
        drop(stream);
        model.until(|calls| calls.dropped == 1).await;
        tokio::time::resume();
        assert!(
            begun.elapsed() <= Duration::from_millis(100),
            "{:?}",
            begun.elapsed()
        );
        // Recorded as what it is.
        while world.chat.session(&sur(), id).await.unwrap().messages.len() < 2 {
            tokio::task::yield_now().await;
        }
        let view = world.chat.session(&sur(), id).await.unwrap();
        assert!(view.messages[1].partial && view.messages[1].content.starts_with("Se anuló"));
    }
}

#[tokio::test]
async fn one_that_others_read_goes_on() {
    let (model, say) = Gated::new();
    let world = World::asking(crate::knowledge(), Some(Arc::new(model)), |_| {});
    say.send(StreamEvent::Text("Se anuló".into())).unwrap();
    // Two sessions, one call.
    let mut one = world
        .chat
        .message_stream(&sur(), ask(None, ANULAR))
        .await
        .unwrap();
    let first = one.next().await.unwrap();
    let two = world
        .chat
        .message_stream(&sur(), ask(None, ANULAR))
        .await
        .unwrap();
    // And a second reader of the first.
    let again = world.chat.resume(&sur(), None, first.id).unwrap();
    drop(one);
    let whole = "Se anuló con una nota [1].";
    say.send(StreamEvent::Text(" con una nota [1].".into()))
        .unwrap();
    say.send(StreamEvent::Finished(completion(whole))).unwrap();
    let (text, last) = read(again).await;
    assert_eq!(text, " con una nota [1].");
    assert!(matches!(last, EventBody::Done(_)));
    let (text, last) = read(two).await;
    assert_eq!(text, whole);
    assert!(matches!(last, EventBody::Done(_)));
}

#[tokio::test]
async fn upstream_cut_in_the_middle_is_an_error_and_kept_as_partial() {
    let cut = Step::Fail(Error::new(ErrorKind::Interrupted));
    let model = ScriptedModel::new("m").then(Outcome::stream(&["Se anuló"], cut));
    let world = World::new(model);
    let id = world.session().await;
    let stream = world
        .chat
        .message_stream(&sur(), ask(Some(id), ANULAR))
        .await
        .unwrap();
    let (text, last) = read(stream).await;
    assert_eq!(
        (text.as_str(), failed(&last)),
        ("Se anuló", Failure::Interrupted)
    );
    let view = world.chat.session(&sur(), id).await.unwrap();
    assert!(view.messages[1].partial, "{view:?}");
}

#[tokio::test]
async fn a_model_that_fails_before_its_first_word_is_replaced() {
    let world = World::new(ScriptedModel::new("m").otherwise(Outcome::fail(ErrorKind::Overloaded)));
    let stream = world
        .chat
        .message_stream(&sur(), ask(None, ANULAR))
        .await
        .unwrap();
    let (text, last) = read(stream).await;
    let EventBody::Done(answer) = last else {
        panic!("{last:?}")
    };
    assert!(
        text.contains("nota de crédito") && answer.llm_used == "none",
        "{answer:?}"
    );
}

#[tokio::test]
async fn resumed_after_any_event_and_for_a_minute_after_the_end() {
    let pieces = ["Se ", "anula ", "con una ", "nota de crédito [1]."];
    let world = World::new(ScriptedModel::new("m").then(Outcome::pieces(&pieces)));
    let stream = world
        .chat
        .message_stream(&sur(), ask(None, ANULAR))
        .await
        .unwrap();
    let events: Vec<Event> = stream.collect().await;
    let texts = |events: &[Event]| -> String {
        let pieces = events.iter().filter_map(|event| match &event.body {
            EventBody::Text(piece) => Some(piece.as_str()),
            _ => None,
        });
        pieces.collect()
    };
    for (at, event) in events.iter().enumerate() {
        let name: EventId = event.id.to_string().parse().unwrap();
        assert_eq!(name, event.id);
        if at + 1 == events.len() {
            continue;
        }
        let rest: Vec<Event> = world
            .chat
            .resume(&sur(), None, name)
            .unwrap()
            .collect()
            .await;
        assert_eq!(texts(&rest), texts(&events[at + 1..]), "{at}");
        assert!(matches!(rest.last().unwrap().body, EventBody::Done(_)));
    }
    let name = events[0].id;
    let norte = Tenant::new("erp-norte", None);
    assert!(world.chat.resume(&norte, None, name).is_err());
    assert!(
        world
            .chat
            .resume(&sur(), Some(uuid::Uuid::new_v4()), name)
            .is_err()
    );
    for odd in ["", "7", "a:b", "0190aaaa-1111-7222-8333-444455556666:-1"] {
        assert!(odd.parse::<EventId>().is_err(), "{odd}");
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    assert!(world.chat.resume(&sur(), None, name).is_err());
}

#[tokio::test]
async fn shutting_down_ends_what_runs_and_takes_no_more() {
    let world = World::new(hanging());
    let mut stream = world
        .chat
        .message_stream(&sur(), ask(None, ANULAR))
        .await
        .unwrap();
    stream.next().await.unwrap();
    let chat = world.chat.clone();
    let whole = tokio::spawn(async move { chat.message(&sur(), ask(None, OTHER)).await });
    world.model.called(2).await;
    assert_eq!(world.chat.shut_down(), 2);
    let (_, last) = read(stream).await;
    assert_eq!(failed(&last), Failure::ShuttingDown);
    assert!(whole.await.unwrap().unwrap_err().is_retryable());
    let refused = world
        .chat
        .message(&sur(), ask(None, ANULAR))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, chat::ChatError::ShuttingDown),
        "{refused:?}"
    );
}

#[tokio::test]
async fn who_reads_nothing_holds_up_nobody_and_readers_are_bounded() {
    let model = ScriptedModel::new("m").then(Outcome::pieces(&["Se anuló", " con nota [1]."]));
    let world = World::new(model);
    let idle = world
        .chat
        .message_stream(&sur(), ask(None, ANULAR))
        .await
        .unwrap();
    let two = world
        .chat
        .message_stream(&sur(), ask(None, ANULAR))
        .await
        .unwrap();
    let (text, _) = read(two).await;
    assert_eq!(text, "Se anuló con nota [1].");
    assert_eq!(read(idle).await.0, text);
}

#[tokio::test]
async fn a_stream_that_takes_too_long_ends() {
    let world = World::new(hanging());
    let stream = world
        .chat
        .message_stream(&sur(), ask(None, ANULAR))
        .await
        .unwrap();
    tokio::time::pause();
    let (text, last) = read(stream).await;
    assert_eq!(
        (text.as_str(), failed(&last)),
        ("Se anuló así", Failure::Timeout)
    );
}

#[tokio::test]
async fn an_answer_without_end_is_cut_at_its_longest_length() {
    let long = "Se anula con una nota [1]. ".repeat(200);
    let model = ScriptedModel::new("m").then(Outcome::pieces(&[&long, &long, &long]));
    let world = World::with(Some(model), |config| config.max_answer_bytes = 8_000);
    let direct = Ask {
        mode: cache::Mode::Bypass,
        ..ask(None, ANULAR)
    };
    let stream = world.chat.message_stream(&sur(), direct).await.unwrap();
    let (text, last) = read(stream).await;
    assert!(
        text.len() <= 8_000 && matches!(last, EventBody::Done(_)),
        "{}",
        text.len()
    );
}
