//! `cargo xtask rules` and `cargo xtask metrics`: the catalogues of the rules of tax documents and
//! of payslips, and of the metrics, generated from the code.

use std::fs;
use std::process::Stdio;

use crate::error::Error;
use crate::run;

/// A page that an example of a crate prints.
struct Page {
    package: &'static str,
    example: &'static str,
    /// From the workspace's root.
    path: &'static str,
    /// What writes it.
    command: &'static str,
}

const RULES: [Page; 2] = [
    Page {
        package: "dte",
        example: "dte_rules",
        path: "docs/dte-rules.md",
        command: "cargo xtask rules",
    },
    Page {
        package: "payroll",
        example: "payroll_rules",
        path: "docs/payroll-rules.md",
        command: "cargo xtask rules",
    },
];

const METRICS: [Page; 1] = [Page {
    package: "observability",
    example: "metrics_page",
    path: "docs/metrics.md",
    command: "cargo xtask metrics",
}];

/// What `cargo xtask rules` and `cargo xtask metrics` take.
#[derive(clap::Args)]
pub struct Args {
    /// Write nothing, and fail where a page isn't what the code says
    #[arg(long)]
    check: bool,
}

/// The same for the catalogue of the metrics.
///
/// # Errors
///
/// As [`run()`].
pub fn metrics(args: &Args) -> Result<(), Error> {
    pages(&METRICS, args)
}

/// Writes the catalogues, or compares them. The code that knows one is an example of its crate,
/// so that this program needs nothing of it.
///
/// # Errors
///
/// [`Error::Failed`] where an example doesn't build or run, [`Error::Io`] where a page can't
/// be read or written, [`Error::OutOfStep`] where one differs.
pub fn run(args: &Args) -> Result<(), Error> {
    pages(&RULES, args)
}

fn pages(pages: &[Page], args: &Args) -> Result<(), Error> {
    for page in pages {
        let generated = generate(page)?;
        if args.check {
            check(page, &generated)?;
        } else {
            let path = run::root().join(page.path);
            fs::write(path, generated).map_err(Error::io(format!("write {}", page.path)))?;
            println!("wrote {}", page.path);
        }
    }
    Ok(())
}

fn check(page: &Page, generated: &[u8]) -> Result<(), Error> {
    let path = run::root().join(page.path);
    let written = fs::read(path).map_err(Error::io(format!("read {}", page.path)))?;
    if written == generated {
        println!("{} is what the code says", page.path);
        Ok(())
    } else {
        Err(Error::OutOfStep {
            page: page.path,
            command: page.command,
        })
    }
}

fn generate(page: &Page) -> Result<Vec<u8>, Error> {
    let Page {
        package, example, ..
    } = page;
    let what = format!("example {example} of {package}");
    let mut command = run::cargo(["run", "--quiet", "--package", package, "--example", example]);
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
