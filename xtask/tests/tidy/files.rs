//! The files that belong to the repository: what git tracks, and what it would take in.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The repository's root.
pub fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it for tests");
    Path::new(&manifest)
        .parent()
        .expect("xtask lies in the root")
        .to_path_buf()
}

/// Paths of all files, from the root, sorted; without what `.gitignore` leaves out. Where there
/// is no git (a source archive), the folder is walked instead.
pub fn all() -> Vec<String> {
    let listed = git(&[
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ]);
    let mut paths: Vec<String> = match listed {
        // A file that is deleted but still in the index is no file.
        Some(list) => names(&list)
            .filter(|path| root().join(path).is_file())
            .collect(),
        None => walk(),
    };
    paths.sort();
    assert!(
        paths.iter().any(|path| path == "Cargo.toml"),
        "no files found in {:?}",
        root()
    );
    paths
}

/// Paths that git tracks; `None` where there is no git.
pub fn tracked() -> Option<Vec<String>> {
    Some(names(&git(&["ls-files", "--cached", "-z"])?).collect())
}

/// Paths with the given ending.
pub fn with_extension(extension: &str) -> Vec<String> {
    all()
        .into_iter()
        .filter(|path| path.ends_with(extension))
        .collect()
}

/// The text of a file of the repository.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root())
        .output()
        .ok()?;
    let list = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !list.is_empty()).then_some(list)
}

fn names(list: &str) -> impl Iterator<Item = String> {
    list.split('\0')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}

fn walk() -> Vec<String> {
    let root = root();
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_dir() && !["target", "data", ".git", "__pycache__"].contains(&name) {
                folders.push(path);
            } else if path.is_file() {
                let relative = path.strip_prefix(&root).expect("walked from the root");
                files.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    files
}
