//! The provider's prompt cache, used well: marks where they pay, one writer for each prefix.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::{Stream, StreamExt};
use metrics::counter;
use tokio::time::{Instant, timeout_at};

use crate::{
    CacheLifetime, Capabilities, Completion, CompletionStream, Error, LanguageModel, PriceTable,
    Provider, Request, StreamEvent, Usage,
};
use gate::{Entrance, Gate, Lead};
use marks::{Marker, PrefixKey};
use stats::Counted;

mod gate;
mod marks;
mod stats;

pub use stats::{PROMPT_CACHE_HIT_RATE, PROMPT_CACHE_SAVED, PromptCacheStats};

/// Counter: calls that waited for another one to write their prefix. Labels `provider`,
/// `model`, and `outcome`: `warm` (it was written) or `expired` (they went on without).
pub const PROMPT_CACHE_WAITS: &str = "llm_prompt_cache_waits_total";

/// Settings of a [`PrefixCache`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefixCacheConfig {
    /// The longest wait of a call for the first event of the call that writes its prefix.
    /// Default: 3 s.
    pub max_wait: Duration,
    /// Prefixes that are remembered; calls with others are neither held nor marked. 0 is
    /// taken as 1. Default: 256.
    pub max_prefixes: usize,
    /// Marks the prefix of requests that carry no mark of their own, from the second time on
    /// that it is seen within [`lifetime`](Self::lifetime). Default: on.
    pub automatic: bool,
    /// The lifetime of marks that this layer sets. Default: five minutes.
    pub lifetime: CacheLifetime,
}

impl Default for PrefixCacheConfig {
    fn default() -> Self {
        Self {
            max_wait: Duration::from_secs(3),
            max_prefixes: 256,
            automatic: true,
            lifetime: CacheLifetime::FiveMinutes,
        }
    }
}

/// A layer that makes the most of the provider's prompt cache.
///
/// **Marks.** A request with marks of its own ([`SystemBlock::cached`](crate::SystemBlock::cached))
/// keeps them; one under the model's minimum is left out when it is sent. Of a request without,
/// the longest run of system blocks that was seen before is marked, if it may reach the
/// minimum: a first sight costs no write surcharge.
///
/// **Siblings.** A written prefix can be read only once the answer that wrote it has begun. Of
/// the calls with one cold prefix the first goes ahead, and the others wait for its first
/// event, at most [`PrefixCacheConfig::max_wait`] and at most half the time to their deadline.
/// Where the first one fails, the next goes ahead. A prefix that the provider turns out not to
/// cache isn't waited for again for a while. The first one of a cold prefix is made as a
/// stream also where the whole answer was asked for, as only a stream tells its beginning.
///
/// **Figures.** [`stats`](Self::stats), and the same as metrics.
#[derive(Clone)]
pub struct PrefixCache {
    inner: Arc<dyn LanguageModel>,
    shared: Arc<Shared>,
}

struct Shared {
    config: PrefixCacheConfig,
    capabilities: Capabilities,
    marker: Marker,
    gate: Arc<Gate>,
    counted: Counted,
}

impl PrefixCache {
    /// Wraps a model. Its minimum and its way to ask for JSON come from [`Capabilities::of`],
    /// what a token costs from the table.
    #[must_use]
    pub fn new(
        inner: Arc<dyn LanguageModel>,
        prices: &PriceTable,
        config: PrefixCacheConfig,
    ) -> Self {
        let model = inner.model();
        let shared = Shared {
            config,
            capabilities: Capabilities::of(model),
            marker: Marker::new(config.max_prefixes.max(1)),
            gate: Gate::new(config.max_prefixes.max(1)),
            counted: Counted::new(inner.provider(), model, prices.of(model).prices),
        };
        Self {
            shared: Arc::new(shared),
            inner,
        }
    }

    /// What the provider's cache has done for the calls through this layer.
    #[must_use]
    pub fn stats(&self) -> PromptCacheStats {
        self.shared.counted.stats()
    }

    /// Prefixes that are being written right now.
    #[must_use]
    pub fn writing(&self) -> usize {
        self.shared.gate.writing()
    }

