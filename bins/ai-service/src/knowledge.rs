//! What the chat knows: a folder of the operator's own, or the articles that come with the binary.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cache::Cache;
use chat::{Chat, Deps};
use knowledge_base::{Config, KnowledgeBase, KnowledgeError, Watch};
use llm_client::LanguageModel;
use store::{Clock, Store};

/// The articles of `knowledge/`, by their paths.
const SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/knowledge.rs"));

/// How often a folder is looked at for changes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A knowledge base, and the watch over its folder for as long as it is held.
pub(crate) struct Knowledge {
    pub(crate) base: KnowledgeBase,
    pub(crate) watch: Option<Watch>,
}

/// Reads the folder, or else the articles of the binary.
pub(crate) async fn open(folder: Option<&Path>) -> Result<Knowledge, KnowledgeError> {
    if let Some(folder) = folder {
        let base = KnowledgeBase::open(folder, Config::default()).await?;
        let watch = Some(base.watch(LOOK_EVERY));
        return Ok(Knowledge { base, watch });
    }
    let index = || KnowledgeBase::from_files(SHIPPED, Config::default());
    let base = tokio::task::spawn_blocking(index).await;
    let base = base.unwrap_or(Err(KnowledgeError::Interrupted))?;
    Ok(Knowledge { base, watch: None })
}

/// The chat over it.
pub(crate) fn chat(
    knowledge: KnowledgeBase,
    store: Arc<dyn Store>,
    cache: Cache,
    model: Option<Arc<dyn LanguageModel>>,
    clock: Arc<dyn Clock>,
    message_limit: Duration,
) -> Arc<Chat> {
    let mut config = chat::Config::default();
    config.message_limit = message_limit;
    let deps = Deps {
        knowledge,
        store,
        cache,
        model,
        clock,
    };
    Arc::new(Chat::new(deps, config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_binary_has_its_articles_with_it() {
        let knowledge = open(None).await.unwrap();
        let stats = knowledge.base.stats();
        assert!(stats.documents >= 60 && stats.synonyms > 0, "{stats:?}");
        assert!(knowledge.base.modules().len() >= 5);
        let hits = knowledge
            .base
            .search(&knowledge_base::Query::new("anular una factura"));
        assert!(hits[0].is_relevant(), "{hits:?}");
    }
}
