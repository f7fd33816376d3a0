//! The chat as its callers see it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use cache::{Cache, Mode};
use futures_util::StreamExt as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use knowledge_base::{Hit, KnowledgeBase, Query};
use llm_client::LanguageModel;
use store::{Clock, Store};
use tokio::sync::{Semaphore, oneshot};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::find::is_quick;
use crate::live::{EventBody, EventId, Log, Reader, Streams};
use crate::model::Guard;
use crate::session::{SessionView, Sessions, timestamp};
use crate::turn::Turn;
use crate::{Answer, ChatError, Config, Failure, MAX_MESSAGE_CHARS, Tenant, UserContext};

/// What a chat stands on.
#[derive(Debug, Clone)]
pub struct Deps {
    /// What it knows.
    pub knowledge: KnowledgeBase,
    /// Where sessions are.
    pub store: Arc<dyn Store>,
    /// Where answers to first questions are shared.
    pub cache: Cache,
    /// Who answers; without one the best passages do.
    pub model: Option<Arc<dyn LanguageModel>>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// A message to be answered.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// The session it is part of; a new one where there is none.
    pub session: Option<Uuid>,
    /// What is asked, 1 to [`MAX_MESSAGE_CHARS`] characters.
    pub message: String,
    /// What the ERP tells of its user; what the session knows is kept where it tells nothing.
    pub context: Option<UserContext>,
    /// What may be done with shared answers.
    pub mode: Mode,
}

/// A session that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// Its id.
    pub session_id: Uuid,
    /// What to greet its user with.
    pub welcome_message: String,
}

/// Questions answered from a knowledge base. A clone is another handle of the same.
#[derive(Debug, Clone)]
pub struct Chat {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) deps: Deps,
    pub(crate) config: Config,
    pub(crate) sessions: Sessions,
    pub(crate) streams: Streams,
    pub(crate) guard: Guard,
    /// Searches compute: more at once than there are cores would only take turns, each with a
    /// thread and its scratch space held.
    pub(crate) searches: Arc<Semaphore>,
    zone: TimeZone,
}

