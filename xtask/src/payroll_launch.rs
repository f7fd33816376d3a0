//! `cargo xtask payroll-eval`, its first half: build the evaluation in release and become it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::run;

/// What `cargo xtask payroll-eval` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Folder with `payslips/` (EXPECTED_FINDINGS.csv) and `previred/`, or one of the two itself; the shared data by default
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
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
    run::step("build the evaluation", build.arg("xtask/payroll-eval"))?;
    let mut program = Command::new(run::target_dir()?.join("release/xtask"));
    program
        .arg("payroll-eval-measure")
        .args(env::args_os().skip(2));
    run::step("payroll-eval", &mut program)
}
