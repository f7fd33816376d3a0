//! A scripted call being played.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::{Outcome, Step};
use crate::{Completion, Error, ErrorKind, Request, Stage, StreamEvent};

/// A call's steps, one by one, within the request's deadline.
pub(super) struct Play {
    steps: VecDeque<Step>,
    deadline: Option<Instant>,
    started: Instant,
}

impl Play {
    pub(super) fn new(outcome: Outcome, latency: Duration, request: &Request) -> Self {
        let mut deadline = request.deadline();
        let mut steps = VecDeque::new();
        if !latency.is_zero() {
            steps.push_back(Step::Wait(latency));
        }
        match outcome {
            Outcome::Complete(completion) => steps.extend(whole(completion)),
            Outcome::Fail(error) => steps.push_back(Step::Fail(error)),
            Outcome::Stream(scripted) => steps.extend(scripted),
            Outcome::Hang => steps.push_back(Step::Hang),
            Outcome::HangPastDeadline => {
                deadline = None;
                steps.push_back(Step::Hang);
            }
        }
        Self {
            steps,
            deadline,
            started: Instant::now(),
        }
    }

    /// The end of all steps.
    pub(super) async fn whole(&mut self) -> Result<Completion, Error> {
        loop {
            if let StreamEvent::Finished(completion) = self.next().await? {
                return Ok(completion);
            }
        }
    }

    /// The next event, or the error that ends it.
    pub(super) async fn next(&mut self) -> Result<StreamEvent, Error> {
        let deadline = self.deadline;
        let step = self.step();
        match deadline {
            Some(deadline) => timeout_at(deadline, step).await.unwrap_or_else(|_| {
                let stage = Stage::Deadline;
                Err(Error::new(ErrorKind::Timeout { stage }))
            }),
            None => step.await,
        }
    }

    async fn step(&mut self) -> Result<StreamEvent, Error> {
        loop {
            match self.steps.pop_front() {
                Some(Step::Event(StreamEvent::Finished(mut completion))) => {
                    completion.elapsed = self.started.elapsed();
                    return Ok(StreamEvent::Finished(completion));
                }
                Some(Step::Event(event)) => return Ok(event),
                Some(Step::Fail(error)) => return Err(error),
                Some(Step::Wait(time)) => sleep(time).await,
                Some(Step::Hang) => std::future::pending().await,
                None => return Err(Error::new(ErrorKind::Interrupted)),
            }
        }
    }
}

/// The steps of an answer that comes at once.
fn whole(completion: Completion) -> Vec<Step> {
    let text = completion.text.clone();
    let mut steps = vec![Step::Event(StreamEvent::Started {
        request_id: completion.request_id.clone(),
        model: completion.model.clone(),
        usage: completion.usage,
        rate_limits: completion.rate_limits.clone(),
    })];
    if !text.is_empty() {
        steps.push(Step::Event(StreamEvent::Text(text)));
    }
    steps.push(Step::Event(StreamEvent::Finished(completion)));
    steps
}
