//! The monitor as a whole, over a site that changes by script.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stop the test"
)]

mod crashes;
mod fetching;
mod leases;
mod manuals;
mod memory;
mod polls;
mod rig;
mod rules;
mod site;
mod visits;
