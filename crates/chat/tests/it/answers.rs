//! What an answer says, cites, and is worth.

use std::sync::Arc;

use cache::{Mode, Status};
use chat::{Answer, Ask, ChatError, NO_MODEL, Tenant};
use llm_client::ErrorKind;
use llm_client::test_util::{Outcome, ScriptedModel, Step};

use crate::{ANULAR, World, ask, read, sur};

async fn said(text: &str, question: &str) -> Arc<Answer> {
    let world = World::new(ScriptedModel::new("m").then(Outcome::text(text)));
    world
        .chat
        .message(&sur(), ask(None, question))
        .await
        .unwrap()
}

const GROUNDED: &str = "Se anula con una nota de crédito que la referencia [1].";

#[tokio::test]
async fn citations_are_those_used_and_those_that_exist() {
    let answer = said(&format!("{GROUNDED} Y hay más [9]."), ANULAR).await;
    assert_eq!(answer.message, format!("{GROUNDED} Y hay más."));
    assert_eq!(answer.citations.len(), 1);
    assert_eq!(answer.citations[0].number, 1);
    assert_eq!(answer.citations[0].id, "dte/anular#0");
    assert!(
        answer.citations[0]
            .url
            .as_ref()
            .unwrap()
            .starts_with("https://www.sii.cl/")
    );
    assert_eq!(answer.sources, ["Anular una factura"]);
    assert_eq!(answer.llm_used, "scripted-1");
    assert_eq!(answer.tokens_used.total(), 15);
}

#[tokio::test]
async fn confidence_falls_from_grounded_to_nothing() {
    let mut figures = Vec::new();
    for (text, question) in [
        (GROUNDED, ANULAR),
        (
            "Se anula con una nota de crédito [1]. Después se avisa siempre al cliente por carta.",
            ANULAR,
        ),
        (
            "Se anula llamando por teléfono al cliente y al contador.",
            ANULAR,
        ),
        (
            "No encuentro esa información en los pasajes. Consulte [1].",
            ANULAR,
        ),
        (
            "Los caballos comen pasto y avena.",
            "¿Qué desayunan los caballos percherones en Mongolia?",
        ),
    ] {
        figures.push(said(text, question).await.confidence);
    }
    assert!(
        figures.is_sorted_by(|one, other| one > other),
        "{figures:?}"
    );
    assert!(figures[0] > 80, "{figures:?}");
}

#[tokio::test]
async fn where_nothing_is_found_it_says_so() {
    let question = "¿Qué desayunan los caballos percherones en Mongolia?";
    let guess = said("Pasto y avena, según se dice.", question).await;
    assert!(
        guess
            .message
            .contains("no encontré esto en la base de conocimiento"),
        "{guess:?}"
    );
    assert!(guess.confidence <= 15 && guess.citations.is_empty());
    let world = World::with(None, |_| {});
    let none = world
        .chat
        .message(&sur(), ask(None, question))
        .await
        .unwrap();
    assert!(
        none.message.starts_with("No encontré información"),
        "{none:?}"
    );
    assert_eq!((none.confidence, none.llm_used.as_str()), (0, NO_MODEL));
}

#[tokio::test]
async fn without_a_model_the_best_sentences_answer() {
    let failing = |kind| World::new(ScriptedModel::new("m").otherwise(Outcome::fail(kind)));
    let broken = Outcome::stream(
        &["Se anula "],
        Step::Fail(llm_client::Error::new(ErrorKind::Interrupted)),
    );
    for world in [
        World::with(None, |_| {}),
        failing(ErrorKind::Connect),
        failing(ErrorKind::Budget),
        failing(ErrorKind::CircuitOpen),
        World::new(ScriptedModel::new("m").then(broken)),
        World::new(ScriptedModel::new("m").then(Outcome::text("  "))),
    ] {
        let answer = world.chat.message(&sur(), ask(None, ANULAR)).await.unwrap();
        assert_eq!(answer.llm_used, NO_MODEL);
        assert!(
            answer.message.contains("nota de crédito (61)"),
            "{answer:?}"
        );
        assert!(answer.message.contains("[1]"), "{answer:?}");
        assert_eq!(answer.sources[0], "Anular una factura");
        assert!((30..=70).contains(&answer.confidence), "{answer:?}");
        assert_eq!(answer.plugin_used, None);
    }
}

