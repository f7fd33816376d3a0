//! JSON logs, one object a line, written by a thread of their own.

mod journal;
mod level;
mod lines;
mod mask;

use std::io::Write;

use journal::{Journal, Writer};
pub use level::Level;
use lines::Lines;
use thiserror::Error;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::traces::Traces;

/// Keeps the writer alive. Dropping it writes what is queued, for at most a second.
#[derive(Debug)]
pub struct Logs {
    writer: Writer,
    level: Level,
}

impl Logs {
    /// Lines that found the queue full and were dropped.
    #[must_use]
    pub fn dropped_lines(&self) -> u64 {
        self.writer.dropped()
    }

    /// What the level is changed with while the process runs. It may outlive this.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level.clone()
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
    /// The log whose level was to be changed is there no more.
    #[error("the log has ended")]
    Ended,
}

/// Sends every event at `level` or above to `out`, as JSON. `level` is one word (`info`) or
/// words by target (`info,http_api=debug`); words are taken in any case, and
/// Python's `WARNING` and `CRITICAL`, which older deployments set, read as `warn` and `error`.
///
/// With `traces`, spans go there, and each line says in which one it was written
/// (`trace_id`, `span_id`).
///
/// # Errors
/// [`LogsError`], when the level makes no sense or logging is set up already.
pub fn init(
    level: &str,
    out: impl Write + Send + 'static,
    traces: Option<&Traces>,
) -> Result<Logs, LogsError> {
    let (level, filter) = level::reloadable(level)?;
    let (journal, writer) = Journal::start(out).map_err(LogsError::Thread)?;
    let layer = Lines {
        traced: traces.is_some(),
        journal,
    };
    let logs = tracing_subscriber::registry().with(layer.with_filter(filter));
    // An optional layer would want every span even where there is none.
    let installed = match traces {
        Some(traces) => logs.with(traces.layer()).try_init(),
        None => logs.try_init(),
    };
    installed.map_err(|_| LogsError::Installed)?;
    Ok(Logs { writer, level })
}

/// Whether [`init`] would take this level.
///
/// # Errors
/// [`LogsError::Level`], with the word that makes no sense.
pub fn check_level(level: &str) -> Result<(), LogsError> {
    filter(level).map(drop)
}

/// The longest level, in bytes: one may come over the network while the process runs.
const MAX_LEVEL_BYTES: usize = 1024;

fn filter(level: &str) -> Result<Targets, LogsError> {
    let wrong = || LogsError::Level(level.chars().take(64).collect());
    if level.len() > MAX_LEVEL_BYTES {
        return Err(wrong());
    }
    let words: Option<Vec<String>> = level.split(',').map(|part| word(part.trim())).collect();
    words
        .and_then(|words| words.join(",").parse().ok())
        .ok_or_else(wrong)
}

/// A level, or `TARGET=LEVEL`, in the words that the filter takes.
fn word(part: &str) -> Option<String> {
    if let Some((target, level)) = part.split_once('=') {
        return Some(format!("{}={}", target.trim(), word(level.trim())?));
    }
    let lower = part.to_ascii_lowercase();
    match lower.as_str() {
        "warning" => Some("warn".to_owned()),
        "critical" | "fatal" => Some("error".to_owned()),
        "trace" | "debug" | "info" | "warn" | "error" | "off" => Some(lower),
        // A bare word that is no level would be taken for a target that logs everything.
        _ => None,
    }
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
        let logs = init("info", out.clone(), None).unwrap();
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
        assert!(
            tracing::error_span!("span").is_disabled(),
            "nobody wants spans"
        );
        assert_eq!(logs.dropped_lines(), 0);
        assert!(matches!(
            init("info", Vec::new(), None),
            Err(LogsError::Installed)
        ));
        let level = logs.level();
        let debugged = |number: u64| tracing::debug!(target: "elsewhere", number, "debugged");
        debugged(1);
        level.set("Warning,elsewhere=debug").unwrap();
        assert_eq!(level.get(), "Warning,elsewhere=debug");
        debugged(2);
        tracing::info!("not this one");
        assert!(matches!(level.set("loud"), Err(LogsError::Level(_))));
        debugged(3);
        level.set("off").unwrap();
        debugged(4);
        assert_eq!(level.reset().unwrap(), "info");
        assert_eq!(level.get(), "info");
        debugged(5);
        drop(logs);
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            // What other tests log at the same time goes to the same place.
            .filter(|line: &serde_json::Value| {
                line["target"] == "elsewhere" || line["target"] == module_path!()
            })
            .collect();
        let numbers: Vec<_> = lines.iter().map(|line| line["number"].as_u64()).collect();
        assert_eq!(numbers, [None, Some(2), Some(3)], "{text}");
        let mut line = lines[0].clone();
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
            "WARNING, http_api=Critical",
        ] {
            assert!(check_level(level).is_ok(), "{level}");
        }
        let long = "a=info,".repeat(1_000) + "info";
        for level in [
            "",
            "loud",
            "http_api=loud",
            "http_api",
            "info,",
            "a=b=info",
            &long,
        ] {
            assert!(check_level(level).is_err(), "{level}");
        }
    }
}