    /// The request with the marks that pay, and what is cached of it.
    fn marked<'a>(&self, request: &'a Request) -> (Cow<'a, Request>, Option<PrefixKey>) {
        let Shared {
            config,
            capabilities,
            marker,
            ..
        } = &*self.shared;
        let automatic = config.automatic.then_some(config.lifetime);
        let marked = marker.mark(request, capabilities, automatic, Instant::now());
        let request = marked.map_or(Cow::Borrowed(request), Cow::Owned);
        let key = PrefixKey::of(&request, capabilities);
        (request, key)
    }

    /// Waits while somebody else writes the prefix; gives the lead to whoever is to write it.
    async fn enter(&self, key: &PrefixKey, deadline: Option<Instant>) -> Option<Lead> {
        let now = Instant::now();
        let patience = self.shared.config.max_wait;
        let patience = deadline.map_or(patience, |at| {
            patience.min(at.saturating_duration_since(now) / 2)
        });
        let limit = now.checked_add(patience).unwrap_or(now);
        let mut waited = false;
        loop {
            match self.shared.gate.enter(key, Instant::now()) {
                Entrance::Lead(lead) => return Some(lead),
                Entrance::Free => {
                    if waited {
                        self.count_wait("warm");
                    }
                    return None;
                }
                Entrance::Follow(mut ended) => {
                    waited = true;
                    // The sender says nothing: it goes away when the first event is there, or
                    // when there will be none.
                    if timeout_at(limit, ended.changed()).await.is_err() {
                        self.count_wait("expired");
                        return None;
                    }
                }
            }
        }
    }

    fn count_wait(&self, outcome: &'static str) {
        counter!(PROMPT_CACHE_WAITS, "provider" => self.inner.provider().as_str(),
            "model" => self.inner.model().to_owned(), "outcome" => outcome)
        .increment(1);
    }
}

impl Shared {
    /// Counts a call's tokens, and learns whether the provider caches its prefix.
    fn ended(&self, key: Option<&PrefixKey>, usage: &Usage) {
        self.counted.add(usage);
        if let Some(key) = key
            && !usage.estimated
            && usage.total() > 0
        {
            let cached =
                usage.cache_read_input_tokens > 0 || usage.cache_creation_input_tokens() > 0;
            self.gate.learned(key, cached, Instant::now());
        }
    }
}

#[async_trait]
impl LanguageModel for PrefixCache {
    fn provider(&self) -> Provider {
        self.inner.provider()
    }

    fn model(&self) -> &str {
        self.inner.model()
    }

    fn origin(&self) -> &str {
        self.inner.origin()
    }

    async fn complete(&self, request: &Request) -> Result<Completion, Error> {
        let (request, key) = self.marked(request);
        let lead = match &key {
            Some(key) => self.enter(key, request.deadline()).await,
            None => None,
        };
        let result = match lead {
            None => self.inner.complete(&request).await,
            Some(lead) => match self.inner.stream(&request).await {
                Ok(events) => {
                    lead.begun(Instant::now());
                    events.completion().await
                }
                Err(error) => Err(error),
            },
        };
        let usage = match &result {
            Ok(completion) => Some(completion.usage),
            Err(error) => error.usage(),
        };
        if let Some(usage) = usage {
            self.shared.ended(key.as_ref(), &usage);
        }
        result
    }

    async fn stream(&self, request: &Request) -> Result<CompletionStream, Error> {
        let (request, key) = self.marked(request);
        let lead = match &key {
            Some(key) => self.enter(key, request.deadline()).await,
            None => None,
        };
        let inner = self.inner.stream(&request).await?;
        if let Some(lead) = lead {
            lead.begun(Instant::now());
        }
        let watched = Watched {
            inner,
            shared: Some((Arc::clone(&self.shared), key)),
        };
        Ok(CompletionStream::new(watched, &request))
    }

    async fn count_tokens(&self, request: &Request) -> Result<Option<u64>, Error> {
        self.inner.count_tokens(request).await
    }
}

impl fmt::Debug for PrefixCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrefixCache")
            .field("inner", &self.inner)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A stream whose figures are counted when it ends or is dropped.
struct Watched {
    inner: CompletionStream,
    shared: Option<(Arc<Shared>, Option<PrefixKey>)>,
}

impl Watched {
    fn end(&mut self) {
        if let Some((shared, key)) = self.shared.take() {
            let (usage, _) = self.inner.usage_so_far();
            shared.ended(key.as_ref(), &usage);
        }
    }
}

impl Stream for Watched {
    type Item = Result<StreamEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.inner.poll_next_unpin(cx));
        if matches!(item, None | Some(Err(_) | Ok(StreamEvent::Finished(_)))) {
            self.end();
        }
        Poll::Ready(item)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
