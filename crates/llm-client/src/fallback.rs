//! A second model for when the first one can't be had.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::stream::until_text;
use crate::telemetry;
use crate::{Completion, CompletionStream, Error, LanguageModel, Provider, Request};

/// A layer that asks a second model where the first one fails in a way that isn't the
/// request's own fault ([`ErrorKind::may_pass_elsewhere`](crate::ErrorKind::may_pass_elsewhere)).
///
/// A stream changes over only as long as none of its text has gone out. Who answered is in
/// the [`Completion`]. The second model gets what is left of the request's time; it should
/// have its own layers, retries included, inside.
pub struct Fallback {
    first: Arc<dyn LanguageModel>,
    second: Arc<dyn LanguageModel>,
    model: String,
    origin: String,
}

impl Fallback {
    /// Asks `first`, and `second` where that fails.
    #[must_use]
    pub fn new(first: Arc<dyn LanguageModel>, second: Arc<dyn LanguageModel>) -> Self {
        // A kept answer may be either's: a key made of these must differ from a key of one.
        let model = first.model().to_owned();
        let origin = format!(
            "{} | {} {}",
            first.origin(),
            second.model(),
            second.origin()
        );
        Self {
            first,
            second,
            model,
            origin,
        }
    }

    /// Whether the second model is worth asking after this failure of the first.
    fn turns_to_second(&self, request: &Request, error: &Error) -> bool {
        let in_time = request.deadline().is_none_or(|at| Instant::now() < at);
        let turns = in_time && error.kind().may_pass_elsewhere();
        if turns {
            telemetry::fell_back(self.provider(), self.model(), error.kind());
            tracing::info!(
                model = self.model(),
                second = self.second.model(),
                error = error.kind().as_str(),
                "the second model is asked"
            );
        }
        turns
    }
}

impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback")
            .field("first", &self.first)
            .field("second", &self.second)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl LanguageModel for Fallback {
    fn provider(&self) -> Provider {
        self.first.provider()
    }

    fn model(&self) -> &str {
        &self.model
    }

    /// Names both, because an answer may be either's.
    fn origin(&self) -> &str {
        &self.origin
    }

    async fn complete(&self, request: &Request) -> Result<Completion, Error> {
        match self.first.complete(request).await {
            Err(error) if self.turns_to_second(request, &error) => {
                self.second.complete(request).await
            }
            result => result,
        }
    }

    async fn stream(&self, request: &Request) -> Result<CompletionStream, Error> {
        let first = async { until_text(self.first.stream(request).await?, request).await };
        match first.await {
            Err(error) if self.turns_to_second(request, &error) => {
                self.second.stream(request).await
            }
            result => result,
        }
    }

    /// The first model's count: it is the one that is planned for.
    async fn count_tokens(&self, request: &Request) -> Result<Option<u64>, Error> {
        self.first.count_tokens(request).await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::test_util::{Outcome, ScriptedModel, Step};
    use crate::{ErrorKind, Stage};

    fn request() -> Request {
        Request::builder(10).user("hola").build().unwrap()
    }

    fn pair(first: Outcome) -> (ScriptedModel, Fallback) {
        let first = ScriptedModel::new("primero").otherwise(first);
        let second = ScriptedModel::new("segundo").otherwise(Outcome::pieces(&["del ", "segundo"]));
        let layer = Fallback::new(Arc::new(first), Arc::new(second.clone()));
        (second, layer)
    }

    #[tokio::test]
    async fn the_second_is_asked_only_where_it_may_help() {
        let stage = Stage::Deadline;
        for (kind, asked) in [
            (ErrorKind::Overloaded, true),
            (ErrorKind::CircuitOpen, true),
            (ErrorKind::SpendLimit, true),
            (ErrorKind::Authentication, true),
            (ErrorKind::Connect, true),
            (ErrorKind::InvalidRequest, false),
            (ErrorKind::Refused, false),
            (ErrorKind::InvalidOutput, false),
            (ErrorKind::Timeout { stage }, false),
        ] {
            let (second, layer) = pair(Outcome::fail(kind));
            let whole = layer.complete(&request()).await;
            assert_eq!(whole.is_ok(), asked, "{kind:?}");
            let stream = layer.stream(&request()).await;
            assert_eq!(stream.is_ok(), asked, "{kind:?}");
            assert_eq!(second.calls().started, if asked { 2 } else { 0 });
        }
    }

    #[tokio::test]
    async fn a_stream_changes_over_only_before_its_first_text() {
        let broken = |pieces: &[&str]| {
            let end = Step::Fail(Error::new(ErrorKind::Interrupted));
            Outcome::stream(pieces, end)
        };
        let (_, layer) = pair(broken(&[]));
        let stream = layer.stream(&request()).await.unwrap();
        assert_eq!(stream.completion().await.unwrap().text, "del segundo");
        let (second, layer) = pair(broken(&["ya"]));
        let stream = layer.stream(&request()).await.unwrap();
        let error = stream.completion().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        assert_eq!(second.calls().started, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn past_the_deadline_nobody_is_asked() {
        let (second, layer) = pair(Outcome::fail(ErrorKind::Upstream));
        let request = Request::builder(1)
            .user("hola")
            .deadline(Instant::now() + Duration::from_secs(1))
            .build()
            .unwrap();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(layer.complete(&request).await.is_err());
        assert_eq!(second.calls().started, 0);
    }

    #[test]
    fn its_origin_differs_from_either_ones() {
        let (second, layer) = pair(Outcome::Hang);
        assert_eq!(layer.model(), "primero");
        assert_ne!(layer.origin(), second.origin());
        assert!(layer.origin().contains("segundo"));
    }
}
