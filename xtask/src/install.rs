//! What the tests need on a machine, and how it gets there. Every step is announced, and does
//! nothing where its result is already there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::run;

/// A program of the system that some test starts.
struct Tool {
    /// As it is announced.
    name: &'static str,
    /// A command that ends well where the tool is there.
    probe: &'static [&'static str],
    /// The Debian packages that bring it.
    packages: &'static [&'static str],
}

/// One line a tool.
const TOOLS: &[Tool] = &[
    Tool {
        name: "curl",
        probe: &["curl", "--version"],
        packages: &["curl"],
    },
    Tool {
        name: "python3 with venv",
        probe: &["python3", "-c", "import ensurepip, venv"],
        packages: &["python3", "python3-venv"],
    },
    // The tests start their own servers; the one that Debian starts by itself is not used.
    Tool {
        name: "redis-server",
        probe: &["redis-server", "--version"],
        packages: &["redis-server"],
    },
    Tool {
        name: "redis-sentinel",
        probe: &["redis-sentinel", "--version"],
        packages: &["redis-sentinel"],
    },
    // A browser reads a stream.
    Tool {
        name: "chromium",
        probe: &["chromium", "--version"],
        packages: &["chromium"],
    },
    // The tests use its promtool; the server that Debian starts by itself is not used.
    Tool {
        name: "prometheus",
        probe: &["promtool", "--version"],
        packages: &["prometheus"],
    },
    Tool {
        name: "openssl",
        probe: &["openssl", "version"],
        packages: &["openssl"],
    },
];

/// Installs the system's programs that are missing.
///
/// # Errors
///
/// [`Error::Missing`] where there is no apt-get or no right to use it, or when the tool still
/// isn't there afterwards; the failing step otherwise.
pub fn system_tools() -> Result<(), Error> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !tool.is_present()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing
        .iter()
        .flat_map(|tool| tool.packages)
        .copied()
        .collect();
    install_packages(&packages)?;
    match missing.into_iter().find(|tool| !tool.is_present()) {
        Some(tool) => Err(tool.missing("installing its packages didn't bring it")),
        None => Ok(()),
    }
}

impl Tool {
    fn is_present(&self) -> bool {
        let [program, args @ ..] = self.probe else {
            return false;
        };
        run::succeeds(program, args)
    }

    fn missing(&self, reason: &str) -> Error {
        let packages = self.packages.join(" ");
        Error::Missing {
            what: self.name.to_owned(),
            hint: format!("{reason}; install by hand what your system calls {packages}"),
        }
    }
}

fn install_packages(packages: &[&str]) -> Result<(), Error> {
    if !run::succeeds("apt-get", &["--version"]) {
        return Err(Error::Missing {
            what: packages.join(" "),
            hint: "there is no apt-get here; install them by hand".to_owned(),
        });
    }
    run::step(
        "apt-get update",
        as_root("apt-get").args(["update", "--quiet"]),
    )?;
    let name = format!("apt-get install {}", packages.join(" "));
    run::step(
        &name,
        as_root("apt-get")
            .args(["install", "--yes", "--quiet"])
            .args(packages),
    )
}

/// The program itself for root, through sudo for everyone else.
fn as_root(program: &str) -> Command {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout == b"0\n");
    if is_root {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg(program);
    command
}

/// Makes the Python environment that the official SDK's test runs in, `TARGET/python`, unless
/// it is there for these very requirements. Returns its interpreter.
///
/// # Errors
///
/// [`Error::Io`] when files can't be read or written, and the failing step otherwise.
pub fn python_environment() -> Result<PathBuf, Error> {
    environment("python", "requirements.txt")
}

/// Makes the Python environment of the LiteLLM proxy, `TARGET/litellm`, as
/// [`python_environment`] does.
///
/// # Errors
///
/// As [`python_environment`].
pub fn litellm_environment() -> Result<PathBuf, Error> {
    environment("litellm", "litellm.txt")
}

/// Makes the Python environment of the linters of `deploy/`, `TARGET/linters`, as
/// [`python_environment`] does. Returns the folder of its programs.
///
/// # Errors
///
/// As [`python_environment`].
pub fn linters() -> Result<PathBuf, Error> {
    let mut programs = environment("linters", "linters.txt")?;
    programs.pop();
    Ok(programs)
}

fn environment(name: &str, requirements: &str) -> Result<PathBuf, Error> {
    let requirements = run::root().join("tests/python").join(requirements);
    let wanted = fs::read_to_string(&requirements)
        .map_err(Error::io(format!("read {}", requirements.display())))?;
    let environment = Environment {
        folder: run::target_dir()?.join(name),
    };
    if environment.is_for(&wanted) {
        return Ok(environment.interpreter());
    }
    println!(
        "==> python: {} is missing or out of date",
        environment.folder.display()
    );
    environment.make(&requirements, &wanted)?;
    Ok(environment.interpreter())
}

/// A Python virtual environment with a stamp that says what was installed in it.
struct Environment {
    folder: PathBuf,
}

impl Environment {
    fn interpreter(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join("requirements.stamp")
    }

    /// The stamp is written last: an environment that was interrupted has none.
    fn is_for(&self, requirements: &str) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|stamp| stamp == requirements)
            && run::succeeds(self.interpreter(), &["--version"])
    }

    fn make(&self, requirements: &Path, contents: &str) -> Result<(), Error> {
        self.remove()?;
        let mut venv = Command::new("python3");
        run::step(
            "python -m venv",
            venv.args(["-m", "venv"]).arg(&self.folder),
        )?;
        let mut pip = Command::new(self.interpreter());
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ]);
        run::step("pip install", pip.arg(requirements))?;
        fs::write(self.stamp(), contents).map_err(Error::io("write the environment's stamp"))
    }

    fn remove(&self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(format!(
                "remove {}",
                self.folder.display()
            ))(error)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_can_be_probed_and_installed() {
        for tool in TOOLS {
            assert!(
                !tool.probe.is_empty() && !tool.packages.is_empty(),
                "{}",
                tool.name
            );
        }
    }

    #[test]
    fn a_probe_that_fails_means_absent_and_the_error_says_what_to_do() {
        let tool = Tool {
            name: "a tool",
            probe: &["/nonexistent/program", "--version"],
            packages: &["some-package"],
        };
        assert!(!tool.is_present());
        assert!(tool.missing("no luck").to_string().contains("some-package"));
    }

    #[test]
    fn an_environment_without_a_stamp_is_made_again() {
        let environment = Environment {
            folder: PathBuf::from("/nonexistent/python"),
        };
        assert!(!environment.is_for("anthropic==1"));
        assert!(environment.remove().is_ok());
    }
}
