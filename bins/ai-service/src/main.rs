//! The service: reads its configuration, wires the libraries, serves until a signal, drains.

mod admin;
mod args;
mod config;
mod hash_key;
mod health;
mod indicators;
mod knowledge;
mod model;
mod monitor;
mod reload;
mod run;
mod welcome;

use std::io::Write as _;
use std::process::ExitCode;

use args::Command;
use config::{Environment, Source};

/// Half of what a request costs beside its rules is memory taken and given back, of many sizes and
/// on several threads: see `docs/adr/0008-allocator.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `EX_USAGE`: what was asked for makes no sense; trying again won't help.
const EXIT_CONFIG: u8 = 64;

fn main() -> ExitCode {
    let args = args::parse();
    if args.command == Command::HashKey {
        return hash_key::run(&mut std::io::stdin().lock());
    }
    let source = Source {
        path: args.config,
        environment: Environment::of_process(),
    };
    let settings = match source.load() {
        Ok(settings) => settings,
        Err(error) => return refuse(&error, &source),
    };
    match args.command {
        Command::HashKey => ExitCode::SUCCESS,
        Command::CheckConfig => {
            println(&settings.to_string());
            ExitCode::SUCCESS
        }
        Command::Health => health::run(settings.listen, settings.security.tls.is_some()),
        Command::Serve => run::serve(settings, source),
    }
}

/// Says on stderr all that is wrong with the configuration, a line each.
fn refuse(error: &dyn std::error::Error, source: &Source) -> ExitCode {
    let problems = source.problems();
    for problem in &problems {
        eprintln(&format!("ai-service: {}", chain(problem)));
    }
    if problems.is_empty() {
        // Somebody mended the file meanwhile: what was read is still not what it says.
        eprintln(&format!("ai-service: {}", chain(error)));
    }
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
