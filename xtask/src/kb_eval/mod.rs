//! `cargo xtask kb-eval`: how well and how fast the `knowledge-base` crate finds the passages
//! that people judged to answer a question.
//!
//! Its light half builds the measuring half in release and becomes it.

#[cfg(feature = "kb-eval")]
mod baseline;
#[cfg(feature = "kb-eval")]
mod corpus;
#[cfg(feature = "kb-eval")]
mod measure;
#[cfg(feature = "kb-eval")]
mod metrics;
#[cfg(feature = "kb-eval")]
mod relevance;
#[cfg(feature = "kb-eval")]
mod report;
#[cfg(feature = "kb-eval")]
mod speed;
#[cfg(feature = "kb-eval")]
mod systems;

use std::env;
use std::path::PathBuf;
use std::process::Command;

#[cfg(feature = "kb-eval")]
pub use self::measure::measure;
use crate::error::Error;
use crate::run;

/// What `cargo xtask kb-eval` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Folder with corpus.jsonl, queries.jsonl, qrels.tsv and subsets.json; the shared one by default
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
    run::step("build the evaluation", build.arg("xtask/kb-eval"))?;
    let mut program = Command::new(run::target_dir()?.join("release/xtask"));
    program.arg("kb-eval-measure").args(env::args_os().skip(2));
    run::step("kb-eval", &mut program)
}
