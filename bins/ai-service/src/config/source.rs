//! Where the configuration comes from, so that it can be read again.

use std::path::PathBuf;

use super::settings::SettingsError;
use super::{Environment, Settings};

/// The file and the environment that the process was started with.
pub(crate) struct Source {
    pub(crate) path: Option<PathBuf>,
    pub(crate) environment: Environment,
}

impl Source {
    /// Reads it now. Blocks.
    pub(crate) fn load(&self) -> Result<Settings, SettingsError> {
        Settings::load(self.path.as_deref(), &self.environment)
    }
}
