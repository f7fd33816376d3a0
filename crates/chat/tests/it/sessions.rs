//! Two hours of sessions on a clock that is told to move.

use std::time::Duration;

use chat::{Ask, ChatError, Tenant, UserContext};
use llm_client::test_util::{Outcome, ScriptedModel};
use serde_json::json;

use crate::{ANULAR, World, ask, sur};

fn world() -> World {
    World::new(ScriptedModel::new("m").otherwise(Outcome::text("Con una nota de crédito [1].")))
}

#[tokio::test]
async fn an_hour_from_the_last_message_and_not_from_the_last_look() {
    let world = world();
    let (chat, minute) = (&world.chat, Duration::from_secs(60));
    let id = world.session().await;
    // Two hours, a message every forty minutes.
    for round in 1..=3 {
        world.clock.advance(40 * minute);
        chat.message(&sur(), ask(Some(id), ANULAR)).await.unwrap();
        let view = chat.session(&sur(), id).await.unwrap();
        assert_eq!(view.messages.len(), 2 * round);
        assert_eq!(view.ttl_remaining, 60 * minute);
    }
    world.clock.advance(59 * minute);
    let view = chat.session(&sur(), id).await.unwrap();
    assert!(view.ttl_remaining <= minute, "{view:?}");
    world.clock.advance(2 * minute);
    let gone = chat.session(&sur(), id).await.unwrap_err();
    assert!(matches!(gone, ChatError::SessionNotFound), "{gone:?}");
    let gone = chat
        .message(&sur(), ask(Some(id), ANULAR))
        .await
        .unwrap_err();
    assert!(matches!(gone, ChatError::SessionNotFound), "{gone:?}");
}

#[tokio::test]
async fn ten_messages_are_kept_and_of_the_older_ones_what_was_asked() {
    let world = world();
    let id = world.session().await;
    for round in 0..12 {
        let message = format!("Pregunta {round} sobre anular facturas");
        world
            .chat
            .message(&sur(), ask(Some(id), &message))
            .await
            .unwrap();
    }
    let view = world.chat.session(&sur(), id).await.unwrap();
    assert_eq!(view.messages.len(), 10);
    assert_eq!(view.messages[0].content, "Pregunta 7 sobre anular facturas");
    assert!(
        view.messages
            .iter()
            .step_by(2)
            .all(|message| !message.from_assistant)
    );
    assert!(
        view.messages
            .iter()
            .skip(1)
            .step_by(2)
            .all(|message| message.from_assistant)
    );
    let requests = world.model.requests();
    let last = requests.last().unwrap();
    // Five turns of before, and the last message with the summary in it.
    assert_eq!(last.messages().len(), 11);
    let text = last.messages().last().unwrap().text();
    assert!(text.contains("Antes preguntó: Pregunta 5 sobre"), "{text}");
    assert!(!text.contains("Antes preguntó: Pregunta 6 "), "{text}");
}

#[tokio::test]
async fn a_long_history_is_cut_to_its_tokens_newest_first() {
    let model = ScriptedModel::new("m").otherwise(Outcome::text("Sí [1]."));
    let world = World::with(Some(model), |config| config.history_tokens = 1_000);
    let id = world.session().await;
    let long = format!("{ANULAR} {}", "ñandú ".repeat(800));
    for message in [
        ANULAR,
        &long,
        "¿Y los montos de la factura anulada?",
        ANULAR,
    ] {
        world
            .chat
            .message(&sur(), ask(Some(id), message))
            .await
            .unwrap();
    }
    let requests = world.model.requests();
    let messages = requests.last().unwrap().messages();
    assert!(messages.iter().all(|message| message.text().len() < 4_000));
    let last = &messages[messages.len() - 3];
    assert_eq!(last.text(), "¿Y los montos de la factura anulada?");
    let chars: usize = messages
        .iter()
        .rev()
        .skip(1)
        .map(|m| m.text().chars().count())
        .sum();
    assert!(chars < 4_000, "{chars}");
}

