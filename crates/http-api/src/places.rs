//! How many requests are worked on at once, and how much of memory their bodies take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::config::Limits;

/// The places that there are.
#[derive(Debug)]
pub(crate) struct Places {
    free: Arc<Free>,
    largest: usize,
}

#[derive(Debug)]
struct Free {
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

/// A request's place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    free: Arc<Free>,
    bytes: usize,
}

impl Places {
    /// As many as `limits` allow.
    pub(crate) fn new(limits: &Limits) -> Self {
        let bytes = limits.max_in_flight_bytes.max(limits.max_body_bytes);
        let free = Free {
            requests: AtomicUsize::new(limits.max_in_flight.get()),
            bytes: AtomicUsize::new(bytes),
        };
        Self {
            free: Arc::new(free),
            largest: limits.max_body_bytes,
        }
    }

    /// A place for a request with a body of so many bytes, if one is free. A body of unknown
    /// size is taken for the largest.
    pub(crate) fn take(&self, body: Option<u64>) -> Option<Place> {
        let announced = body.and_then(|bytes| usize::try_from(bytes).ok());
        let bytes = announced.unwrap_or(self.largest).min(self.largest);
        if !take(&self.free.requests, 1) {
            return None;
        }
        // From here on the place gives back what it has, also where it isn't whole.
        let mut place = Place {
            free: Arc::clone(&self.free),
            bytes: 0,
        };
        take(&self.free.bytes, bytes).then(|| {
            place.bytes = bytes;
            place
        })
    }
}

impl Place {
    /// The body is there, and is no larger than this: the rest is free for others.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let spare = self.bytes.saturating_sub(bytes);
        self.bytes -= spare;
        self.free.bytes.fetch_add(spare, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.free.bytes.fetch_add(self.bytes, Ordering::Relaxed);
        self.free.requests.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes so many if there are as many.
fn take(free: &AtomicUsize, wanted: usize) -> bool {
    free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| {
        free.checked_sub(wanted)
    })
    .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: usize = 1024;

    #[test]
    fn bytes_are_bounded_as_requests_are() {
        let limits = Limits {
            max_body_bytes: 4 * UNIT,
            max_in_flight_bytes: 10 * UNIT,
            ..Limits::default()
        };
        let places = Places::new(&limits);
        let exact = places.take(Some(2 * UNIT as u64)).unwrap();
        let mut unknown = places.take(None).unwrap();
        let large = places.take(Some(u64::MAX)).unwrap();
        assert!(places.take(Some(1)).is_none());
        unknown.shrink(4 * UNIT - 1);
        let one = places.take(Some(1)).unwrap();
        assert!(places.take(Some(1)).is_none());
        drop((exact, unknown, large, one));
        assert_eq!(places.free.bytes.load(Ordering::Relaxed), 10 * UNIT);
    }

    #[test]
    fn requests_are_bounded_whatever_their_size() {
        let limits = Limits {
            max_in_flight: std::num::NonZeroUsize::MIN,
            ..Limits::default()
        };
        let places = Places::new(&limits);
        let only = places.take(Some(0)).unwrap();
        assert!(places.take(Some(0)).is_none());
        drop(only);
        assert!(places.take(None).is_some());
    }
}
