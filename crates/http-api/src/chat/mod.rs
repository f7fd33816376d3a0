//! The chat's routes: sessions, answers whole and streamed, search.

mod answer;
mod decode;
mod events;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ::chat::{Chat, ChatError, EventId, NO_MODEL, Tenant};
use cache::Status;
use http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::app::Shared;
use crate::config::Limits;
use crate::kept;
use crate::problem::{FieldError, Problem};
use crate::query::Query;
use crate::reply::Reply;
use crate::service::Call;

pub(crate) use events::EventStream;

/// What a client sends to go on with a stream (HTML, server-sent events).
const LAST_EVENT_ID: &str = "last-event-id";

/// Longest search, in characters.
const MAX_SEARCH_CHARS: usize = 1_000;

/// The places that streams have: they are held for long and cost little, so that they have a
/// bound of their own.
#[derive(Debug)]
pub(crate) struct StreamPlaces {
    free: Arc<Semaphore>,
    all: usize,
}

impl StreamPlaces {
    /// As many as `limits` allow.
    pub(crate) fn new(limits: &Limits) -> Self {
        let all = limits.max_streams.get();
        Self {
            free: Arc::new(Semaphore::new(all)),
            all,
        }
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.all.saturating_sub(self.free.available_permits())
    }

    fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let place = Arc::clone(&self.free).try_acquire_owned();
        place.map_err(|_| Problem::overloaded())
    }
}

/// `POST /api/chat/session/new`.
pub(crate) async fn new_session(call: Call<'_>) -> Result<Reply, Problem> {
    let chat = chat(call.shared)?;
    let asked = decode::session(&call.body)?;
    let tenant = tenant(&call, asked.company)?;
    let opened = chat
        .new_session(&tenant, asked.context.unwrap_or_default())
        .await;
    answer::opened(&opened.map_err(|error| problem(&error))?)
}

/// `POST /api/chat/message`.
pub(crate) async fn message(call: Call<'_>) -> Result<Reply, Problem> {
    call.shared.turns.begin().await;
    let chat = chat(call.shared)?;
    let asked = decode::message(&call.body)?;
    let tenant = tenant(&call, asked.company)?;
    let begun = Instant::now();
    let answered = chat
        .message(&tenant, asked.into_ask(kept::mode(&call.head.headers)))
        .await;
    let said = answered.map_err(|error| problem(&error))?;
    let reply = answer::whole(&said)?;
    let status = said.cached.map(|(status, _)| status);
    let reply = match said.cached {
        Some((status, age)) => reply.cached(status, age),
        None => reply,
    };
    let modelled = said.llm_used != NO_MODEL && status != Some(Status::Hit);
    let cost = call.shared.price(&said.llm_used, &said.tokens_used);
    let reply = reply.costing(status.unwrap_or(Status::Miss), cost);
    Ok(reply.waited(if modelled {
        begun.elapsed()
    } else {
        Duration::ZERO
    }))
}

/// `POST /api/chat/message/stream`: a new stream, or the rest of one in flight.
pub(crate) async fn stream(call: Call<'_>) -> Result<Reply, Problem> {
    call.shared.turns.begin().await;
    let chat = chat(call.shared)?;
    let asked = decode::message(&call.body)?;
    let tenant = tenant(&call, asked.company)?;
    let place = call.shared.stream_places.take()?;
    let reader = match call.head.headers.get(LAST_EVENT_ID) {
        Some(last) => last
            .to_str()
            .map_err(|_| ChatError::StreamNotFound)
            .and_then(str::parse::<EventId>)
            .and_then(|last| chat.resume(&tenant, asked.session, last)),
        None => {
            let ask = asked.into_ask(kept::mode(&call.head.headers));
            chat.message_stream(&tenant, ask).await
        }
    };
    let reader = reader.map_err(|error| problem(&error))?;
    Ok(Reply::events(EventStream::new(reader, place)))
}

