//! A stream as server-sent events: what there is at once, a ping where there is long nothing.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ::chat::{Event, EventBody, Reader};
use bytes::Bytes;
use futures_util::Stream as _;
use hyper::body::{Body, Frame};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};

use super::answer::Metadata;

/// Silence after which a comment keeps the connection alive.
const PING_EVERY: Duration = Duration::from_secs(15);

/// A reader that is behind gets up to about so many bytes at a time.
const BATCH_BYTES: usize = 8 * 1024;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Wire<'a> {
    Text { content: &'a str },
    Done { metadata: Metadata<'a> },
    Error { content: &'a str, code: &'a str },
}

/// The body of a stream. It holds nothing but its place in the stream: a client that reads
/// slowly costs what its connection does.
pub(crate) struct EventStream {
    reader: Reader,
    silence: Pin<Box<Sleep>>,
    over: bool,
    _place: OwnedSemaphorePermit,
}

impl EventStream {
    /// The events of `reader`, in a place of its own.
    pub(super) fn new(reader: Reader, place: OwnedSemaphorePermit) -> Self {
        Self {
            reader,
            silence: Box::pin(sleep(PING_EVERY)),
            over: false,
            _place: place,
        }
    }

    fn send(&mut self, bytes: Bytes) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.silence.as_mut().reset(Instant::now() + PING_EVERY);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

impl Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut batch = Vec::new();
        while !self.over && batch.len() < BATCH_BYTES {
            match Pin::new(&mut self.reader).poll_next(cx) {
                Poll::Ready(Some(event)) => encode(&mut batch, &event),
                Poll::Ready(None) => self.over = true,
                Poll::Pending => break,
            }
        }
        if !batch.is_empty() {
            return self.send(Bytes::from(batch));
        }
        if self.over {
            return Poll::Ready(None);
        }
        if self.silence.as_mut().poll(cx).is_ready() {
            return self.send(Bytes::from_static(b": ping\n\n"));
        }
        Poll::Pending
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

/// One event: its data, and the name by which it can be resumed.
fn encode(batch: &mut Vec<u8>, event: &Event) {
    let wire = match &event.body {
        EventBody::Text(content) => Wire::Text { content },
        EventBody::Done(answer) => Wire::Done {
            metadata: Metadata::of(answer),
        },
        EventBody::Failed(failure) => Wire::Error {
            content: failure.message(),
            code: failure.code(),
        },
    };
    batch.extend_from_slice(b"data: ");
    // JSON has no line break in it: one line is one event. Texts and numbers can't fail.
    if serde_json::to_writer(&mut *batch, &wire).is_err() {
        batch.extend_from_slice(b"{}");
    }
    batch.extend_from_slice(format!("\nid: {}\n\n", event.id).as_bytes());
}

#[cfg(test)]
mod tests;
