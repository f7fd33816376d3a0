//! What cargo says about the workspace and its dependencies.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;
use std::sync::OnceLock;

use serde::Deserialize;

use super::files;

/// The output of `cargo metadata`.
#[derive(Deserialize)]
pub struct Metadata {
    /// Every package of the lock file.
    pub packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
}

/// A package.
#[derive(Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its SPDX expression.
    pub license: Option<String>,
    /// What it says it is.
    pub description: Option<String>,
    /// Its manifest, absolute.
    pub manifest_path: String,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
    id: String,
}

/// A dependency as a manifest declares it.
#[derive(Deserialize)]
pub struct Dependency {
    /// The package.
    pub name: String,
    /// "dev", "build", or nothing for a normal one.
    pub kind: Option<String>,
}

impl Metadata {
    /// The packages of the workspace.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The packages from elsewhere.
    pub fn foreign(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| !self.workspace_members.contains(&package.id))
    }

    /// The names of the packages of the workspace.
    pub fn member_names(&self) -> BTreeSet<&str> {
        self.members()
            .map(|package| package.name.as_str())
            .collect()
    }
}

impl Package {
    /// The package's manifest, from the root.
    pub fn manifest(&self) -> String {
        let root = files::root();
        let path = std::path::Path::new(&self.manifest_path);
        path.strip_prefix(root)
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned()
    }
}

/// Asked for once; from the lock file, and without the network where that is possible.
pub fn metadata() -> &'static Metadata {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    METADATA.get_or_init(|| {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args([
                "metadata",
                "--format-version",
                "1",
                "--all-features",
                "--locked",
            ])
            .current_dir(files::root())
            .output()
            .expect("cargo starts");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cargo metadata: {complaint}");
        serde_json::from_slice(&output.stdout).expect("cargo metadata's format")
    })
}