#[tokio::test]
async fn a_stream_and_a_message_say_the_same() {
    let pieces = ["Se anula con una ", "nota de crédito ", "[", "1", "]."];
    let model = ScriptedModel::new("m").then(Outcome::pieces(&pieces));
    let world = World::new(model);
    let stream = world
        .chat
        .message_stream(&sur(), ask(None, ANULAR))
        .await
        .unwrap();
    let (text, last) = read(stream).await;
    let chat::EventBody::Done(answer) = last else {
        panic!("{last:?}")
    };
    assert_eq!(text, answer.message);
    assert_eq!(text, "Se anula con una nota de crédito [1].");
    let view = world.chat.session(&sur(), answer.session_id).await.unwrap();
    assert_eq!(view.messages[1].content, text);
}

#[tokio::test]
async fn first_questions_are_shared_within_one_tenant_when_they_are_good() {
    let model = ScriptedModel::new("m").otherwise(Outcome::text(GROUNDED));
    let world = World::new(model.clone());
    let answer = async |tenant: &Tenant, question: &str, mode| {
        let ask = Ask {
            mode,
            ..ask(None, question)
        };
        world
            .chat
            .message(tenant, ask)
            .await
            .unwrap()
            .cached
            .map(|(status, _)| status)
    };
    assert_eq!(
        answer(&sur(), ANULAR, Mode::Normal).await,
        Some(Status::Miss)
    );
    assert_eq!(
        answer(&sur(), ANULAR, Mode::Normal).await,
        Some(Status::Hit)
    );
    assert_eq!(answer(&sur(), ANULAR, Mode::Bypass).await, None);
    let norte = Tenant::new("erp-norte", None);
    assert_eq!(
        answer(&norte, ANULAR, Mode::Normal).await,
        Some(Status::Miss)
    );
    let eight = Tenant::new("erp-sur", Some(8));
    assert_eq!(
        answer(&eight, ANULAR, Mode::Normal).await,
        Some(Status::Miss)
    );
    assert_eq!(model.calls().started, 4);
    // One that isn't good is for who asked.
    model.push(Outcome::text("No sé, quizás."));
    let folios = "¿Dónde se piden los folios CAF?";
    assert_eq!(
        answer(&sur(), folios, Mode::Normal).await,
        Some(Status::Miss)
    );
    assert_eq!(
        answer(&sur(), folios, Mode::Normal).await,
        Some(Status::Miss)
    );
    assert_eq!(model.calls().started, 6);
    world.clock.advance(std::time::Duration::from_secs(301));
    assert_eq!(
        answer(&sur(), ANULAR, Mode::Normal).await,
        Some(Status::Miss)
    );
}

#[tokio::test]
async fn the_same_first_question_at_once_is_one_call() {
    let model = ScriptedModel::new("m").then(Outcome::text(GROUNDED));
    let world = World::new(model.clone());
    let all: Vec<_> = (0..20)
        .map(|_| {
            let chat = world.chat.clone();
            tokio::spawn(async move { chat.message(&sur(), ask(None, ANULAR)).await.unwrap() })
        })
        .collect();
    let mut sessions = std::collections::HashSet::new();
    for one in all {
        let answer = one.await.unwrap();
        assert_eq!(answer.message, GROUNDED);
        sessions.insert(answer.session_id);
    }
    assert_eq!((model.calls().started, sessions.len()), (1, 20));
}

#[tokio::test]
async fn lengths_are_counted_in_characters_and_nothing_is_too_odd() {
    let world = World::new(ScriptedModel::new("m").otherwise(Outcome::text(GROUNDED)));
    for odd in ["", "  \n", &"ñ".repeat(5_001)] {
        let refused = world
            .chat
            .message(&sur(), ask(None, odd))
            .await
            .unwrap_err();
        assert!(
            matches!(refused, ChatError::InvalidMessage { .. }),
            "{refused:?}"
        );
        assert!(refused.is_callers_fault() && !refused.is_retryable());
    }
    for odd in [
        "ñ".repeat(5_000),
        "¿Qué es <MntTotal>1190</MntTotal>?".to_owned(),
        "'; DROP TABLE facturas; -- <script>alert(1)</script>".to_owned(),
        "a\u{0}b\u{202e}c\u{feff} 😀👨‍👩‍👧 \u{1b}[31m ﷽".to_owned(),
        "[1][2][[[".to_owned(),
    ] {
        let answer = world.chat.message(&sur(), ask(None, &odd)).await.unwrap();
        let view = world.chat.session(&sur(), answer.session_id).await.unwrap();
        assert_eq!(view.messages[0].content, odd);
    }
}
