//! Configuration: a TOML file, over it the environment, checked before a port is bound.

mod channels;
mod environment;
mod file;
mod keys;
mod limits;
mod model;
mod money;
mod redis;
mod security;
mod settings;
mod sii;
mod source;
mod traces;

pub(crate) use environment::Environment;
pub(crate) use redis::SharedStore;
pub(crate) use security::AdminSettings;
pub(crate) use settings::{Engine, Settings};
pub(crate) use sii::SiiSettings;
pub(crate) use source::Source;

#[cfg(test)]
mod tests;
