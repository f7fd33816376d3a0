//! The chat's answers as the contract has them.

use ::chat::{Answer, Citation, Opened, SessionView, ShownMessage};
use bytes::Bytes;
use http::StatusCode;
use knowledge_base::Hit;
use llm_client::Usage;
use serde::Serialize;
use uuid::Uuid;

use crate::problem::Problem;
use crate::reply::Reply;

#[derive(Serialize)]
struct Tokens {
    input_tokens: u64,
    output_tokens: u64,
    total_tokens: u64,
    cache_read_tokens: u64,
    cache_creation_tokens: u64,
}

#[derive(Serialize)]
struct Cited<'a> {
    /// As the text has it: `[n]`.
    number: usize,
    id: &'a str,
    title: &'a str,
    section: &'a str,
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct Whole<'a> {
    message: &'a str,
    #[serde(flatten)]
    metadata: Metadata<'a>,
}

/// What an answer rests on: all of it but its text.
#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    sources: &'a [String],
    confidence: u8,
    session_id: String,
    llm_used: &'a str,
    tokens_used: Tokens,
    plugin_used: Option<&'a str>,
    citations: Vec<Cited<'a>>,
    /// Only of an answer that couldn't know what was said before it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    degraded: bool,
}

#[derive(Serialize)]
struct Started<'a> {
    session_id: String,
    welcome_message: &'a str,
}

#[derive(Serialize)]
struct Session<'a> {
    session_id: String,
    message_count: usize,
    messages: Vec<Shown<'a>>,
    stats: Stats,
}

#[derive(Serialize)]
struct Shown<'a> {
    role: &'static str,
    content: &'a str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin_used: Option<&'a str>,
    /// Only of an answer that broke off.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

#[derive(Serialize)]
struct Stats {
    session_id: String,
    message_count: usize,
    ttl_remaining_seconds: u64,
    exists: bool,
}

#[derive(Serialize)]
struct Cleared {
    status: &'static str,
    session_id: String,
    message: &'static str,
}

#[derive(Serialize)]
struct Found<'a> {
    query: &'a str,
    results_found: usize,
    results: Vec<Passage<'a>>,
}

#[derive(Serialize)]
struct Passage<'a> {
    id: &'a str,
    title: &'a str,
    module: &'a str,
    tags: &'a [String],
    content: &'a str,
    score: f64,
    section: &'a str,
    snippet: &'a str,
    url: Option<&'a str>,
}

impl<'a> Metadata<'a> {
    pub(super) fn of(answer: &'a Answer) -> Self {
        Self {
            sources: &answer.sources,
            confidence: answer.confidence,
            session_id: answer.session_id.to_string(),
            llm_used: &answer.llm_used,
            tokens_used: tokens(&answer.tokens_used),
            plugin_used: answer.plugin_used.as_deref(),
            citations: answer.citations.iter().map(cited).collect(),
            degraded: answer.degraded,
        }
    }
}

pub(super) fn whole(answer: &Answer) -> Result<Reply, Problem> {
    json(&Whole {
        message: &answer.message,
        metadata: Metadata::of(answer),
    })
}

pub(super) fn opened(opened: &Opened) -> Result<Reply, Problem> {
    json(&Started {
        session_id: opened.session_id.to_string(),
        welcome_message: &opened.welcome_message,
    })
}

pub(super) fn session(view: &SessionView) -> Result<Reply, Problem> {
    let (session_id, message_count) = (view.session_id.to_string(), view.messages.len());
    json(&Session {
        session_id: session_id.clone(),
        message_count,
        messages: view.messages.iter().map(shown).collect(),
        stats: Stats {
            session_id,
            message_count,
            ttl_remaining_seconds: view.ttl_remaining.as_secs(),
            exists: true,
        },
    })
}

pub(super) fn cleared(id: Uuid) -> Result<Reply, Problem> {
    json(&Cleared {
        status: "cleared",
        session_id: id.to_string(),
        message: "La sesión fue borrada.",
    })
}

