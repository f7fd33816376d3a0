//! The service: reads its configuration, wires the libraries, serves until a signal, drains.

mod args;
mod config;
mod indicators;
mod knowledge;
mod model;
mod monitor;
mod run;
mod welcome;

use std::io::Write as _;
use std::process::ExitCode;

use args::Command;
use config::{Environment, Settings};

/// `EX_USAGE`: what was asked for makes no sense; trying again won't help.
const EXIT_CONFIG: u8 = 64;

fn main() -> ExitCode {
    let args = args::parse();
    let settings = match Settings::load(args.config.as_deref(), &Environment::of_process()) {
        Ok(settings) => settings,
        Err(error) => return refuse(&error),
    };
    match args.command {
        Command::CheckConfig => {
            println(&settings.to_string());
            ExitCode::SUCCESS
        }
        Command::Serve => run::serve(settings),
    }
}

/// Says on stderr why the service doesn't start.
fn refuse(error: &dyn std::error::Error) -> ExitCode {
    eprintln(&format!("ai-service: {}", chain(error)));
    ExitCode::from(EXIT_CONFIG)
}

/// An error with all its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Whoever closed stdout doesn't want to read it: that is no reason to end.
fn println(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// There is no log before there is a configuration.
fn eprintln(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
