//! A streamed answer being read: bytes to events, within its limits of time and size.
//!
//! Nothing is read ahead: the body is polled only while the reader waits for an event, so
//! that a reader which stops stops the provider, by way of the connection's flow control.
//! Dropping it drops the body, which closes the exchange.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::StatusCode;
use http_body_util::BodyExt;
use tokio::time::Instant;

use crate::sse::{Decoder, Event, Frame};
use crate::telemetry::Call;
use crate::transport::{Answering, Limit, body_error};
use crate::{CompletionStream, Error, ErrorKind, Request, Stage, StreamEvent, Usage};

/// What a provider's events mean.
pub(crate) trait Assemble: Send + 'static {
    /// Takes one event and puts what it means into `out`. A
    /// [`Finished`](StreamEvent::Finished) is the last that is asked of it.
    fn take(&mut self, event: &Event, out: &mut VecDeque<StreamEvent>) -> Result<(), Error>;

    /// The body has ended properly, with no event that says so: is the answer whole?
    fn end(&mut self, out: &mut VecDeque<StreamEvent>) -> Result<(), Error>;

    /// What was used up to now.
    fn usage_so_far(&self) -> Usage;
}

/// What is needed besides the body to read it.
pub(crate) struct Incoming {
    pub(crate) status: StatusCode,
    pub(crate) request_id: Option<String>,
    pub(crate) body: Answering,
    pub(crate) limits: StreamLimits,
    pub(crate) max_bytes: usize,
}

/// The limits of time of a stream that is open.
pub(crate) struct StreamLimits {
    pub(crate) whole: Limit,
    pub(crate) first_event: Limit,
    pub(crate) idle: Duration,
}

/// Waits for the first event and gives the stream that begins with it.
pub(crate) async fn open(
    incoming: Incoming,
    assemble: impl Assemble,
    call: Call,
    request: &Request,
) -> Result<CompletionStream, Error> {
    let mut live = Live {
        body: incoming.body,
        decoder: Decoder::new(incoming.max_bytes),
        assemble,
        // One event at a time, usually.
        ready: VecDeque::with_capacity(1),
        limits: incoming.limits,
        started: false,
        status: incoming.status,
        request_id: incoming.request_id,
        call: Some(call),
    };
    live.fill().await?;
    Ok(CompletionStream::new(live.events(), request))
}

struct Live<A: Assemble> {
    body: Answering,
    decoder: Decoder,
    assemble: A,
    ready: VecDeque<StreamEvent>,
    limits: StreamLimits,
    started: bool,
    status: StatusCode,
    request_id: Option<String>,
    /// `None` once the end has been counted.
    call: Option<Call>,
}

impl<A: Assemble> Live<A> {
    fn events(self) -> impl Stream<Item = Result<StreamEvent, Error>> + Send {
        stream::unfold(self, |mut live| async move {
            live.call.as_ref()?;
            Some((live.next().await, live))
        })
    }

    async fn next(&mut self) -> Result<StreamEvent, Error> {
        loop {
            self.fill().await?;
            if let Some(event) = self.ready.pop_front() {
                self.started = true;
                self.measure(&event);
                return Ok(event);
            }
        }
    }

    /// Waits until there is an event.
    async fn fill(&mut self) -> Result<(), Error> {
        while self.ready.is_empty() {
            if let Err(error) = self.pull().await {
                return Err(self.fail(error));
            }
        }
        Ok(())
    }

    /// Reads one frame.
    async fn pull(&mut self) -> Result<(), Error> {
        let next = if self.started {
            Limit::after(Instant::now(), self.limits.idle, Stage::Idle)
        } else {
            self.limits.first_event
        };
        let limit = self.limits.whole.or_earlier(next);
        let frame = limit.within(frame(&mut self.body, &mut self.decoder));
        match frame.await?? {
            Some(Frame::Event(event)) => self.assemble.take(&event, &mut self.ready),
            Some(Frame::Comment) => Ok(()),
            None => self.assemble.end(&mut self.ready),
        }
    }

    fn measure(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Text(_) => {
                if let Some(call) = &mut self.call {
                    call.chunk();
                }
            }
            StreamEvent::Finished(completion) => {
                if let Some(call) = self.call.take() {
                    call.finish(Ok(completion));
                }
            }
            _ => {}
        }
    }

    /// Completes an error by what is known of the call, and counts it.
    fn fail(&mut self, error: Error) -> Error {
        // A connection that broke before the first event is a call that may simply be made
        // again; after it, tokens are spent and text may be out.
        let error = match error.kind() {
            ErrorKind::Connection if self.started => error.with_kind(ErrorKind::Interrupted),
            _ => error,
        };
        let mut error = error.with_status(self.status);
        if error.request_id().is_none() {
            error = error.with_request_id(self.request_id.take());
        }
        if error.usage().is_none() && self.started {
            error = error.with_usage(self.assemble.usage_so_far());
        }
        if let Some(call) = self.call.take() {
            call.finish(Err(&error));
        }
        error
    }
}

impl<A: Assemble> Drop for Live<A> {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            call.cancel(self.started.then(|| self.assemble.usage_so_far()));
        }
    }
}

/// The next frame; `None` at the end of the body. Dropping it between polls loses nothing.
async fn frame(body: &mut Answering, decoder: &mut Decoder) -> Result<Option<Frame>, Error> {
    loop {
        let frame = decoder
            .next()
            .map_err(|too_long| Error::new(ErrorKind::InvalidResponse).with_source(too_long))?;
        if frame.is_some() {
            return Ok(frame);
        }
        match chunk(body).await? {
            Some(chunk) => decoder.feed(chunk),
            None => return Ok(None),
        }
    }
}

async fn chunk(body: &mut Answering) -> Result<Option<Bytes>, Error> {
    // A provider that never pauses must not keep the thread, nor the time-outs, from their turn.
    tokio::task::coop::consume_budget().await;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| body_error(Box::new(error)))?;
        // Trailers mean nothing here.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