/// `GET /api/chat/session/{id}`.
pub(crate) async fn session(call: Call<'_>) -> Result<Reply, Problem> {
    let chat = chat(call.shared)?;
    let (tenant, id) = (tenant(&call, None)?, id(&call)?);
    let view = chat.session(&tenant, id).await;
    answer::session(&view.map_err(|error| problem(&error))?)
}

/// `DELETE /api/chat/session/{id}`.
pub(crate) async fn delete(call: Call<'_>) -> Result<Reply, Problem> {
    let chat = chat(call.shared)?;
    let (tenant, id) = (tenant(&call, None)?, id(&call)?);
    chat.delete(&tenant, id)
        .await
        .map_err(|error| problem(&error))?;
    answer::cleared(id)
}

/// `GET /api/chat/knowledge/search`.
pub(crate) async fn search(call: Call<'_>) -> Result<Reply, Problem> {
    let chat = Arc::clone(chat(call.shared)?);
    let query = Query::read(call.head.uri.query());
    let text = query.get("query").unwrap_or_default().to_owned();
    if text.is_empty() || text.chars().count() > MAX_SEARCH_CHARS {
        let msg = "«query» debe tener entre 1 y 1000 caracteres.";
        return Err(Problem::bad_parameter(msg));
    }
    let top_k = usize::try_from(query.number("top_k", 1..=20, 3)?).unwrap_or(3);
    let module = query.get("module").map(str::to_owned);
    let quick = chat.is_quick(&text);
    // Up to a few milliseconds over a large base.
    let work = move || {
        let hits = chat.search(&text, top_k, module.as_deref());
        answer::hits(&text, &hits)
    };
    if quick {
        return work();
    }
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Problem::internal())?
}

fn chat(shared: &Shared) -> Result<&Arc<Chat>, Problem> {
    shared.deps.chat.as_ref().ok_or_else(|| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "chat_not_configured",
            "Service unavailable",
            "El asistente no está configurado en este servicio.",
        )
    })
}

/// The key, and the company that the context names, which the key must be allowed to speak for.
fn tenant(call: &Call<'_>, company: Option<u64>) -> Result<Tenant, Problem> {
    if let Some(company) = company {
        call.caller.tenant(company)?;
    }
    Ok(Tenant::new(call.caller.name(), company))
}

/// What can be no id is nobody's session.
fn id(call: &Call<'_>) -> Result<Uuid, Problem> {
    let param = call.param.as_deref().unwrap_or_default();
    Uuid::try_parse(param).map_err(|_| problem(&ChatError::SessionNotFound))
}

fn unavailable(code: &'static str, detail: &str) -> Problem {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    Problem::new(status, code, "Service unavailable", detail).after(Duration::from_secs(1))
}

fn problem(error: &ChatError) -> Problem {
    match error {
        ChatError::InvalidMessage { .. } => {
            let msg = "«message» debe tener entre 1 y 5000 caracteres.";
            Problem::wrong_shape(vec![FieldError::body("message", "string_length", msg)])
        }
        ChatError::SessionNotFound => Problem::new(
            StatusCode::NOT_FOUND,
            "session_not_found",
            "Not found",
            "La sesión no existe, expiró o no es de esta clave.",
        ),
        ChatError::StreamNotFound => Problem::new(
            StatusCode::NOT_FOUND,
            "stream_not_found",
            "Not found",
            "Esa respuesta ya no se puede retomar; consulte la sesión.",
        ),
        ChatError::Busy => unavailable(
            "session_busy",
            "La sesión tiene demasiadas preguntas a la vez. Intente de nuevo en un segundo.",
        ),
        ChatError::Unavailable(_) => {
            tracing::warn!(%error, "no sessions");
            unavailable(
                "sessions_unavailable",
                "Las sesiones no están disponibles por el momento. Intente de nuevo.",
            )
        }
        ChatError::ShuttingDown => unavailable(
            "shutting_down",
            "El servicio se está reiniciando. Intente de nuevo en un momento.",
        ),
        _ => {
            tracing::error!(%error, "chat failed");
            Problem::internal()
        }
    }
}
