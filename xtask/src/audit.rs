//! `cargo xtask audit`: licences, sources and known weaknesses of all that we depend on, by
//! cargo-deny, which is installed into cargo's target folder where it isn't there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::run;

/// What is installed where none is; another one that is there is taken as it is.
const VERSION: &str = "0.20.2";
/// Where cargo-deny fetches the advisories from.
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

/// `cargo xtask audit`'s command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A clone of the RustSec advisory database (branch main), for a machine that can't fetch it
    #[arg(long, value_name = "FOLDER")]
    advisories: Option<PathBuf>,
}

/// Holds the dependencies against `deny.toml`.
///
/// # Errors
///
/// Where cargo-deny can't be installed, or finds something.
pub fn run(args: &Args) -> Result<(), Error> {
    let program = match installed()? {
        Some(program) => program,
        None => install()?,
    };
    policy(&program)?;
    let mut advisories = deny(&program);
    advisories.args(["check", "advisories"]);
    if let Some(folder) = &args.advisories {
        let folder =
            std::path::absolute(folder).map_err(Error::io(format!("find {}", folder.display())))?;
        // git takes the folder for the address, without a file of its settings.
        advisories
            .env("GIT_CONFIG_COUNT", "1")
            .env(
                "GIT_CONFIG_KEY_0",
                format!("url.file://{}.insteadOf", folder.display()),
            )
            .env("GIT_CONFIG_VALUE_0", DATABASE);
    }
    run::step("advisories", &mut advisories)
}

/// What needs no network: bans, licences and sources.
///
/// # Errors
///
/// Where something is found.
pub fn policy(program: &Path) -> Result<(), Error> {
    let mut policy = deny(program);
    run::step(
        "dependency policy",
        policy.args(["check", "bans", "licenses", "sources"]),
    )
}

/// Where cargo-deny is: on the path, or where we have installed it.
///
/// # Errors
///
/// When the system doesn't say where this program lies.
pub fn installed() -> Result<Option<PathBuf>, Error> {
    let ours = folder()?.join("bin").join("cargo-deny");
    let known = [PathBuf::from("cargo-deny"), ours];
    let is_there = |program: &PathBuf| run::succeeds(program, &["--version"]);
    Ok(known.into_iter().find(is_there))
}

fn install() -> Result<PathBuf, Error> {
    let folder = folder()?;
    let mut install = run::cargo(["install", "--locked", "--version", VERSION, "--root"]);
    run::step("install cargo-deny", install.arg(&folder).arg("cargo-deny"))?;
    Ok(folder.join("bin").join("cargo-deny"))
}

fn folder() -> Result<PathBuf, Error> {
    Ok(run::target_dir()?.join("tools"))
}

fn deny(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(run::root());
    command
}
