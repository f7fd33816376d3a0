//! How often and how many at a time a host is asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// The most hosts whose pace is kept; one more, and those that nobody uses are forgotten.
const MAX_HOSTS: usize = 256;

/// Every host's pace.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    at_a_time: usize,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Debug, Clone)]
struct Host {
    places: Arc<Semaphore>,
    next: Arc<Mutex<Instant>>,
}

impl Pace {
    /// One request per `interval` to each host, and so many at a time.
    pub(super) fn new(interval: Duration, at_a_time: usize) -> Self {
        Self {
            interval,
            at_a_time: at_a_time.max(1),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a host's turn. `delay` is the host's own wish, where it has one. What is
    /// returned is held while the request is under way.
    pub(super) async fn turn(
        &self,
        host: &str,
        delay: Option<Duration>,
    ) -> Option<OwnedSemaphorePermit> {
        let host = self.host(host);
        // Never closed, so there is a place in the end.
        let place = Arc::clone(&host.places).acquire_owned().await.ok()?;
        let interval = delay.unwrap_or_default().max(self.interval);
        let at = {
            let mut next = host.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + interval;
            at
        };
        sleep_until(at).await;
        Some(place)
    }

    fn host(&self, name: &str) -> Host {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MAX_HOSTS {
            let now = Instant::now();
            hosts.retain(|_, host| {
                let next = *host.next.lock().unwrap_or_else(PoisonError::into_inner);
                next > now || host.places.available_permits() < self.at_a_time
            });
        }
        let new = || Host {
            places: Arc::new(Semaphore::new(self.at_a_time)),
            next: Arc::new(Mutex::new(Instant::now())),
        };
        hosts.entry(name.to_owned()).or_insert_with(new).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_a_second_per_host() {
        let pace = Pace::new(Duration::from_secs(1), 2);
        let begun = Instant::now();
        for _ in 0..4 {
            drop(pace.turn("a.cl", None).await);
        }
        assert_eq!(begun.elapsed().as_secs(), 3);
        // Another host has its own; one that wishes for more room gets it.
        drop(pace.turn("b.cl", Some(Duration::from_secs(10))).await);
        assert_eq!(begun.elapsed().as_secs(), 3);
        drop(pace.turn("b.cl", None).await);
        assert_eq!(begun.elapsed().as_secs(), 13);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_at_a_time_than_allowed() {
        let pace = Pace::new(Duration::ZERO, 2);
        let first = pace.turn("a.cl", None).await;
        let _second = pace.turn("a.cl", None).await;
        let waits = tokio::time::timeout(Duration::from_secs(5), pace.turn("a.cl", None)).await;
        assert!(waits.is_err());
        drop(first);
        assert!(pace.turn("a.cl", None).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_are_bounded() {
        let pace = Pace::new(Duration::ZERO, 1);
        for n in 0..MAX_HOSTS * 3 {
            drop(pace.turn(&format!("h{n}.cl"), None).await);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert!(pace.hosts.lock().unwrap().len() <= MAX_HOSTS);
    }
}
