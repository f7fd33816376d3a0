//! Starting other programs: cargo without our own environment, and steps with their time.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::error::Error;

/// The workspace's root folder.
pub fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest
        .parent()
        .map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// The folder that cargo builds into, found from where this program lies (`TARGET/PROFILE/xtask`).
///
/// # Errors
///
/// [`Error::Io`] when the system doesn't say where this program lies.
pub fn target_dir() -> Result<PathBuf, Error> {
    let program = env::current_exe().map_err(Error::io("find this program's own file"))?;
    let target = program.parent().and_then(Path::parent);
    Ok(target.map_or_else(|| root().join("target"), Path::to_path_buf))
}

/// A cargo command in the workspace's root.
pub fn cargo<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    // `cargo run` describes xtask in these. Build scripts that watch them (ring's does) would
    // take each call through xtask for a change and be built again.
    for (name, _) in env::vars_os().filter(|(name, _)| describes_xtask(name)) {
        command.env_remove(name);
    }
    command
}

fn describes_xtask(variable: &OsStr) -> bool {
    let Some(name) = variable.to_str() else {
        return false;
    };
    ["CARGO_PKG_", "CARGO_MANIFEST_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || [
            "CARGO_BIN_NAME",
            "CARGO_CRATE_NAME",
            "CARGO_PRIMARY_PACKAGE",
            "OUT_DIR",
        ]
        .contains(&name)
}

/// Runs one step to its end, its output going where ours goes, and prints the time it took.
///
/// # Errors
///
/// [`Error::Start`] when the program doesn't start, [`Error::Failed`] when it ends with a failure.
pub fn step(name: &str, command: &mut Command) -> Result<(), Error> {
    println!("==> {name}");
    let began = Instant::now();
    let status = command.status().map_err(|source| Error::Start {
        what: name.to_owned(),
        source,
    })?;
    let seconds = began.elapsed().as_secs_f64();
    if status.success() {
        println!("    {name}: ok in {seconds:.1} s");
        Ok(())
    } else {
        println!("    {name}: FAILED after {seconds:.1} s");
        Err(Error::Failed {
            what: name.to_owned(),
            status,
        })
    }
}

/// True when the program starts and ends well; its output is thrown away.
pub fn succeeds(program: impl AsRef<OsStr>, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_describes_xtask_is_hidden_from_cargo() {
        for hidden in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "OUT_DIR"] {
            assert!(describes_xtask(OsStr::new(hidden)), "{hidden}");
        }
        for kept in [
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO",
            "PATH",
            "CARGO_NET_OFFLINE",
        ] {
            assert!(!describes_xtask(OsStr::new(kept)), "{kept}");
        }
    }

    #[test]
    fn a_step_hands_back_the_exit_code() {
        let outcome = step("exit 7", Command::new("sh").args(["-c", "exit 7"]));
        assert_eq!(outcome.unwrap_err().exit_code(), 7);
        assert!(step("true", &mut Command::new("true")).is_ok());
        let missing = step("nothing", &mut Command::new("/nonexistent/program"));
        assert!(matches!(missing, Err(Error::Start { .. })));
    }
}
