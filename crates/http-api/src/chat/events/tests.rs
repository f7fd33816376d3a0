//! Silence, and readers that are behind, in time that is told to pass.

use std::future::poll_fn;
use std::sync::Arc;

use ::chat::{Ask, Chat, Deps, Tenant};
use cache::{Cache, CacheConfig};
use knowledge_base::{Document, KnowledgeBase};
use llm_client::LanguageModel;
use llm_client::test_util::{Outcome, ScriptedModel, Step};
use store::{EmbeddedConfig, EmbeddedStore, SystemClock};
use tokio::sync::Semaphore;

use super::*;

const QUESTION: &str = "¿Cómo anulo una factura?";

/// A chat whose model says two pieces and then nothing.
fn chat() -> Chat {
    let text = "Una factura aceptada se anula con una nota de crédito.";
    let article = Document::new("dte/anular", "Anular una factura", text).module("l10n_cl_dte");
    let config = knowledge_base::Config::default();
    let knowledge = KnowledgeBase::from_documents([article], config).unwrap();
    let clock = Arc::new(SystemClock);
    let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone()).unwrap();
    let cache = CacheConfig::default();
    let cache = Cache::new(&cache, &[::chat::OPERATION], None, clock.clone()).unwrap();
    let script = Outcome::stream(&["Se anuló", " así"], Step::Hang);
    let model: Arc<dyn LanguageModel> = Arc::new(ScriptedModel::new("m").otherwise(script));
    let deps = Deps {
        knowledge,
        store: Arc::new(store),
        cache,
        model: Some(model),
        clock,
    };
    Chat::new(deps, ::chat::Config::default())
}

async fn stream(chat: &Chat) -> EventStream {
    let tenant = Tenant::new("erp-sur", None);
    let ask = Ask {
        message: QUESTION.to_owned(),
        ..Ask::default()
    };
    let reader = chat.message_stream(&tenant, ask).await.unwrap();
    let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    EventStream::new(reader, place)
}

/// The next frame's text; `None` at the end.
async fn frame(body: &mut EventStream) -> Option<String> {
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    let bytes = frame.unwrap().into_data().unwrap();
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

/// Reads until the model says nothing more.
async fn until_silence(body: &mut EventStream) {
    let mut said = String::new();
    while !said.contains("así") {
        said += &frame(body).await.unwrap();
    }
}

#[tokio::test]
async fn silence_is_broken_by_a_ping_every_fifteen_seconds_until_the_end() {
    let mut body = stream(&chat()).await;
    until_silence(&mut body).await;
    tokio::time::pause();
    let mut last = Instant::now();
    let mut pings = 0;
    let end = loop {
        let frame = frame(&mut body).await.unwrap();
        let silence = last.elapsed();
        last = Instant::now();
        if frame != ": ping\n\n" {
            break frame;
        }
        pings += 1;
        assert!(
            silence <= PING_EVERY + Duration::from_millis(2),
            "{silence:?}"
        );
        // The first silence began a little before time stood still.
        assert!(pings == 1 || silence >= PING_EVERY, "{silence:?}");
    };
    // The whole has 120 s: seven pings, and the eighth may fall together with the end.
    assert!((7..=8).contains(&pings), "{pings}");
    assert!(
        end.contains(r#""type":"error""#) && end.contains(r#""code":"timeout""#),
        "{end}"
    );
    assert_eq!(frame(&mut body).await, None);
}

#[tokio::test]
async fn what_is_said_puts_the_ping_off() {
    let mut body = stream(&chat()).await;
    tokio::time::pause();
    tokio::time::advance(PING_EVERY - Duration::from_secs(1)).await;
    tokio::time::resume();
    until_silence(&mut body).await;
    tokio::time::pause();
    let said = Instant::now();
    assert_eq!(frame(&mut body).await.unwrap(), ": ping\n\n");
    assert!(
        said.elapsed() > PING_EVERY - Duration::from_secs(1),
        "{:?}",
        said.elapsed()
    );
}

#[tokio::test]
async fn one_that_nobody_polls_holds_up_no_other_and_has_it_all_later() {
    let chat = chat();
    let (mut idle, mut busy) = (stream(&chat).await, stream(&chat).await);
    until_silence(&mut busy).await;
    until_silence(&mut idle).await;
}
