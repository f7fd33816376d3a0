//! The monitor as a whole, over a site that changes by script.

mod crashes;
mod fetching;
mod leases;
mod manuals;
mod polls;
mod rig;
mod site;
mod visits;
