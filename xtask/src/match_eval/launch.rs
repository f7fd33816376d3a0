//! `cargo xtask match-eval`, its first half: build the evaluation in release and become it.
//! This half is all that the light `cargo xtask` has of it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::run;

/// What `cargo xtask match-eval` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// First of the seeds of the synthetic invoices; five in a row are evaluated
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Fail when a target is missed, not only on errors
    #[arg(long)]
    pub strict: bool,
    /// Print coefficients fitted anew, on other seeds and product families than are reported on
    #[arg(long)]
    pub fit: bool,
}

/// Builds the evaluation and runs it with our own arguments.
///
/// # Errors
///
/// The failing build, or the evaluation's failure.
pub fn run(_args: &Args) -> Result<(), Error> {
    let mut build = run::cargo(["build", "--release", "-p", "xtask"]);
    run::step(
        "build match-eval",
        build.args(["--features", "xtask/match-eval"]),
    )?;
    let mut program = Command::new(run::target_dir()?.join("release/xtask"));
    program
        .arg("match-eval-measure")
        .args(env::args_os().skip(2));
    run::step("match-eval", &mut program)
}
