//! JSON logs, one object a line, written by a thread of their own.

mod journal;
mod lines;

use std::io::Write;

use journal::{Journal, Writer};
use lines::Lines;
use thiserror::Error;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Keeps the writer alive. Dropping it writes what is queued, for at most a second.
#[derive(Debug)]
pub struct Logs {
    writer: Writer,
}

impl Logs {
    /// Lines that found the queue full and were dropped.
    #[must_use]
    pub fn dropped_lines(&self) -> u64 {
        self.writer.dropped()
    }
}

/// Why logging could not be set up. Trying again changes nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogsError {
    /// The level is neither one word nor a list of words by target.
    #[error("log level {0:?} is not understood")]
    Level(String),
    /// The thread that writes could not be started.
    #[error("the log writer's thread could not be started")]
    Thread(#[source] std::io::Error),
    /// This process has a subscriber already.
    #[error("a log subscriber is installed already")]
    Installed,
}

/// Sends every event at `level` or above to `out`, as JSON. `level` is one word (`info`) or
/// words by target (`info,http_api=debug`); words are taken in any case, and
/// Python's `WARNING` and `CRITICAL`, which older deployments set, read as `warn` and `error`.
///
/// # Errors
/// [`LogsError`], when the level makes no sense or logging is set up already.
pub fn init(level: &str, out: impl Write + Send + 'static) -> Result<Logs, LogsError> {
    let filter = filter(level)?;
    let (journal, writer) = Journal::start(out).map_err(LogsError::Thread)?;
    let layer = tracing_subscriber::fmt::layer()
        .event_format(Lines)
        .with_writer(journal);
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()
        .map_err(|_| LogsError::Installed)?;
    Ok(Logs { writer })
}

/// Whether [`init`] would take this level.
///
/// # Errors
/// [`LogsError::Level`], with the word that makes no sense.
pub fn check_level(level: &str) -> Result<(), LogsError> {
    filter(level).map(drop)
}

fn filter(level: &str) -> Result<Targets, LogsError> {
    let level = level.trim();
    let wrong = || LogsError::Level(level.to_owned());
    let word = match level.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" | "fatal" => "error".to_owned(),
        "trace" | "debug" | "info" | "warn" | "error" | "off" => level.to_ascii_lowercase(),
        // A bare word that is no level would be taken for a target that logs everything.
        _ if level.contains('=') => level.to_owned(),
        _ => return Err(wrong()),
    };
    word.parse().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn one_json_object_a_line_with_fields_at_the_top() {
        let out = Shared::default();
        let logs = init("info", out.clone()).unwrap();
        let missing: Option<&str> = None;
        tracing::info!(
            status = 200,
            small = -1,
            share = 0.5,
            nothing = f64::NAN,
            good = true,
            caller = "a \"b\"",
            error = %"line\nbreak",
            debugged = ?Some("x"),
            missing,
            "request"
        );
        tracing::debug!("not this one");
        assert_eq!(logs.dropped_lines(), 0);
        assert!(matches!(
            init("info", Vec::new()),
            Err(LogsError::Installed)
        ));
        drop(logs);
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let mut line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{text}");
        line["timestamp"].take();
        assert_eq!(
            line,
            serde_json::json!({
                "timestamp": null, "level": "INFO", "message": "request", "status": 200,
                "small": -1, "share": 0.5, "nothing": null, "good": true, "caller": "a \"b\"",
                "error": "line\nbreak", "debugged": "Some(\"x\")",
                "target": "observability::logs::tests",
            })
        );
    }

    #[test]
    fn levels_in_the_words_that_deployments_use() {
        for level in [
            "info",
            "INFO",
            "Warning",
            "CRITICAL",
            "off",
            "info,http_api=debug",
        ] {
            assert!(check_level(level).is_ok(), "{level}");
        }
        for level in ["", "loud", "http_api=loud"] {
            assert!(check_level(level).is_err(), "{level}");
        }
    }
}
