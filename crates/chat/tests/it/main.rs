//! The chat pressed from outside, with a scripted model and a clock that is told to move.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod answers;
mod gated;
mod injection;
mod redis;
mod sessions;
mod streams;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cache::{Cache, CacheConfig};
use chat::{Ask, Chat, Config, Deps, Event, EventBody, Reader, Tenant, UserContext};
use futures_util::StreamExt as _;
use knowledge_base::{Document, KnowledgeBase};
use llm_client::LanguageModel;
use llm_client::test_util::ScriptedModel;
use store::{EmbeddedConfig, EmbeddedStore, ManualClock};
use uuid::Uuid;

pub(crate) const ANULAR: &str = "¿Cómo anulo una factura aceptada por el SII?";

pub(crate) struct World {
    pub(crate) chat: Chat,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) model: ScriptedModel,
}

/// Articles of a product that doesn't exist.
pub(crate) fn knowledge() -> KnowledgeBase {
    let documents = [
        Document::new(
            "dte/anular",
            "Anular una factura",
            "Una factura aceptada por el SII no se borra. Se anula con una nota de crédito (61) \
             que la referencia con CodRef 1.\n\n- La nota lleva los mismos montos.\n",
        )
        .module("l10n_cl_dte")
        .tags(["anulación"])
        .url("https://www.sii.cl/factura_electronica/"),
        Document::new(
            "dte/caf",
            "Pedir folios (CAF)",
            "Los folios se piden en el sitio del SII con el certificado digital.",
        )
        .module("l10n_cl_dte"),
        Document::new(
            "nomina/gratificacion",
            "Gratificación legal",
            "La gratificación del artículo 50 es el 25% de lo devengado, con un tope de 4,75 \
             ingresos mínimos mensuales al año.",
        )
        .module("l10n_cl_hr_payroll"),
    ];
    KnowledgeBase::from_documents(documents, knowledge_base::Config::default()).unwrap()
}

impl World {
    pub(crate) fn new(model: ScriptedModel) -> Self {
        Self::with(Some(model), |_| {})
    }

    pub(crate) fn with(model: Option<ScriptedModel>, change: impl FnOnce(&mut Config)) -> Self {
        Self::over(knowledge(), model, change)
    }

    pub(crate) fn over(
        knowledge: KnowledgeBase,
        model: Option<ScriptedModel>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let any = model
            .clone()
            .map(|model| Arc::new(model) as Arc<dyn LanguageModel>);
        let world = Self::asking(knowledge, any, change);
        Self {
            model: model.unwrap_or(world.model),
            ..world
        }
    }

    pub(crate) fn asking(
        knowledge: KnowledgeBase,
        model: Option<Arc<dyn LanguageModel>>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let clock = Arc::new(ManualClock::at(now));
        let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone()).unwrap();
        let cache = &CacheConfig::default();
        let cache = Cache::new(cache, &[chat::OPERATION], None, clock.clone()).unwrap();
        let deps = Deps {
            knowledge,
            store: Arc::new(store),
            cache,
            model,
            clock: clock.clone(),
        };
        let mut config = Config::default();
        change(&mut config);
        Self {
            chat: Chat::new(deps, config),
            clock,
            model: ScriptedModel::new("none"),
        }
    }

    pub(crate) async fn session(&self) -> Uuid {
        let opened = self.chat.new_session(&sur(), UserContext::default()).await;
        opened.unwrap().session_id
    }
}

pub(crate) fn sur() -> Tenant {
    Tenant::new("erp-sur", None)
}

pub(crate) fn ask(session: Option<Uuid>, message: &str) -> Ask {
    Ask {
        session,
        message: message.to_owned(),
        ..Ask::default()
    }
}

/// The whole stream: its text and its last event.
pub(crate) async fn read(mut reader: Reader) -> (String, EventBody) {
    let (mut text, mut last) = (String::new(), None);
    while let Some(Event { body, .. }) = reader.next().await {
        match &body {
            EventBody::Text(piece) => text.push_str(piece),
            EventBody::Done(_) | EventBody::Failed(_) => {}
        }
        last = Some(body);
    }
    (text, last.unwrap())
}
