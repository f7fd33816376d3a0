//! A metered stream: passes events on, and settles when it ends, breaks off or is dropped.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::stream::{Stream, StreamExt};

use super::charge::Charge;
use crate::{CompletionStream, Error, StreamEvent};

/// The inner stream with what is to be settled at its end.
pub(super) struct MeteredStream {
    inner: CompletionStream,
    charge: Option<Charge>,
}

impl MeteredStream {
    pub(super) fn new(inner: CompletionStream, charge: Charge) -> Self {
        Self {
            inner,
            charge: Some(charge),
        }
    }

    /// Settles by what has come up to now; the second time it does nothing.
    fn settle(&mut self) {
        if let Some(charge) = self.charge.take() {
            let (usage, _) = self.inner.usage_so_far();
            charge.settle(usage);
        }
    }
}

impl Stream for MeteredStream {
    type Item = Result<StreamEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.inner.poll_next_unpin(cx));
        match &item {
            // The stream has seen the event, so that its tally holds the figures of the end.
            None | Some(Err(_) | Ok(StreamEvent::Finished(_))) => self.settle(),
            Some(Ok(_)) => {}
        }
        Poll::Ready(item)
    }
}

impl Drop for MeteredStream {
    fn drop(&mut self) {
        self.settle();
    }
}
