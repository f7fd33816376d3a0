//! `cargo xtask rules`: the catalogue of the rules of tax documents, generated from the code.

use std::fs;
use std::process::Stdio;

use crate::error::Error;
use crate::run;

/// Where the catalogue lies, from the workspace's root.
const PAGE: &str = "docs/dte-rules.md";

/// What `cargo xtask rules` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Write nothing, and fail where the page isn't what the code says
    #[arg(long)]
    check: bool,
}

/// Writes the catalogue, or compares it. The code that knows it is an example of the `dte`
/// crate, so that this program needs nothing of it.
///
/// # Errors
///
/// [`Error::Failed`] where the example doesn't build or run, [`Error::Io`] where the page can't
/// be read or written, [`Error::OutOfStep`] where it differs.
pub fn run(args: &Args) -> Result<(), Error> {
    let page = run::root().join(PAGE);
    let generated = generate()?;
    if args.check {
        let written = fs::read(&page).map_err(Error::io(format!("read {PAGE}")))?;
        return if written == generated {
            println!("{PAGE} is what the code says");
            Ok(())
        } else {
            Err(Error::OutOfStep {
                page: PAGE,
                command: "cargo xtask rules",
            })
        };
    }
    fs::write(&page, generated).map_err(Error::io(format!("write {PAGE}")))?;
    println!("wrote {PAGE}");
    Ok(())
}

fn generate() -> Result<Vec<u8>, Error> {
    let what = "example rules";
    let mut command = run::cargo(["run", "--quiet", "--package", "dte", "--example", "rules"]);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Start {
            what: what.to_owned(),
            source,
        })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Error::Failed {
            what: what.to_owned(),
            status: output.status,
        })
    }
}
