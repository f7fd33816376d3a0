//! The response body: at once, or in steps with a time each, down to a cut connection.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::stats::InFlight;

/// Tells the connection that it is to end with a reset instead of a proper close.
#[derive(Debug, Default)]
pub(crate) struct Reset(AtomicBool);

impl Reset {
    pub(crate) fn ask(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn asked(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Something to do at a time counted from the body's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) after: Duration,
    pub(crate) act: Act,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Send(Bytes),
    /// Resets the connection.
    Cut,
}

impl Step {
    pub(crate) fn send(after: Duration, bytes: Bytes) -> Self {
        Self {
            after,
            act: Act::Send(bytes),
        }
    }

    pub(crate) fn cut(after: Duration) -> Self {
        Self {
            after,
            act: Act::Cut,
        }
    }
}

/// Joins what is sent at the same time, so that an unpaced stream is one write.
pub(crate) fn coalesce(steps: Vec<Step>) -> VecDeque<Step> {
    let mut joined = VecDeque::new();
    let mut steps = steps.into_iter().peekable();
    while let Some(step) = steps.next() {
        let Act::Send(first) = step.act else {
            joined.push_back(step);
            continue;
        };
        let same = |next: &Step| next.after == step.after && matches!(next.act, Act::Send(_));
        if !steps.peek().is_some_and(same) {
            joined.push_back(Step::send(step.after, first));
            continue;
        }
        let mut bytes = first.to_vec();
        while let Some(Step {
            act: Act::Send(more),
            ..
        }) = steps.next_if(same)
        {
            bytes.extend_from_slice(&more);
        }
        joined.push_back(Step::send(step.after, bytes.into()));
    }
    joined
}

/// A response's body.
#[derive(Debug)]
pub(crate) enum MockBody {
    Whole(Option<Bytes>),
    Paced(Box<Paced>),
}

/// Steps still to come. Dropped before the last one, it counts as cancelled by the client.
#[derive(Debug)]
pub(crate) struct Paced {
    steps: VecDeque<Step>,
    start: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
    in_flight: InFlight,
    reset: Arc<Reset>,
}

impl MockBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()))
    }

    pub(crate) fn paced(steps: Vec<Step>, in_flight: InFlight, reset: Arc<Reset>) -> Self {
        let steps = coalesce(steps);
        Self::Paced(Box::new(Paced {
            steps,
            start: None,
            sleep: None,
            in_flight,
            reset,
        }))
    }
}

impl Paced {
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(after) = self.steps.front().map(|step| step.after) else {
            self.in_flight.finish();
            return Poll::Ready(None);
        };
        let start = *self.start.get_or_insert_with(Instant::now);
        if !after.is_zero() {
            let due = start + after;
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
            ready!(sleep.as_mut().poll(cx));
            self.sleep = None;
        }
        match self.steps.pop_front().map(|step| step.act) {
            Some(Act::Send(bytes)) => {
                if self.steps.is_empty() {
                    self.in_flight.finish();
                }
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Some(Act::Cut) => {
                self.in_flight.finish();
                self.reset.ask();
                let error = io::Error::new(io::ErrorKind::ConnectionReset, "cut by the mock");
                Poll::Ready(Some(Err(error)))
            }
            None => Poll::Ready(None),
        }
    }
}

impl Body for MockBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Paced(paced) => paced.poll_step(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Paced(paced) => paced.steps.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Paced(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Counters;
    use http_body_util::BodyExt as _;

    #[tokio::test(start_paused = true)]
    async fn steps_come_at_their_time() {
        let counters = Arc::new(Counters::new(0));
        let at = Duration::from_millis;
        let steps = vec![
            Step::send(at(0), "a".into()),
            Step::send(at(250), "b".into()),
            Step::send(at(1_000), "c".into()),
            Step::cut(at(2_000)),
        ];
        let reset = Arc::new(Reset::default());
        let mut body = MockBody::paced(steps, InFlight::begin(&counters), Arc::clone(&reset));
        let begun = Instant::now();
        for (ms, wanted) in [(0, "a"), (250, "b"), (1_000, "c")] {
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(
                (frame.into_data().unwrap(), begun.elapsed()),
                (wanted.into(), at(ms))
            );
        }
        assert!(!reset.asked());
        let cut = body.frame().await.unwrap().unwrap_err();
        assert_eq!(
            (cut.kind(), begun.elapsed()),
            (io::ErrorKind::ConnectionReset, at(2_000))
        );
        assert!(reset.asked());
        drop(body);
        assert_eq!(
            counters.snapshot().cancelled_by_client,
            0,
            "the mock cut it itself"
        );
    }

    #[tokio::test]
    async fn a_body_dropped_half_way_was_cancelled() {
        let counters = Arc::new(Counters::new(0));
        let steps = vec![
            Step::send(Duration::ZERO, "a".into()),
            Step::send(Duration::from_secs(600), "b".into()),
        ];
        let mut body = MockBody::paced(steps, InFlight::begin(&counters), Arc::default());
        body.frame().await.unwrap().unwrap();
        assert_eq!(counters.snapshot().in_flight, 1);
        drop(body);
        let stats = counters.snapshot();
        assert_eq!((stats.in_flight, stats.cancelled_by_client), (0, 1));
    }

    #[test]
    fn what_is_sent_together_is_joined() {
        let at = Duration::from_millis;
        let send = |ms, text: &'static str| Step::send(at(ms), Bytes::from(text));
        let steps = vec![
            send(0, "a"),
            send(0, "b"),
            send(1, "c"),
            Step::cut(at(1)),
            send(1, "d"),
            send(2, "e"),
            send(2, "f"),
            send(2, "g"),
        ];
        let joined = coalesce(steps);
        let wanted = [
            send(0, "ab"),
            send(1, "c"),
            Step::cut(at(1)),
            send(1, "d"),
            send(2, "efg"),
        ];
        assert_eq!(joined, wanted);
    }
}
