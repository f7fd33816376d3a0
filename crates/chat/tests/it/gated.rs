//! Models that no script can stand for.

use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::stream;
use llm_client::test_util::completion;
use llm_client::{
    Completion, CompletionStream, Error, ErrorKind, LanguageModel, Provider, Request, StreamEvent,
};
use tokio::sync::mpsc;

/// Says what a test lets it say, when the test does. It answers one call.
#[derive(Debug)]
pub(crate) struct Gated(Mutex<Option<mpsc::UnboundedReceiver<StreamEvent>>>);

impl Gated {
    pub(crate) fn new() -> (Self, mpsc::UnboundedSender<StreamEvent>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(Mutex::new(Some(receiver))), sender)
    }
}

#[async_trait]
impl LanguageModel for Gated {
    fn provider(&self) -> Provider {
        Provider::Scripted
    }

    fn model(&self) -> &str {
        "gated"
    }

    fn origin(&self) -> &str {
        "test"
    }

    async fn complete(&self, _: &Request) -> Result<Completion, Error> {
        Err(Error::new(ErrorKind::InvalidRequest))
    }

    async fn stream(&self, request: &Request) -> Result<CompletionStream, Error> {
        let receiver = self.0.lock().unwrap().take();
        let receiver = receiver.ok_or_else(|| Error::new(ErrorKind::InvalidRequest))?;
        let events = stream::unfold(receiver, |mut receiver| async {
            Some((Ok(receiver.recv().await?), receiver))
        });
        Ok(CompletionStream::new(events, request))
    }
}

/// Does what whatever it reads tells it to do.
#[derive(Debug)]
pub(crate) struct Obedient {
    pub(crate) obey: fn(&Request, usize) -> String,
    pub(crate) way: usize,
    pub(crate) asked: std::sync::Arc<Mutex<Vec<Request>>>,
}

#[async_trait]
impl LanguageModel for Obedient {
    fn provider(&self) -> Provider {
        Provider::Scripted
    }

    fn model(&self) -> &str {
        "obedient"
    }

    fn origin(&self) -> &str {
        "test"
    }

    async fn complete(&self, request: &Request) -> Result<Completion, Error> {
        self.asked.lock().unwrap().push(request.clone());
        Ok(completion((self.obey)(request, self.way)))
    }
}
