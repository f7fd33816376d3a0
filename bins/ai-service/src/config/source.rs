//! Where the configuration comes from, so that it can be read again.

use std::path::PathBuf;

use toml::Table;

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

    /// Everything that is wrong, not only what was met first: one problem of each section of the
    /// file, as what is wrong in one may hide more of the same. Empty where all is well. Blocks.
    pub(crate) fn problems(&self) -> Vec<SettingsError> {
        let Err(first) = self.load() else {
            return Vec::new();
        };
        let mut found = vec![first];
        let path = self.path.as_ref();
        let text = path.and_then(|path| std::fs::read_to_string(path).ok());
        // What can't be read, or is no TOML at all, has one problem.
        let Some(mut table) = text.and_then(|text| text.parse::<Table>().ok()) else {
            return found;
        };
        let mut set_aside = Vec::new();
        // The section with the problem is set aside, and the rest looked at again.
        while let Some(section) = found.last().and_then(SettingsError::section) {
            set_aside.extend(with_dependents(section));
            table.retain(|name, _| !set_aside.contains(&name));
            match Settings::from_table(table.clone(), &self.environment) {
                // The environment's own, or for want of what was set aside.
                Err(next) if next.section().is_some_and(|next| set_aside.contains(&next)) => break,
                Err(next) => found.push(next),
                Ok(_) => break,
            }
        }
        found
    }
}

impl SettingsError {
    /// The section of the file that is wrong, or the key that stands by itself; `None` where the
    /// file as a whole is. A variable of the environment counts as a section of its own.
    fn section(&self) -> Option<&'static str> {
        match self {
            Self::Read { .. } | Self::Parse { .. } => None,
            Self::Value { key, .. } => key.split('.').next(),
            Self::Model(_) => Some("model"),
            Self::Cache(_) => Some("cache"),
            Self::Keys(_) => Some("auth"),
            Self::Tls(_) => Some("tls"),
        }
    }
}

/// A section, and what makes no sense without it.
fn with_dependents(section: &'static str) -> Vec<&'static str> {
    match section {
        // Without keys it would have to listen on loopback.
        "auth" => vec!["auth", "listen"],
        // The error of a model doesn't say of which one.
        "model" => vec!["model", "second_model"],
        section => vec![section],
    }
}
