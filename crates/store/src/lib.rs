//! Shared state with lifetimes: values, counters, sets and leases.

mod api;
mod clock;
mod error;

pub use api::{Lease, MAX_KEY_BYTES, MAX_VALUE_BYTES, Store, StoreHealth, StoreKind, TimeLeft};
#[cfg(any(test, feature = "test-util"))]
pub use clock::ManualClock;
pub use clock::{Clock, SystemClock};
pub use error::{ErrorKind, Fault, StoreError};
