//! In turns: a few requests begin to compute, then all that wait for nothing any more go on, then a
//! few more begin.
//!
//! A runtime takes its tasks in the order in which they became ready. What asks Redis and a model is
//! ready some ten times until it is answered, and would each time stand behind everybody who came
//! meanwhile: when many come, each of its steps takes as long as a whole answer from memory. So what
//! computes has to have a turn before it begins, and there are only so many until the runtime has
//! been once around. Whatever has begun waits behind these few at most.
//!
//! An answer from memory needs no turn: it is quicker than the giving of one.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

/// Turns a core for each time around. One is some 0.1 ms.
const TURNS: usize = 8;

/// Gives the turns.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    state: Arc<Mutex<State>>,
    most: usize,
}

#[derive(Debug, Default)]
struct State {
    /// Turns given since the last time around.
    given: usize,
    /// Whether somebody goes around.
    round: bool,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    begin: oneshot::Sender<()>,
}

impl Default for Turns {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::new(TURNS * cores)
    }
}

impl Turns {
    fn new(most: usize) -> Self {
        Self {
            state: Arc::default(),
            most,
        }
    }

    /// Returns when it is this request's turn. At once where few begin.
    pub(crate) async fn begin(&self) {
        let turn = {
            let mut state = self.state();
            if state.given < self.most && state.waiting.is_empty() {
                state.given += 1;
                if std::mem::replace(&mut state.round, true) {
                    return;
                }
                None
            } else {
                let (begin, turn) = oneshot::channel();
                let since = Instant::now();
                state.waiting.push_back(Waiting { since, begin });
                Some(turn)
            }
        };
        match turn {
            // Nobody can take it back: the sender is in line until it has been used.
            Some(turn) => drop(turn.await),
            None => {
                tokio::spawn(self.clone().go_around());
            }
        }
    }

    /// How many are in line.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// How long the first in line has waited.
    pub(crate) fn waited(&self) -> Duration {
        let state = self.state();
        state
            .waiting
            .front()
            .map_or(Duration::ZERO, |first| first.since.elapsed())
    }

    /// Goes around for as long as anybody begins.
    async fn go_around(self) {
        loop {
            last_in_line().await;
            if !self.next() {
                return;
            }
        }
    }

    /// Gives the next turns; whether there is to be another time around.
    fn next(&self) -> bool {
        let mut state = self.state();
        let busy = std::mem::take(&mut state.given) > 0;
        while state.given < self.most
            && let Some(waiting) = state.waiting.pop_front()
        {
            // Who has left needs none.
            state.given += usize::from(waiting.begin.send(()).is_ok());
        }
        state.round = busy || state.given > 0;
        state.round
    }

    /// Nothing that could panic runs while it is held.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes on when every task that is ready now has been.
async fn last_in_line() {
    let mut been = false;
    poll_fn(|context| {
        if std::mem::replace(&mut been, true) {
            return Poll::Ready(());
        }
        // A task that wakes itself goes to the end of its worker's line.
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn who_has_begun_waits_behind_few_however_many_come() {
        const STEPS: usize = 20;
        let (turns, begun) = (Turns::new(3), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&begun);
        let steps = tokio::spawn(async move {
            let mut before = Vec::new();
            for _ in 0..STEPS {
                last_in_line().await;
                before.push(count.load(Ordering::Relaxed));
            }
            before
        });
        for _ in 0..1_000 {
            let (turns, begun) = (turns.clone(), Arc::clone(&begun));
            tokio::spawn(async move {
                turns.begin().await;
                begun.fetch_add(1, Ordering::Relaxed);
            });
        }
        let before = steps.await.unwrap();
        let most = before.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(most <= Some(6), "{before:?}");
        assert!(before.last() > Some(&STEPS), "{before:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn everybody_has_a_turn() {
        let turns = Turns::new(2);
        for _ in 0..20 {
            let mut all = tokio::task::JoinSet::new();
            for _ in 0..500 {
                let turns = turns.clone();
                all.spawn(async move { turns.begin().await });
            }
            assert_eq!(all.join_all().await.len(), 500);
        }
        assert_eq!(turns.waited(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_takes_no_turn_and_the_oldest_wait_is_known() {
        let turns = Turns::new(1);
        // As if somebody went around; here it is the test.
        turns.state().round = true;
        turns.begin().await;
        let mut second = Box::pin(turns.begin());
        let mut third = Box::pin(turns.begin());
        assert!(futures_util::poll!(&mut second).is_pending());
        assert!(futures_util::poll!(&mut third).is_pending());
        tokio::time::advance(Duration::from_millis(5)).await;
        assert_eq!(turns.waited(), Duration::from_millis(5));
        assert_eq!(turns.waiting(), 2);
        drop(second);
        assert!(futures_util::poll!(&mut third).is_pending());
        assert!(turns.next());
        assert!(futures_util::poll!(&mut third).is_ready());
        assert_eq!(turns.waited(), Duration::ZERO);
        // It ends where nobody begins, and begins anew.
        assert!(turns.next() && !turns.next());
        for _ in 0..2 {
            turns.begin().await;
        }
    }

    #[tokio::test]
    async fn nobody_goes_around_for_nothing() {
        let turns = Turns::new(2);
        for _ in 0..5 {
            turns.begin().await;
            assert!(turns.state().round);
            for _ in 0..3 {
                last_in_line().await;
            }
            assert!(!turns.state().round);
        }
    }
}