#[tokio::test]
async fn two_at_once_are_two_pairs_in_the_order_of_their_acceptance() {
    let model = ScriptedModel::new("m");
    let world = World::new(model.clone());
    let id = world.session().await;
    // The first is answered last.
    model.push(Outcome::Hang);
    let slow = world
        .chat
        .message_stream(&sur(), ask(Some(id), "primera factura"))
        .await
        .unwrap();
    model.called(1).await;
    model.push(Outcome::text("dos"));
    world
        .chat
        .message(&sur(), ask(Some(id), "segunda factura"))
        .await
        .unwrap();
    drop(slow);
    model.until(|calls| calls.dropped == 1).await;
    let all: Vec<_> = (0..20)
        .map(|number| {
            let chat = world.chat.clone();
            model.push(Outcome::text("otra"));
            tokio::spawn(async move {
                let message = format!("pregunta {number} de facturas");
                chat.message(&sur(), ask(Some(id), &message)).await.unwrap()
            })
        })
        .collect();
    for one in all {
        one.await.unwrap();
    }
    let view = world.chat.session(&sur(), id).await.unwrap();
    assert_eq!(view.messages.len(), 10);
    for pair in view.messages.chunks(2) {
        assert!(pair[0].content.contains("de facturas"), "{pair:?}");
        assert_eq!(
            (pair[1].from_assistant, pair[1].content.as_str()),
            (true, "otra")
        );
    }
    assert!(view.messages.is_sorted_by_key(|m| (m.timestamp, 0)) || view.messages.len() == 10);
}

#[tokio::test]
async fn the_pair_of_a_slow_answer_stays_where_it_was_accepted() {
    let model = ScriptedModel::new("m");
    let world = World::new(model.clone());
    let id = world.session().await;
    model.push(Outcome::Hang);
    let slow = world
        .chat
        .message_stream(&sur(), ask(Some(id), "primera factura"))
        .await
        .unwrap();
    model.called(1).await;
    model.push(Outcome::text("dos"));
    world
        .chat
        .message(&sur(), ask(Some(id), "segunda factura"))
        .await
        .unwrap();
    let said = |view: chat::SessionView| -> Vec<String> {
        view.messages
            .into_iter()
            .map(|message| message.content)
            .collect()
    };
    let view = world.chat.session(&sur(), id).await.unwrap();
    assert_eq!(said(view), ["primera factura", "segunda factura", "dos"]);
    drop(slow);
}

#[tokio::test]
async fn a_session_is_its_tenants() {
    let world = world();
    let chat = &world.chat;
    let seven = Tenant::new("erp-sur", Some(7));
    let opened = chat
        .new_session(&seven, UserContext::default())
        .await
        .unwrap();
    let id = opened.session_id;
    for stranger in [
        Tenant::new("erp-norte", Some(7)),
        Tenant::new("erp-sur", Some(8)),
    ] {
        let not_there = |error| matches!(error, ChatError::SessionNotFound);
        assert!(not_there(chat.session(&stranger, id).await.unwrap_err()));
        assert!(not_there(chat.delete(&stranger, id).await.unwrap_err()));
        assert!(not_there(
            chat.message(&stranger, ask(Some(id), ANULAR))
                .await
                .unwrap_err()
        ));
    }
    chat.message(&sur(), ask(Some(id), ANULAR)).await.unwrap();
    assert_eq!(chat.session(&seven, id).await.unwrap().messages.len(), 2);
}

#[tokio::test]
async fn what_is_deleted_does_not_come_back() {
    let model = ScriptedModel::new("m");
    let world = World::new(model.clone());
    let id = world.session().await;
    model.push(Outcome::Hang);
    let stream = world
        .chat
        .message_stream(&sur(), ask(Some(id), ANULAR))
        .await
        .unwrap();
    model.called(1).await;
    world.chat.delete(&sur(), id).await.unwrap();
    let (_, last) = crate::read(stream).await;
    let chat::EventBody::Failed(failure) = last else {
        panic!("{last:?}")
    };
    assert_eq!(failure.code(), "session_deleted");
    model.until(|calls| calls.dropped == 1).await;
    assert!(world.chat.session(&sur(), id).await.is_err());
    assert!(world.chat.delete(&sur(), id).await.is_err());
}

#[tokio::test]
async fn the_context_is_kept_until_another_comes() {
    let world = world();
    let context = |role: &str| {
        let given = json!({"user_role": role, "user_name": "Ana María"});
        UserContext::from_json(given.as_object().unwrap())
    };
    let opened = world
        .chat
        .new_session(&sur(), context("contadora"))
        .await
        .unwrap();
    assert!(
        opened.welcome_message.starts_with("Hola, Ana María."),
        "{opened:?}"
    );
    let first = ask(Some(opened.session_id), ANULAR);
    world.chat.message(&sur(), first.clone()).await.unwrap();
    let other = Ask {
        context: Some(context("bodeguero")),
        ..first
    };
    world.chat.message(&sur(), other).await.unwrap();
    let requests = world.model.requests();
    let text = |at: usize| requests[at].messages().last().unwrap().text().to_owned();
    assert!(
        text(0).contains("user_role: contadora") && !text(0).contains("Ana"),
        "{}",
        text(0)
    );
    assert!(text(1).contains("user_role: bodeguero"), "{}", text(1));
}
