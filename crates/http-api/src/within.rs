//! A time limit that costs nothing where there is nothing to wait for.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::poll;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// As tokio's `timeout`, but a timer is made only for what isn't ready at once: a body that came
/// with its head, an answer from memory.
pub(crate) async fn within<F: Future>(limit: Duration, work: F) -> Result<F::Output, Elapsed> {
    let mut work = pin!(work);
    match poll!(work.as_mut()) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => timeout(limit, work).await,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_comes_at_once_and_what_never_is_ends() {
        assert_eq!(within(Duration::ZERO, ready(7)).await.unwrap(), 7);
        let later = async {
            tokio::task::yield_now().await;
            8
        };
        assert_eq!(within(Duration::from_secs(1), later).await.unwrap(), 8);
        assert!(
            within(Duration::from_secs(60), pending::<()>())
                .await
                .is_err()
        );
    }
}
