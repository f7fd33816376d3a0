//! `cargo xtask test`: install what is missing, build once, run every test.

use crate::error::Error;
use crate::{install, run};

/// What `cargo xtask test` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Handed to `cargo test`, as in `-- --test tidy` or `-- -- --nocapture`
    #[arg(last = true)]
    cargo_test: Vec<String>,
}

/// The programs, features and dependencies of one build, so that the second command finds
/// everything made by the first.
const WORKSPACE: [&str; 2] = ["--workspace", "--all-features"];

/// Installs, builds, tests.
///
/// # Errors
///
/// What can't be installed, or the failing step with its exit code.
pub fn run(args: &Args) -> Result<(), Error> {
    install::system_tools()?;
    let python = install::python_environment()?;
    let linters = install::linters()?;
    // A step of its own tells the time of building from that of testing. `--all-targets` builds
    // with the tests' own dependency features, so that nothing is built twice, and makes every
    // binary: `cargo test` alone makes those only of packages with integration tests.
    let mut build = run::cargo(["build", "--all-targets"]);
    run::step("build", build.args(WORKSPACE))?;
    let mut test = run::cargo(["test"]);
    test.args(WORKSPACE)
        .args(&args.cargo_test)
        .env("AI_SERVICE_TEST_PYTHON", python)
        .env("AI_SERVICE_TEST_LINTERS", linters);
    run::step("test", &mut test)
}
