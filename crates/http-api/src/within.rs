//! A time limit that costs nothing where there is nothing to wait for.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::poll;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// As tokio's `timeout`, but a timer is made only for what isn't ready at once: a body that came
/// with its head, an answer from memory. What is pinned already isn't carried twice: an argument
/// of its own would lie in this future and in its own place within it.
pub(crate) async fn within<F: Future>(
    limit: Duration,
    mut work: Pin<&mut F>,
) -> Result<F::Output, Elapsed> {
    match poll!(work.as_mut()) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => timeout(limit, work).await,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_comes_at_once_and_what_never_is_ends() {
        assert_eq!(within(Duration::ZERO, pin!(ready(7))).await.unwrap(), 7);
        let later = async {
            tokio::task::yield_now().await;
            8
        };
        assert_eq!(
            within(Duration::from_secs(1), pin!(later)).await.unwrap(),
            8
        );
        assert!(
            within(Duration::from_secs(60), pin!(pending::<()>()))
                .await
                .is_err()
        );
    }
}
