//! `cargo xtask bench`, its first half: build in release what is measured and what measures,
//! and become the latter. This half is all that the light `cargo xtask` has of it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::run;

/// What `cargo xtask bench` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Write all figures, with the machine they come from, to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Length of each measurement; a run has `rounds` + 1 of them for each target
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Rounds over all targets for the capacities, interleaved
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=99))]
    pub rounds: u64,
    /// Keep-alive connections of the load generator
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub connections: u64,
    /// Measure only what has this in its name: hello, hello-post, live, validate-cached,
    /// validate-rules-json-10, validate-rules-xml-10, validate-rules-json-60, dte-rules, start, llm,
    /// cache-tiers; several with commas
    #[arg(long, value_name = "NAME")]
    pub filter: Option<String>,
    /// Servers and generator on the same cores; without it each has one half of them
    #[arg(long)]
    pub share_cores: bool,
    /// Fail when a target of the project is missed, not only on errors
    #[arg(long)]
    pub strict: bool,
}

/// Builds what is measured and what measures, and runs the latter with our own arguments.
///
/// # Errors
///
/// The failing build, or the measuring program's failure.
pub fn run(_args: &Args) -> Result<(), Error> {
    let mut program = built("xtask/bench")?;
    program.arg("bench-measure").args(env::args_os().skip(2));
    run::step("bench", &mut program)
}

/// The measuring program with one of this package's features, after everything is built.
///
/// # Errors
///
/// The failing build.
pub fn built(feature: &str) -> Result<Command, Error> {
    // As it goes into production. Alone first: with no feature that something else asked for.
    let service = ["build", "--profile", "dist", "-p", "ai-service"];
    run::step("build ai-service", &mut run::cargo(service))?;
    let tools = [
        "build",
        "--profile",
        "dist",
        "-p",
        "mock-anthropic",
        "-p",
        "xtask",
    ];
    let mut tools = run::cargo(tools);
    run::step("build the generator", tools.args(["--features", feature]))?;
    Ok(Command::new(run::target_dir()?.join("dist/xtask")))
}
