//! Work on bytes from outside, kept off the worker threads where it may take long.

use std::num::NonZeroUsize;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::problem::Problem;

/// Bodies up to this size are worked on where they arrive: reading and judging one takes a
/// few hundred microseconds. A larger one could hold a worker thread for milliseconds.
pub(crate) const INLINE_BYTES: usize = 24 * 1024;

/// What an XML tag weighs, in bytes: an invoice has one in 20, a body made to be slow one in 5.
const TAG_BYTES: usize = 16;

/// What a JSON object weighs, in bytes: `{}` is a line to be judged as any other.
const OBJECT_BYTES: usize = 192;

/// The work that a body makes, in bytes of an ordinary one.
pub(crate) fn effort(body: &[u8]) -> usize {
    if body.len() > INLINE_BYTES {
        return body.len();
    }
    let count = |sign: u8| body.iter().filter(|byte| **byte == sign).count();
    let tags = count(b'<') * TAG_BYTES;
    let objects = count(b'{') * OBJECT_BYTES;
    body.len().max(tags).max(objects)
}

/// A bounded share of the blocking pool.
#[derive(Debug, Clone)]
pub(crate) struct Offload {
    permits: Arc<Semaphore>,
}

impl Default for Offload {
    /// As many at once as there are cores: the work is computation, more would only take turns.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        Self {
            permits: Arc::new(Semaphore::new(cores)),
        }
    }
}

impl Offload {
    /// Runs `work` of so much [`effort`]: here if it is little, else on a blocking thread.
    ///
    /// The blocking thread keeps its permit until it is done, also when the caller has left.
    ///
    /// # Errors
    /// [`Problem::internal`], if the work panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        effort: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        if effort <= INLINE_BYTES {
            return Ok(work());
        }
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| Problem::internal())?;
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            span.in_scope(work)
        })
        .await
        .map_err(|_| Problem::internal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_empty_parts_weigh_more_than_their_bytes() {
        let line =
            r#"{"nombre":"Cemento 25 kg","cantidad":2,"precio_unitario":5000,"monto":10000},"#;
        assert!(effort(line.repeat(60).as_bytes()) <= INLINE_BYTES);
        assert!(effort("{},".repeat(5_000).as_bytes()) > INLINE_BYTES);
        assert!(effort("<Detalle/>".repeat(2_200).as_bytes()) > INLINE_BYTES);
    }

    #[tokio::test]
    async fn small_work_stays_and_large_work_goes() {
        let here = std::thread::current().id();
        let offload = Offload::default();
        let small = offload
            .run(10, || std::thread::current().id())
            .await
            .unwrap();
        let large = offload
            .run(INLINE_BYTES + 1, || std::thread::current().id())
            .await
            .unwrap();
        assert_eq!(small, here);
        assert_ne!(large, here);
    }

    #[tokio::test]
    async fn a_panic_on_the_other_thread_is_a_problem_and_frees_its_place() {
        let offload = Offload {
            permits: Arc::new(Semaphore::new(1)),
        };
        let panicked: Result<(), _> = offload.run(usize::MAX, || panic!("on purpose")).await;
        assert_eq!(panicked.unwrap_err().status(), 500);
        assert_eq!(offload.run(usize::MAX, || 7).await.unwrap(), 7);
    }
}
