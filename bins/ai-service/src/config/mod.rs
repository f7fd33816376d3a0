//! Configuration: a TOML file, over it the environment, checked before a port is bound.

mod environment;
mod file;
mod keys;
mod limits;
mod settings;

pub(crate) use environment::Environment;
pub(crate) use settings::{Engine, Settings};

#[cfg(test)]
mod tests;
