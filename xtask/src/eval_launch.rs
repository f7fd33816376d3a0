//! `cargo xtask dte-eval`, its first half: build the evaluation in release and become it.
//! This half is all that the light `cargo xtask` has of it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::run;

/// What `cargo xtask dte-eval` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Folder with `dte/` (documents, INDEX.tsv) and `dte_cases/`; the shared data by default
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Seed of the mutations: the same seed makes the same mutants
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Fail when a target is missed, not only on errors
    #[arg(long)]
    pub strict: bool,
}

/// Builds the evaluation and runs it with our own arguments.
///
/// # Errors
///
/// The failing build, or the evaluation's failure.
pub fn run(_args: &Args) -> Result<(), Error> {
    let build = ["build", "--release", "-p", "xtask", "--features"];
    let mut build = run::cargo(build);
    run::step("build the evaluation", build.arg("xtask/dte-eval"))?;
    let mut program = Command::new(run::target_dir()?.join("release/xtask"));
    program.arg("dte-eval-measure").args(env::args_os().skip(2));
    run::step("dte-eval", &mut program)
}
