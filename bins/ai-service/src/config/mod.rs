//! Configuration: a TOML file, over it the environment, checked before a port is bound.

mod environment;
mod file;
mod keys;
mod limits;
mod money;
mod redis;
mod settings;
mod traces;

pub(crate) use environment::Environment;
pub(crate) use redis::SharedStore;
pub(crate) use settings::{Engine, Settings};

#[cfg(test)]
mod tests;
