//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Validates Chilean tax documents for ERPs: exact rules, a cache, a language model last.
#[derive(Debug, Parser)]
#[command(name = "ai-service", version, args_conflicts_with_subcommands = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// A TOML file; the environment goes over it
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Serve until SIGTERM or Ctrl-C (what happens without a command)
    Serve,
    /// Check the configuration, print it without its secrets, and exit: 0 if it is good, 64 if not
    CheckConfig,
    /// Read a key from standard input and print its hash, which `auth` takes in its place
    HashKey,
}

/// The command line, read.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) command: Command,
    pub(crate) config: Option<PathBuf>,
}

/// Reads the process's command line; ends the process on `--help` and on nonsense.
pub(crate) fn parse() -> Args {
    let Cli { command, config } = Cli::try_parse().unwrap_or_else(|error| {
        let code = if error.use_stderr() {
            i32::from(crate::EXIT_CONFIG)
        } else {
            0
        };
        let _ = error.print();
        std::process::exit(code)
    });
    Args {
        command: command.unwrap_or(Command::Serve),
        config,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from(["ai-service", "serve", "--config", "a.toml"]).unwrap();
        assert_eq!(
            (cli.command, cli.config),
            (Some(Command::Serve), Some("a.toml".into()))
        );
        let cli = Cli::try_parse_from(["ai-service", "--config", "a.toml"]).unwrap();
        assert_eq!(cli.command, None);
        assert!(Cli::try_parse_from(["ai-service", "--port", "1"]).is_err());
    }
}
