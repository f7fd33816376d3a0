//! The level, changed while the process runs.

use std::sync::{Arc, Mutex, PoisonError};

use tracing::{Metadata, subscriber::Interest};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::reload;

use super::{LogsError, filter};

/// The level of the process's log. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Level {
    handle: reload::Handle<Lines, Registry>,
    words: Arc<Mutex<Words>>,
}

#[derive(Debug)]
struct Words {
    configured: String,
    current: String,
}

/// What becomes a line: events of these targets and levels. Spans are none.
#[derive(Debug)]
pub(super) struct Lines(Targets);

/// A filter for `level`, and what it is changed with.
pub(super) fn reloadable(
    level: &str,
) -> Result<(Level, reload::Layer<Lines, Registry>), LogsError> {
    let (layer, handle) = reload::Layer::new(Lines(filter(level)?));
    let words = Words {
        configured: level.to_owned(),
        current: level.to_owned(),
    };
    let words = Arc::new(Mutex::new(words));
    Ok((Level { handle, words }, layer))
}

impl Level {
    /// The level in force, in the words that it was set with.
    #[must_use]
    pub fn get(&self) -> String {
        self.words().current.clone()
    }

    /// From now on events are logged at `level`, in the words that [`super::init`] takes.
    ///
    /// # Errors
    /// [`LogsError::Level`] when it makes no sense, and [`LogsError::Ended`] when the log has
    /// ended; the level stays what it was.
    pub fn set(&self, level: &str) -> Result<(), LogsError> {
        let targets = filter(level)?;
        // Held over both, so that the words are always those of the filter.
        let mut words = self.words();
        self.handle
            .reload(Lines(targets))
            .map_err(|_| LogsError::Ended)?;
        words.current = level.to_owned();
        Ok(())
    }

    /// Goes back to the level that the process started with, and returns it.
    ///
    /// # Errors
    /// [`LogsError::Ended`] when the log has ended.
    pub fn reset(&self) -> Result<String, LogsError> {
        let configured = self.words().configured.clone();
        self.set(&configured)?;
        Ok(configured)
    }

    fn words(&self) -> std::sync::MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && self.0.would_enable(metadata.target(), metadata.level())
    }
}

impl<S> Filter<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.wants(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Filter::<S>::max_level_hint(&self.0)
    }
}
