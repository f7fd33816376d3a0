//! Sessions in a real Redis that is killed, frozen and cut off: the chat goes on, and what was
//! said meanwhile is in the session afterwards.

use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, CacheConfig};
use chat::{Ask, Chat, ChatError, Config, Deps, EventBody, SessionView, Tenant, UserContext};
use llm_client::test_util::{Outcome, ScriptedModel};
use llm_client::{LanguageModel, StreamEvent};
use serde_json::json;
use store::test_util::redis::{Server, until};
use store::test_util::{Link, Proxy, Reply};
use store::{
    Deployment, EmbeddedConfig, EmbeddedStore, KeyClass, KeyClasses, RedisConfig, RedisHost,
    RedisStore, ResilientConfig, ResilientStore, Store, SystemClock,
};
use uuid::Uuid;

use crate::gated::Gated;
use crate::{ANULAR, ask, knowledge, sur};

/// One replica of the service over a server.
struct Replica {
    chat: Chat,
    store: Arc<ResilientStore>,
}

impl Replica {
    async fn new(server: &Server, model: Arc<dyn LanguageModel>, journal_len: usize) -> Self {
        let mut redis = RedisConfig::new(Deployment::Standalone(server.host()));
        // The machine may be busy; how fast an outage is noticed isn't what is tested.
        redis.command_timeout = Duration::from_millis(500);
        redis.unresponsive_timeout = Duration::from_secs(1);
        redis.heartbeat = Duration::from_millis(100);
        redis.reconnect_min = Duration::from_millis(10);
        redis.reconnect_max = Duration::from_millis(100);
        let redis = RedisStore::start(redis).unwrap();
        redis.ready(Duration::from_secs(20)).await.unwrap();
        let mut config = ResilientConfig::new(KeyClasses::new(KeyClass::Durable));
        config.deadline = Duration::from_secs(2);
        config.probe_min = Duration::from_millis(10);
        config.probe_max = Duration::from_millis(50);
        config.journal_len = journal_len;
        let clock = Arc::new(SystemClock);
        let local = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone()).unwrap();
        let store = ResilientStore::start(redis, Arc::new(local), config, clock.clone());
        let store = Arc::new(store.await.unwrap());
        let cache = CacheConfig::default();
        let cache = Cache::new(&cache, &[chat::OPERATION], None, clock.clone()).unwrap();
        let deps = Deps {
            knowledge: knowledge(),
            store: store.clone(),
            cache,
            model: Some(model),
            clock,
        };
        let mut config = Config::default();
        config.store_limit = Duration::from_secs(10);
        Self {
            chat: Chat::new(deps, config),
            store,
        }
    }

    async fn scripted(server: &Server) -> (Self, ScriptedModel) {
        let model = ScriptedModel::new("m").otherwise(Outcome::text("Con una nota [1]."));
        let replica = Self::new(server, Arc::new(model.clone()), 10_000).await;
        (replica, model)
    }

    async fn session(&self) -> Uuid {
        let opened = self.chat.new_session(&sur(), UserContext::default()).await;
        opened.unwrap().session_id
    }

    /// Says it; whether the answer knew nothing of what was said before.
    async fn says(&self, id: Uuid, message: &str) -> bool {
        let answer = self.chat.message(&sur(), ask(Some(id), message)).await;
        answer.unwrap().degraded
    }

    async fn asked(&self, id: Uuid) -> Vec<String> {
        questions(&self.chat.session(&sur(), id).await.unwrap())
    }

    /// Waits until the server is there and knows all.
    async fn settled(&self) {
        until("the server to be back and to know all", async || {
            let standby = self.store.health().await.standby.unwrap();
            !standby.active && standby.journal_len == 0 && self.store.get("any").await.is_ok()
        })
        .await
        .unwrap();
    }
}

