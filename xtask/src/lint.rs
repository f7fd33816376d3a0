//! `cargo xtask lint`: what must hold before a test is worth running.

use crate::audit;
use crate::error::Error;
use crate::run;

/// Runs the lints one after the other and stops at the first that fails.
///
/// # Errors
///
/// The first step's failure.
pub fn run() -> Result<(), Error> {
    run::step("fmt", &mut run::cargo(["fmt", "--all", "--", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--all-features"];
    run::step("clippy", run::cargo(clippy).args(["--", "-D", "warnings"]))?;
    let doc = ["doc", "--workspace", "--no-deps", "--all-features"];
    run::step("doc", run::cargo(doc).env("RUSTDOCFLAGS", "-D warnings"))?;
    dependency_policy()
}

/// cargo-deny needs installing; the licence list is held without it by the tidy test.
fn dependency_policy() -> Result<(), Error> {
    match audit::installed()? {
        Some(program) => audit::policy(&program),
        None => {
            println!(
                "==> dependency policy: cargo-deny isn't installed (`cargo xtask audit` does); the \
                 tidy test holds the licence list"
            );
            Ok(())
        }
    }
}
