//! `cargo xtask streams`: a thousand streams at once through the real binary and the stand-in for
//! the model, all read, with readers that stop, and with the model cut off in the middle.

use std::process::Command;

use crate::error::Error;
use crate::run;

/// What `cargo xtask streams` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Streams at once
    #[arg(default_value_t = 1_000)]
    count: u16,
}

/// Builds the service and the measurement in release, and runs it; a goal that is missed is a
/// failure.
///
/// # Errors
///
/// The failing build, or the measurement's failure.
pub fn run(args: &Args) -> Result<(), Error> {
    let build = ["build", "--release", "-p", "ai-service", "--bins"];
    let mut build = run::cargo(build);
    run::step("build", build.args(["--example", "streams"]))?;
    let folder = run::target_dir()?.join("release");
    let mut streams = Command::new(folder.join("examples/streams"));
    streams
        .arg(folder.join("ai-service"))
        .arg(args.count.to_string());
    run::step("streams", &mut streams)
}
