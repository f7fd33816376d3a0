//! `cargo xtask rules`: the catalogues of the rules of tax documents and of payslips, generated
//! from the code.

use std::fs;
use std::process::Stdio;

use crate::error::Error;
use crate::run;

/// Where a crate's catalogue lies, from the workspace's root.
const PAGES: [(&str, &str); 2] = [
    ("dte", "docs/dte-rules.md"),
    ("payroll", "docs/payroll-rules.md"),
];

/// What `cargo xtask rules` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Write nothing, and fail where a page isn't what the code says
    #[arg(long)]
    check: bool,
}

/// Writes the catalogues, or compares them. The code that knows one is an example of its crate,
/// so that this program needs nothing of it.
///
/// # Errors
///
/// [`Error::Failed`] where an example doesn't build or run, [`Error::Io`] where a page can't
/// be read or written, [`Error::OutOfStep`] where one differs.
pub fn run(args: &Args) -> Result<(), Error> {
    for (package, page) in PAGES {
        let generated = generate(package)?;
        if args.check {
            check(page, &generated)?;
        } else {
            let path = run::root().join(page);
            fs::write(path, generated).map_err(Error::io(format!("write {page}")))?;
            println!("wrote {page}");
        }
    }
    Ok(())
}

fn check(page: &'static str, generated: &[u8]) -> Result<(), Error> {
    let path = run::root().join(page);
    let written = fs::read(path).map_err(Error::io(format!("read {page}")))?;
    if written == generated {
        println!("{page} is what the code says");
        Ok(())
    } else {
        Err(Error::OutOfStep {
            page,
            command: "cargo xtask rules",
        })
    }
}

fn generate(package: &str) -> Result<Vec<u8>, Error> {
    let example = format!("{package}_rules");
    let what = format!("example {example}");
    let mut command = run::cargo([
        "run",
        "--quiet",
        "--package",
        package,
        "--example",
        &example,
    ]);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Start {
            what: what.clone(),
            source,
        })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Error::Failed {
            what,
            status: output.status,
        })
    }
}
