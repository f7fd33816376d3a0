//! The clock of hyper's wait for a request's head, one timer a connection.
//!
//! hyper asks for a new timer at each request and drops it when the head is there. To put a timer
//! into tokio's wheel and to take it out again costs a kept answer more than to find its verdict; to
//! move one that is there to a later time is a store.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use tokio::time::sleep_until;

/// The timer of one connection.
#[derive(Default)]
pub(crate) struct HeadTimer {
    spare: Arc<Spare>,
}

/// The timer while nothing waits for it.
type Spare = Mutex<Option<Pin<Box<tokio::time::Sleep>>>>;

/// A wait for a head. Dropped, it leaves its timer to the next one.
struct Waiting {
    /// There until it is dropped.
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
    spare: Arc<Spare>,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let known = lock(&self.spare).take();
        let timer = match known {
            Some(mut timer) => {
                timer.as_mut().reset(deadline.into());
                timer
            }
            None => Box::pin(sleep_until(deadline.into())),
        };
        Box::pin(Waiting {
            timer: Some(timer),
            spare: Arc::clone(&self.spare),
        })
    }

    // With tokio's clock, which tests stop.
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }
}

impl Future for Waiting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.timer {
            Some(timer) => timer.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }
}

impl Sleep for Waiting {}

impl Drop for Waiting {
    fn drop(&mut self) {
        let timer = self.timer.take();
        *lock(&self.spare) = timer;
    }
}

/// Nothing that could panic runs while it is held.
fn lock(spare: &Spare) -> MutexGuard<'_, Option<Pin<Box<tokio::time::Sleep>>>> {
    spare.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant as Clock;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_wait_ends_at_its_own_time_and_all_have_one_timer() {
        let (timer, begun) = (HeadTimer::default(), Clock::now());
        let second = Duration::from_secs(1);
        let mut first = timer.sleep_until(timer.now() + second);
        assert!(futures_util::poll!(&mut first).is_pending());
        assert!(timer.spare.lock().unwrap().is_none());
        drop(first);
        let address = || {
            let spare = timer.spare.lock().unwrap();
            spare.as_ref().map(|timer| std::ptr::from_ref(&**timer))
        };
        let known = address();
        assert!(known.is_some());
        // Later than it was, then earlier: neither is heard at the other's time.
        timer.sleep(3 * second).await;
        assert_eq!(begun.elapsed(), 3 * second);
        timer.sleep(second).await;
        assert_eq!(begun.elapsed(), 4 * second);
        assert_eq!(address(), known);
        let (left, right) = (timer.sleep(second), timer.sleep(2 * second));
        left.await;
        right.await;
        assert_eq!(begun.elapsed(), 6 * second);
    }
}
