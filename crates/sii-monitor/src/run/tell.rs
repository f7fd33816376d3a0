//! From the outbox to the knowledge base and the channels.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::timeout;
use uuid::Uuid;

use super::Monitor;
use super::lease::{Turn, under};
use crate::archive::ArchiveError;
use crate::item::Item;
use crate::sink::SinkError;

const LEASE: &str = "sii:tell:lease";

/// How long the sink may take for one item.
const SINK_LIMIT: Duration = Duration::from_secs(30);

impl Monitor {
    /// Hands on what waits, if no other replica does so now; says how many notices were taken.
    /// The channels are told whether or not the sink can take an item.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub fn tell_waiting(&self) -> BoxFuture<'_, Result<usize, ArchiveError>> {
        // Boxed in this crate, as a run is, to be compiled once.
        Box::pin(self.tell_alone())
    }

    async fn tell_alone(&self) -> Result<usize, ArchiveError> {
        let owner = Uuid::now_v7().to_string();
        let store = self.archive().store();
        let work = Box::pin(self.unless_stopped(self.tell()));
        match under(store.as_ref(), LEASE, &owner, self.config.lease, work).await? {
            Turn::Done(Some(told)) => told,
            Turn::Done(None) | Turn::Held(_) | Turn::Lost => Ok(0),
        }
    }

    async fn tell(&self) -> Result<usize, ArchiveError> {
        let waiting = self.archive().outbox().await?;
        for item in &waiting {
            self.deliveries.offer(&[item.notice()], self.now()).await?;
        }
        for item in &waiting {
            if self.is_taken(item).await {
                self.archive().settle(&item.id).await?;
            }
        }
        let round = self.deliveries.tell(self.now()).await;
        Ok(round.channels.values().map(|told| told.sent).sum())
    }

    /// Whether an item needs no more of the sink.
    async fn is_taken(&self, item: &Item) -> bool {
        let Some(sink) = &self.sink else {
            return true;
        };
        let outcome = timeout(SINK_LIMIT, sink.accept(item)).await;
        let (taken, result) = match outcome {
            Ok(Ok(())) => (true, "accepted"),
            Ok(Err(SinkError::Refused)) => (true, "refused"),
            Ok(Err(SinkError::Unavailable)) => (false, "unavailable"),
            Err(_) => (false, "timeout"),
        };
        metrics::counter!("sii_monitor_sink_total", "result" => result).increment(1);
        if result != "accepted" {
            tracing::warn!(
                item = item.id,
                result,
                "an item isn't in the knowledge base"
            );
        }
        taken
    }
}
