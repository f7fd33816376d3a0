//! Why a command of xtask failed.

use std::fmt;
use std::io;
use std::process::ExitStatus;

/// Why a command of xtask failed.
#[derive(Debug)]
pub enum Error {
    /// A program couldn't be started.
    Start {
        /// What was to be started.
        what: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A program ran and ended with a failure.
    Failed {
        /// What ran.
        what: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// Reading or writing something failed.
    Io {
        /// What was tried, as in "failed to {doing}".
        doing: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Something is missing that can't be installed from here.
    Missing {
        /// What is missing.
        what: String,
        /// What its user can do about it.
        hint: String,
    },
    /// A generated page differs from what its generator says.
    OutOfStep {
        /// The page, from the workspace's root.
        page: &'static str,
        /// The command that writes it.
        command: &'static str,
    },
    /// A measurement is worth nothing: a server misbehaved or answers were wrong.
    #[cfg(feature = "bench")]
    Bench(String),
    /// Targets were missed, and `--strict` was given.
    #[cfg(feature = "bench")]
    TargetsMissed(usize),
    /// Targets of the evaluation were missed, and `--strict` was given.
    #[cfg(any(feature = "dte-eval", feature = "payroll-eval", feature = "kb-eval"))]
    EvalMissed(usize),
    /// Targets of the evaluation of matching were missed, and `--strict` was given.
    #[cfg(feature = "match-eval")]
    MatchMissed(usize),
}

impl Error {
    /// An [`Error::Io`] from what was tried.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// The exit code that tells the caller: that of the program that failed, or 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed { status, .. } => status
                .code()
                .and_then(|code| u8::try_from(code).ok())
                .filter(|code| *code != 0)
                .unwrap_or(1),
            _ => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { what, source } => write!(f, "failed to start {what}: {source}"),
            Self::Failed { what, status } => write!(f, "{what} failed ({status})"),
            Self::Io { doing, source } => write!(f, "failed to {doing}: {source}"),
            Self::OutOfStep { page, command } => {
                write!(f, "{page} is out of step with the code: run {command}")
            }
            Self::Missing { what, hint } => write!(f, "{what} is missing: {hint}"),
            #[cfg(feature = "bench")]
            Self::Bench(reason) => write!(f, "bench: {reason}"),
            #[cfg(feature = "bench")]
            Self::TargetsMissed(count) => write!(f, "{count} target(s) missed"),
            #[cfg(feature = "match-eval")]
            Self::MatchMissed(count) => {
                write!(f, "match-eval: {count} target(s) missed (--strict)")
            }
            #[cfg(any(feature = "dte-eval", feature = "payroll-eval", feature = "kb-eval"))]
            Self::EvalMissed(count) => write!(f, "evaluation: {count} target(s) missed (--strict)"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start { source, .. } | Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