impl Chat {
    /// A chat. Nothing is spawned before the first message.
    #[must_use]
    pub fn new(deps: Deps, config: Config) -> Self {
        let sessions = Sessions::new(Arc::clone(&deps.store), Arc::clone(&deps.clock), &config);
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        let inner = Inner {
            sessions,
            streams: Streams::new(&config),
            guard: Guard::default(),
            searches: Arc::new(Semaphore::new(cores)),
            // The bundled database has it; UTC is only what the types ask for.
            zone: TimeZone::get("America/Santiago").unwrap_or(TimeZone::UTC),
            deps,
            config,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Begins a session.
    ///
    /// # Errors
    /// [`ChatError::Unavailable`].
    pub async fn new_session(
        &self,
        tenant: &Tenant,
        context: UserContext,
    ) -> Result<Opened, ChatError> {
        let welcome_message = welcome(&context);
        let session_id = self.inner.sessions.create(tenant, context).await?;
        Ok(Opened {
            session_id,
            welcome_message,
        })
    }

    /// Answers a message and waits for the whole answer. A model that is off, down, late or
    /// over its budget is no error: the best passages answer. Dropping the future cancels it.
    ///
    /// # Errors
    /// [`ChatError`]: a message that can't be, a session that isn't there, a store that is away.
    pub async fn message(&self, tenant: &Tenant, ask: Ask) -> Result<Arc<Answer>, ChatError> {
        let mut reader = self.begin(tenant, ask, true).await?;
        while let Some(event) = reader.next().await {
            match event.body {
                EventBody::Text(_) => {}
                EventBody::Done(answer) => return Ok(answer),
                EventBody::Failed(Failure::ShuttingDown) => return Err(ChatError::ShuttingDown),
                EventBody::Failed(Failure::SessionDeleted) => {
                    return Err(ChatError::SessionNotFound);
                }
                EventBody::Failed(_) => break,
            }
        }
        Err(ChatError::Internal)
    }

    /// Answers a message piece by piece. Returns as soon as the message is in its session; the
    /// stream always ends with [`EventBody::Done`] or [`EventBody::Failed`].
    ///
    /// # Errors
    /// As [`Chat::message`].
    pub async fn message_stream(&self, tenant: &Tenant, ask: Ask) -> Result<Reader, ChatError> {
        self.begin(tenant, ask, false).await
    }

    /// What comes after an event of a stream that is in flight or ended lately.
    ///
    /// # Errors
    /// [`ChatError::StreamNotFound`] where there is no such stream of this tenant (and session),
    /// [`ChatError::Busy`] where too many read it.
    pub fn resume(
        &self,
        tenant: &Tenant,
        session: Option<Uuid>,
        last: EventId,
    ) -> Result<Reader, ChatError> {
        let log = self.inner.streams.find(tenant, session, last.stream)?;
        log.reader(last.number.saturating_add(1))
    }

    /// What a session has in it. Looking doesn't renew its lifetime.
    ///
    /// # Errors
    /// [`ChatError::SessionNotFound`], [`ChatError::Unavailable`].
    pub async fn session(&self, tenant: &Tenant, id: Uuid) -> Result<SessionView, ChatError> {
        self.inner.sessions.view(tenant, id).await
    }

    /// Deletes a session: what was said, what is being said, and what could be resumed. Shared
    /// answers are only those to first questions and know of no session nor person.
    ///
    /// # Errors
    /// [`ChatError::SessionNotFound`], [`ChatError::Unavailable`].
    pub async fn delete(&self, tenant: &Tenant, id: Uuid) -> Result<(), ChatError> {
        self.inner.sessions.delete(tenant, id).await?;
        self.inner.streams.forget(&tenant.key, id);
        Ok(())
    }

    /// Searches the knowledge base as it is today. It computes for up to a millisecond or two.
    #[must_use]
    pub fn search(&self, query: &str, top_k: usize, module: Option<&str>) -> Vec<Hit> {
        let mut query = Query::new(query).top_k(top_k).today(self.inner.today());
        if let Some(module) = module {
            query = query.module(module);
        }
        self.inner.deps.knowledge.search(&query)
    }

    /// Whether a search for this takes so little that it isn't worth a thread of its own.
    #[must_use]
    pub fn is_quick(&self, query: &str) -> bool {
        is_quick(&self.inner.deps.knowledge, query)
    }

    /// Its knowledge base.
    #[must_use]
    pub fn knowledge(&self) -> &KnowledgeBase {
        &self.inner.deps.knowledge
    }

    /// Takes no more messages and ends the streams in flight with
    /// [`Failure::ShuttingDown`]: how many there were.
    pub fn shut_down(&self) -> usize {
        self.inner.streams.close()
    }

    async fn begin(&self, tenant: &Tenant, ask: Ask, whole: bool) -> Result<Reader, ChatError> {
        let chars = ask.message.chars().count();
        if chars > MAX_MESSAGE_CHARS || ask.message.trim().is_empty() {
            return Err(ChatError::InvalidMessage { chars });
        }
        let inner = &self.inner;
        let (sessions, message) = (&inner.sessions, &ask.message);
        let (session, turn, history, new) = match ask.session {
            Some(session) => {
                let accepted = sessions.accept(tenant, session, message, ask.context.as_ref());
                let (turn, history) = accepted.await?;
                (session, turn, history, None)
            }
            None => {
                let context = ask.context.unwrap_or_default();
                let (new, turn, history) = sessions.begin(tenant, message, context)?;
                (new.id, turn, history, Some(new))
            }
        };
        let log = Log::new(&inner.config);
        let reader = log.reader(0)?;
        let (tell, kept) = oneshot::channel();
        let turn = Box::new(Turn {
            tenant: tenant.clone(),
            session,
            turn,
            history,
            mode: ask.mode,
            whole,
            log: Arc::clone(&log),
            kept: new.is_some().then_some(kept),
        });
        if let Err(refused) = inner.streams.insert(tenant, session, &log) {
            if new.is_none() {
                turn.record(inner, None, true).await;
            }
            return Err(refused);
        }
        tokio::spawn(turn.run(Arc::clone(inner)).in_current_span());
        // A question that nobody else can know of is thought about while it is written down.
        if let Some(new) = new {
            let keeping = sessions.keep(tenant, &new).await;
            // The turn ends without what tells it, also where our caller leaves.
            keeping.inspect_err(|_| log.stop(Failure::Cancelled))?;
            let _ = tell.send(());
        }
        Ok(reader)
    }
}

impl Inner {
    /// Today in Chile.
    pub(crate) fn today(&self) -> Date {
        timestamp(self.deps.clock.now())
            .to_zoned(self.zone.clone())
            .date()
    }
}

fn welcome(context: &UserContext) -> String {
    let whom = context
        .greeting()
        .map(|name| format!(", {name}"))
        .unwrap_or_default();
    format!(
        "Hola{whom}. Soy el asistente de su ERP. Pregúnteme sobre documentos tributarios \
         electrónicos, remuneraciones, contabilidad o inventario."
    )
}