pub(super) fn hits(query: &str, hits: &[Hit]) -> Result<Reply, Problem> {
    json(&Found {
        query,
        results_found: hits.len(),
        results: hits.iter().map(passage).collect(),
    })
}

fn tokens(usage: &Usage) -> Tokens {
    Tokens {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        total_tokens: usage.total(),
        cache_read_tokens: usage.cache_read_input_tokens,
        cache_creation_tokens: usage.cache_creation_input_tokens(),
    }
}

fn cited(citation: &Citation) -> Cited<'_> {
    Cited {
        number: citation.number,
        id: &citation.id,
        title: &citation.title,
        section: &citation.section,
        url: citation.url.as_deref(),
    }
}

fn shown(message: &ShownMessage) -> Shown<'_> {
    Shown {
        role: if message.from_assistant {
            "assistant"
        } else {
            "user"
        },
        content: &message.content,
        timestamp: message.timestamp.to_string(),
        plugin_used: message.plugin_used.as_deref(),
        partial: message.partial,
    }
}

fn passage(hit: &Hit) -> Passage<'_> {
    Passage {
        id: &hit.id,
        title: &hit.title,
        module: &hit.module,
        tags: &hit.tags,
        content: &hit.content,
        score: hit.score,
        section: &hit.section,
        snippet: &hit.snippet.text,
        url: hit.url.as_deref(),
    }
}

fn json(answer: &impl Serialize) -> Result<Reply, Problem> {
    let body = serde_json::to_vec(answer).map_err(|_| Problem::internal())?;
    Ok(Reply::json(StatusCode::OK, Bytes::from(body)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ::chat::{Ask, Chat, Config, Deps, Tenant, UserContext};
    use cache::{Cache, CacheConfig};
    use knowledge_base::KnowledgeBase;
    use serde_json::{Value, json};
    use store::test_util::redis::free_port;
    use store::{
        Deployment, EmbeddedConfig, EmbeddedStore, KeyClass, KeyClasses, RedisConfig, RedisHost,
        RedisStore, ResilientConfig, ResilientStore, SystemClock,
    };

    use super::*;

    /// A chat over a Redis that isn't there.
    async fn chat() -> Chat {
        let clock = Arc::new(SystemClock);
        let host = RedisHost::new("127.0.0.1", free_port().unwrap());
        let redis = RedisConfig::new(Deployment::Standalone(host));
        let redis = RedisStore::start(redis).unwrap();
        let local = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone()).unwrap();
        let config = ResilientConfig::new(KeyClasses::new(KeyClass::Durable));
        let store = ResilientStore::start(redis, Arc::new(local), config, clock.clone());
        let cache = &CacheConfig::default();
        let cache = Cache::new(cache, &[::chat::OPERATION], None, clock.clone()).unwrap();
        let config = knowledge_base::Config::default();
        let deps = Deps {
            knowledge: KnowledgeBase::from_documents([], config).unwrap(),
            store: Arc::new(store.await.unwrap()),
            cache,
            model: None,
            clock,
        };
        Chat::new(deps, Config::default())
    }

    #[tokio::test]
    async fn only_an_answer_that_knew_nothing_of_its_session_is_degraded() {
        let (chat, tenant) = (chat().await, Tenant::new("erp-sur", None));
        let begun = chat.new_session(&tenant, UserContext::default()).await;
        let here = begun.unwrap().session_id;
        for (session, expected) in [(here, Value::Null), (Uuid::new_v4(), json!(true))] {
            let ask = Ask {
                session: Some(session),
                message: "¿Cómo anulo una factura?".to_owned(),
                ..Ask::default()
            };
            let answer = chat.message(&tenant, ask).await.unwrap();
            let shown = serde_json::to_value(Metadata::of(&answer)).unwrap();
            assert_eq!(shown["degraded"], expected, "{shown}");
        }
    }
}