/// A chat right over a server, which is reached by this proxy and waited for this long.
async fn bare(proxy: &Proxy, model: ScriptedModel, patience: Duration) -> Chat {
    let host = RedisHost::new("127.0.0.1", proxy.port());
    let mut redis = RedisConfig::new(Deployment::Standalone(host));
    redis.command_timeout = patience;
    redis.unresponsive_timeout = Duration::from_secs(60);
    let store = RedisStore::start(redis).unwrap();
    store.ready(Duration::from_secs(20)).await.unwrap();
    let clock = Arc::new(SystemClock);
    let cache = CacheConfig::default();
    let deps = Deps {
        knowledge: knowledge(),
        store: Arc::new(store),
        cache: Cache::new(&cache, &[chat::OPERATION], None, clock.clone()).unwrap(),
        model: Some(Arc::new(model)),
        clock,
    };
    let mut config = Config::default();
    config.store_limit = patience;
    Chat::new(deps, config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_sessions_question_is_thought_about_while_it_is_written_down() {
    let server = server().await;
    let proxy = Proxy::before(server.port()).await.unwrap();
    let model = ScriptedModel::new("m").otherwise(Outcome::text("Con una nota [1]."));
    let chat = bare(&proxy, model.clone(), Duration::from_secs(20)).await;
    proxy.set(Link::Freeze);
    let asking = chat.clone();
    let asked = tokio::spawn(async move { asking.message(&sur(), ask(None, ANULAR)).await });
    until("the model to be asked", async || {
        model.requests().len() == 1
    })
    .await
    .unwrap();
    assert!(!asked.is_finished());
    assert!(!keys(&server).await.contains("ai:chat"));
    proxy.set(Link::Pass);
    let answer = asked.await.unwrap().unwrap();
    let view = chat.session(&sur(), answer.session_id).await.unwrap();
    assert_eq!(questions(&view), [ANULAR]);
    assert_eq!(model.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_session_that_cant_be_kept_answers_nothing() {
    let server = server().await;
    let proxy = Proxy::before(server.port()).await.unwrap();
    let model = ScriptedModel::new("m").otherwise(Outcome::text("Con una nota [1]."));
    let chat = bare(&proxy, model.clone(), Duration::from_secs(2)).await;
    proxy.set(Link::Freeze);
    let asking = chat.clone();
    let asked = tokio::spawn(async move { asking.message(&sur(), ask(None, ANULAR)).await });
    until("the model to be asked", async || {
        model.requests().len() == 1
    })
    .await
    .unwrap();
    proxy.set(Link::Cut);
    let refused = asked.await.unwrap().unwrap_err();
    assert!(matches!(refused, ChatError::Unavailable(_)), "{refused:?}");
    proxy.set(Link::Pass);
    assert!(!keys(&server).await.contains("ai:chat"));
}

fn questions(view: &SessionView) -> Vec<String> {
    for pair in view.messages.chunks(2) {
        assert!(pair.len() == 2 && pair[1].from_assistant, "{view:?}");
    }
    let asked = view.messages.iter().step_by(2);
    asked.map(|message| message.content.clone()).collect()
}

async fn server() -> Server {
    Server::start(&[]).await.unwrap()
}

async fn keys(server: &Server) -> String {
    let keys = server.command(&["KEYS", "ai:chat:*"]).await.unwrap();
    format!("{keys:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_redis_costs_the_history_and_no_turn() {
    let mut server = server().await;
    let (replica, model) = Replica::scripted(&server).await;
    let id = replica.session().await;
    assert!(!replica.says(id, "primera: factura").await);

    // So that it has its data again.
    server.command(&["SAVE"]).await.unwrap();
    server.kill().unwrap();
    assert!(replica.says(id, "segunda: factura").await);
    let requests = model.requests();
    let messages = requests.last().unwrap().messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    // What was said here meanwhile is known, and streams end as ever.
    let third = ask(Some(id), "tercera: factura");
    let reader = replica.chat.message_stream(&sur(), third).await;
    let (text, end) = crate::read(reader.unwrap()).await;
    assert!(text.starts_with("Con una nota"), "{text}");
    assert!(matches!(&end, EventBody::Done(answer) if answer.degraded));
    let requests = model.requests();
    let messages = requests.last().unwrap().messages();
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert_eq!(messages[0].text(), "segunda: factura");

    server.restart().await.unwrap();
    replica.settled().await;
    let told = ["primera: factura", "segunda: factura", "tercera: factura"];
    assert_eq!(replica.asked(id).await, told);
    assert!(!replica.says(id, "cuarta: factura").await);
    let requests = model.requests();
    assert_eq!(requests.last().unwrap().messages().len(), 7);
    // Nothing is left beside it, and nothing is in it twice.
    replica.settled().await;
    assert!(!keys(&server).await.contains("aside"));
    assert_eq!(replica.asked(id).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_said_meanwhile_stays() {
    let server = server().await;
    let (first, _) = Replica::scripted(&server).await;
    let (second, _) = Replica::scripted(&server).await;
    let id = first.session().await;
    server.freeze().unwrap();
    assert!(first.says(id, "uno: factura").await);
    assert!(second.says(id, "dos: factura").await);
    assert!(first.says(id, "tres: factura").await);
    server.thaw().unwrap();
    // The first may go on before its own journal, or the other's, has been told.
    until("the server to be asked again", async || {
        first.chat.session(&sur(), id).await.is_ok()
    })
    .await
    .unwrap();
    assert!(!first.says(id, "cuatro: factura").await);
    first.settled().await;
    second.settled().await;
    assert!(!second.says(id, "cinco: factura").await);
    for replica in [&first, &second] {
        let mut asked = replica.asked(id).await;
        asked.sort();
        let all = ["cinco", "cuatro", "dos", "tres", "uno"].map(|word| format!("{word}: factura"));
        assert_eq!(asked, all);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_when_redis_is_gone_is_beside_its_question_afterwards() {
    let server = server().await;
    let (model, say) = Gated::new();
    let replica = Replica::new(&server, Arc::new(model), 10_000).await;
    let id = replica.session().await;
    let asked = ask(Some(id), ANULAR);
    let reader = replica.chat.message_stream(&sur(), asked).await.unwrap();
    server.freeze().unwrap();
    say.send(StreamEvent::Text("Con una nota de crédito [1].".to_owned()))
        .unwrap();
    let done = llm_client::test_util::completion("Con una nota de crédito [1].");
    say.send(StreamEvent::Finished(done)).unwrap();
    let (_, end) = crate::read(reader).await;
    assert!(matches!(&end, EventBody::Done(answer) if !answer.degraded));
    server.thaw().unwrap();
    replica.settled().await;
    assert_eq!(replica.asked(id).await, [ANULAR]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deletion_is_refused_while_redis_is_away_and_complete_afterwards() {
    let server = server().await;
    let (replica, _) = Replica::scripted(&server).await;
    let id = replica.session().await;
    server.freeze().unwrap();
    assert!(replica.says(id, ANULAR).await);
    let refused = replica.chat.delete(&sur(), id).await.unwrap_err();
    assert!(matches!(refused, ChatError::Unavailable(_)), "{refused:?}");
    server.thaw().unwrap();
    // As soon as it works, so that the journal may still be waiting.
    until("the deletion to be accepted", async || {
        match replica.chat.delete(&sur(), id).await {
            Ok(()) => true,
            Err(error) => {
                assert!(matches!(error, ChatError::Unavailable(_)), "{error:?}");
                false
            }
        }
    })
    .await
    .unwrap();
    replica.settled().await;
    assert_eq!(keys(&server).await, "Many([])");
    let gone = replica.chat.session(&sur(), id).await.unwrap_err();
    assert!(matches!(gone, ChatError::SessionNotFound), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_whose_turns_beside_it_cant_be_listed_is_not_half_deleted() {
    let server = server().await;
    let (replica, _) = Replica::scripted(&server).await;
    let id = replica.session().await;
    let Ok(Reply::Many(keys)) = server.command(&["KEYS", "*"]).await else {
        panic!("no keys");
    };
    let [Reply::Text(session)] = keys.as_slice() else {
        panic!("{keys:?}");
    };
    // Of another kind than a set of names.
    let names = format!("{session}:aside");
    server.command(&["SET", &names, "x"]).await.unwrap();
    let refused = replica.chat.delete(&sur(), id).await.unwrap_err();
    assert!(matches!(refused, ChatError::Unavailable(_)), "{refused:?}");
    server.command(&["DEL", &names]).await.unwrap();
    assert!(replica.chat.session(&sur(), id).await.is_ok());
    replica.chat.delete(&sur(), id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cant_be_queued_is_refused_and_said() {
    let server = server().await;
    let model = ScriptedModel::new("m").otherwise(Outcome::text("Sí [1]."));
    let replica = Replica::new(&server, Arc::new(model.clone()), 1).await;
    let id = replica.session().await;
    server.freeze().unwrap();
    // The one place of the queue is taken, then there is none.
    replica.store.increment("costs", 1, None).await.unwrap();
    let refused = replica.chat.message(&sur(), ask(Some(id), ANULAR)).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, ChatError::Unavailable(_)), "{refused:?}");
    assert!(model.requests().is_empty());
    server.thaw().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_said_for_another_company_is_not_taken_in() {
    let server = server().await;
    let (replica, model) = Replica::scripted(&server).await;
    let of = |company| Tenant::new("erp-sur", Some(company));
    let opened = replica
        .chat
        .new_session(&of(7), UserContext::default())
        .await
        .unwrap();
    let id = opened.session_id;
    server.freeze().unwrap();
    for (company, message) in [(8, "ajena: factura"), (7, "propia: factura")] {
        let context = json!({ "company_name": format!("Empresa {company}") });
        let ask = Ask {
            context: context.as_object().map(UserContext::from_json),
            ..ask(Some(id), message)
        };
        replica.chat.message(&of(company), ask).await.unwrap();
    }
    let requests = model.requests();
    let messages = requests.last().unwrap().messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    server.thaw().unwrap();
    replica.settled().await;
    let view = replica.chat.session(&of(7), id).await.unwrap();
    assert_eq!(questions(&view), ["propia: factura"]);
    let view = replica.chat.session(&of(8), id).await;
    assert!(matches!(view, Err(ChatError::SessionNotFound)), "{view:?}");
}

/// How often Redis was asked for a value, its own bookkeeping aside.
async fn reads(server: &Server) -> u64 {
    let info = server.command(&["INFO", "commandstats"]).await.unwrap();
    let text = info.text().unwrap();
    let line = text.lines().find(|line| line.starts_with("cmdstat_get:"));
    let calls = line.and_then(|line| line.split(['=', ',']).nth(1));
    calls.map_or(0, |calls| calls.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_nobody_else_changes_is_read_for_its_question_and_not_for_its_answer() {
    let server = server().await;
    let (replica, _) = Replica::scripted(&server).await;
    // The script that changes a session reads it itself: one GET a change is the server's.
    let before = reads(&server).await;
    let answer = replica.chat.message(&sur(), ask(None, ANULAR)).await;
    let id = answer.unwrap().session_id;
    let first = reads(&server).await - before;
    assert_eq!(first, 1, "a new session: its answer's change alone");
    replica.says(id, "¿Y si ya la reclamaron?").await;
    let second = reads(&server).await - before - first;
    assert_eq!(second, 3, "a look for the question, and the two changes");
    // One that is too long to be remembered with its question is read again for its answer.
    replica.says(id, &"nota ".repeat(600)).await;
    let third = reads(&server).await - before - first - second;
    assert_eq!(third, 4);
    assert_eq!(replica.asked(id).await.len(), 3);
}
