//! An answer as it comes: typed events, one after the other.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::stream::{self, Stream, StreamExt};

use crate::{Completion, Error, RateLimits, Request, Usage, estimate_tokens};

/// What happens while an answer comes.
///
/// The order is `Started`, then any number of `Text` and `Usage`, then `Finished`. An error
/// ends the stream wherever it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamEvent {
    /// The provider has taken the request and the answer begins.
    Started {
        /// The provider's id for the call, for its support.
        request_id: Option<String>,
        /// The model that answers, as the provider names it.
        model: String,
        /// What is known by now: usually the prompt's tokens, and few or no output tokens.
        usage: Usage,
        /// What the provider said of the account's limits.
        rate_limits: Option<Box<RateLimits>>,
    },
    /// The next piece of the answer; of the JSON text where JSON was asked for. Never empty.
    Text(String),
    /// The tokens up to now. It replaces every usage before it: never add them up.
    Usage(Usage),
    /// The whole answer, its text included; where JSON was asked for, checked to be one JSON
    /// value and without the white space around it. Always the last event.
    Finished(Completion),
}

/// The answer to [`LanguageModel::stream`](crate::LanguageModel::stream).
///
/// Nothing is read from the provider but by polling: a reader that stops reading stops the
/// provider, up to the connection's own buffers. Dropping the stream cancels the call. After
/// [`StreamEvent::Finished`] or an error it yields `None`.
pub struct CompletionStream {
    events: Pin<Box<dyn Stream<Item = Result<StreamEvent, Error>> + Send>>,
    tally: Tally,
    ended: bool,
}

impl CompletionStream {
    /// A stream of these events. The request gives the estimate of what was used for as long
    /// as the provider hasn't told.
    ///
    /// Layers wrap the stream of an inner model with it, events unchanged.
    #[must_use]
    pub fn new(
        events: impl Stream<Item = Result<StreamEvent, Error>> + Send + 'static,
        request: &Request,
    ) -> Self {
        Self {
            events: Box::pin(events),
            tally: Tally::new(request),
            ended: false,
        }
    }

    /// A whole answer as a stream: it starts, says everything at once, and ends.
    #[must_use]
    pub fn whole(completion: Completion, request: &Request) -> Self {
        let started = StreamEvent::Started {
            request_id: completion.request_id.clone(),
            model: completion.model.clone(),
            usage: completion.usage,
            rate_limits: completion.rate_limits.clone(),
        };
        let text =
            (!completion.text.is_empty()).then(|| StreamEvent::Text(completion.text.clone()));
        let events = std::iter::once(started)
            .chain(text)
            .chain(std::iter::once(StreamEvent::Finished(completion)));
        Self::new(stream::iter(events.map(Ok)), request)
    }

    /// What the call has used up to the last event that was taken, and whether the provider
    /// said so at the end (`true`) or it is an upper estimate: what an abandoned stream is
    /// billed by.
    #[must_use]
    pub fn usage_so_far(&self) -> (Usage, bool) {
        self.tally.so_far()
    }

    /// Takes every event and gives the whole answer.
    ///
    /// # Errors
    ///
    /// The error that ended the stream.
    pub async fn completion(mut self) -> Result<Completion, Error> {
        while let Some(event) = self.next().await {
            if let StreamEvent::Finished(completion) = event? {
                return Ok(completion);
            }
        }
        // A source that ends without an end has broken the contract of its kind.
        Err(Error::new(crate::ErrorKind::Interrupted).with_usage(self.usage_so_far().0))
    }
}

impl Stream for CompletionStream {
    type Item = Result<StreamEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = ready!(self.events.as_mut().poll_next(cx));
        match &item {
            Some(item) => {
                self.tally.see(item);
                self.ended = matches!(item, Err(_) | Ok(StreamEvent::Finished(_)));
            }
            None => self.ended = true,
        }
        Poll::Ready(item)
    }
}

/// Takes a stream up to its first text, or to its end where there is none: what fails before
/// is the call's failure, so that the call can be made again or elsewhere. The stream that
/// comes back begins from its start.
pub(crate) async fn until_text(
    mut stream: CompletionStream,
    request: &Request,
) -> Result<CompletionStream, Error> {
    let mut seen = Vec::new();
    while let Some(event) = stream.next().await {
        let event = event?;
        let decides = matches!(event, StreamEvent::Text(_) | StreamEvent::Finished(_));
        match (&event, seen.last_mut()) {
            // Usage replaces usage: what is held back stays small, however much comes.
            (StreamEvent::Usage(_), Some(last @ StreamEvent::Usage(_))) => *last = event,
            _ => seen.push(event),
        }
        if decides {
            break;
        }
    }
    let seen = stream::iter(seen.into_iter().map(Ok));
    Ok(CompletionStream::new(seen.chain(stream), request))
}

impl fmt::Debug for CompletionStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompletionStream")
            .field("usage_so_far", &self.usage_so_far())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// What was used up to now, by what passed.
pub(crate) struct Tally {
    usage: Usage,
    exact: bool,
    chars: u64,
    max_tokens: u64,
}

impl Tally {
    /// Before the first event: the prompt, estimated.
    pub(crate) fn new(request: &Request) -> Self {
        Self {
            usage: Usage {
                input_tokens: estimate_tokens(request.prompt_chars()),
                estimated: true,
                ..Usage::default()
            },
            exact: false,
            chars: 0,
            max_tokens: u64::from(request.max_tokens()),
        }
    }

    fn see(&mut self, item: &Result<StreamEvent, Error>) {
        match item {
            Ok(StreamEvent::Started { usage, .. } | StreamEvent::Usage(usage)) => {
                self.usage = *usage;
            }
            Ok(StreamEvent::Text(text)) => {
                let chars = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
                self.chars = self.chars.saturating_add(chars);
            }
            Ok(StreamEvent::Finished(completion)) => self.end(completion.usage),
            Err(error) => {
                if let Some(usage) = error.usage() {
                    self.end(usage);
                }
            }
        }
    }

    fn end(&mut self, usage: Usage) {
        self.usage = usage;
        self.exact = !usage.estimated;
    }

    fn so_far(&self) -> (Usage, bool) {
        if self.exact {
            return (self.usage, true);
        }
        let said = estimate_tokens(self.chars).min(self.max_tokens);
        let usage = Usage {
            output_tokens: self.usage.output_tokens.max(said),
            estimated: true,
            ..self.usage
        };
        (usage, false)
    }
}

#[cfg(test)]
mod tests;
