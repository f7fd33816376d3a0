//! How many requests are worked on at once, and how much of memory their bodies take.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// What bodies are counted in: a permit of a semaphore is one of these.
const UNIT: usize = 1024;

/// The places that there are.
#[derive(Debug)]
pub(crate) struct Places {
    requests: Arc<Semaphore>,
    units: Arc<Semaphore>,
    largest: usize,
}

/// A request's place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _request: OwnedSemaphorePermit,
    units: OwnedSemaphorePermit,
}

impl Places {
    /// As many as `limits` allow.
    pub(crate) fn new(limits: &Limits) -> Self {
        let units = units(limits.max_in_flight_bytes).max(units(limits.max_body_bytes));
        Self {
            requests: Arc::new(Semaphore::new(limits.max_in_flight.get())),
            units: Arc::new(Semaphore::new(units.min(Semaphore::MAX_PERMITS))),
            largest: limits.max_body_bytes,
        }
    }

    /// A place for a request with a body of so many bytes, if one is free. A body of unknown
    /// size is taken for the largest.
    pub(crate) fn take(&self, body: Option<u64>) -> Option<Place> {
        let request = Arc::clone(&self.requests).try_acquire_owned().ok()?;
        let announced = body.and_then(|bytes| usize::try_from(bytes).ok());
        let bytes = announced.unwrap_or(self.largest).min(self.largest);
        let units = u32::try_from(units(bytes)).ok()?;
        let units = Arc::clone(&self.units).try_acquire_many_owned(units).ok()?;
        Some(Place {
            _request: request,
            units,
        })
    }
}

impl Place {
    /// The body is there, and is no larger than this: the rest is free for others.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let spare = self.units.num_permits().saturating_sub(units(bytes));
        drop(self.units.split(spare));
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        unknown.shrink(3 * UNIT - 5);
        let one = places.take(Some(1)).unwrap();
        assert!(places.take(Some(1)).is_none());
        drop((exact, unknown, large, one));
        assert_eq!(places.units.available_permits(), 10);
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
