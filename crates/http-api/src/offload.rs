//! Work on bytes from outside, kept off the worker threads where it may take long.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

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

/// A bounded share of the blocking pool. Who waits for it is in a line of its own: a thread that is
/// done takes the next itself, however late the runtime is.
#[derive(Debug, Clone)]
pub(crate) struct Offload {
    line: Arc<Line>,
}

/// Work, and the telling of what came of it.
type Job = Box<dyn FnOnce() + Send>;

struct Line {
    /// As many threads at once as there are cores: the work is computation, more would only take
    /// turns.
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    threads: usize,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

/// Nothing that could panic runs while one of these is held.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Takes a place at the end; says whether another thread is to serve the line.
    fn join(&self, job: Job) -> bool {
        let mut state = self.state();
        state.waiting.push_back(job);
        let more = state.threads < self.most;
        state.threads += usize::from(more);
        more
    }

    /// Serves the line to its end.
    fn serve(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        let job = state.waiting.pop_front();
        state.threads -= usize::from(job.is_none());
        job
    }
}

impl Default for Offload {
    fn default() -> Self {
        let line = Line {
            most: std::thread::available_parallelism().map_or(2, NonZeroUsize::get),
            state: Mutex::default(),
        };
        Self {
            line: Arc::new(line),
        }
    }
}

impl Offload {
    /// Work that waits for its turn.
    pub(crate) fn waiting(&self) -> usize {
        self.line.state().waiting.len()
    }

    /// Runs `work` of so much [`effort`]: here if it is little, else on a blocking thread.
    ///
    /// Work that has begun ends, also when the caller has left; the rest is let be then.
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
        let (tell, told) = oneshot::channel();
        let span = tracing::Span::current();
        // Who leaves takes the work along, and what it holds in memory.
        let wanted = Arc::new(Mutex::new(Some(work)));
        let work = Arc::downgrade(&wanted);
        let job = move || {
            let work = work.upgrade().and_then(|work| locked(&work).take());
            let Some(work) = work else { return };
            let done = catch_unwind(AssertUnwindSafe(|| span.in_scope(work)));
            if let Ok(done) = done {
                let _ = tell.send(done);
            }
        };
        if self.line.join(Box::new(job)) {
            let line = Arc::clone(&self.line);
            tokio::task::spawn_blocking(move || line.serve());
        }
        let done = told.await;
        drop(wanted);
        done.map_err(|_| Problem::internal())
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

    /// One thread.
    fn narrow() -> Offload {
        let line = Line {
            most: 1,
            state: Mutex::default(),
        };
        Offload {
            line: Arc::new(line),
        }
    }

    #[tokio::test]
    async fn a_panic_on_the_other_thread_is_a_problem_and_frees_its_place() {
        let offload = narrow();
        let panicked: Result<(), _> = offload.run(usize::MAX, || panic!("on purpose")).await;
        assert_eq!(panicked.unwrap_err().status(), 500);
        assert_eq!(offload.run(usize::MAX, || 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_line_is_served_in_order_while_the_runtime_does_something_else() {
        let offload = narrow();
        let (begin, begun) = std::sync::mpsc::channel();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let first = offload.run(usize::MAX, move || {
            begin.send(()).unwrap();
            gone.recv()
        });
        let (did, done) = std::sync::mpsc::channel();
        let rest = (0..3).map(|number| {
            let did = did.clone();
            offload.run(usize::MAX, move || did.send(number))
        });
        let mut rest = Box::pin(futures_util::future::join_all(rest));
        let mut first = Box::pin(first);
        assert!(futures_util::poll!(&mut first).is_pending());
        assert!(futures_util::poll!(&mut rest).is_pending());
        begun.recv().unwrap();
        assert_eq!(offload.waiting(), 3);
        go.send(()).unwrap();
        // This thread is the runtime's only one.
        let order: Vec<i32> = (0..3).map(|_| done.recv().unwrap()).collect();
        assert_eq!(order, [0, 1, 2]);
        first.await.unwrap().unwrap();
        rest.await;
        assert_eq!(offload.waiting(), 0);
    }

    #[tokio::test]
    async fn who_leaves_takes_the_work_along() {
        let offload = narrow();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let mut first = Box::pin(offload.run(usize::MAX, move || gone.recv()));
        assert!(futures_util::poll!(&mut first).is_pending());
        let held = Arc::new(());
        let holds = Arc::clone(&held);
        let mut left = Box::pin(offload.run(usize::MAX, move || drop(holds)));
        assert!(futures_util::poll!(&mut left).is_pending());
        drop(left);
        assert_eq!(Arc::strong_count(&held), 1);
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
    }
}
