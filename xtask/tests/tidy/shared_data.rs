//! Nothing of the evaluation data beside the repository is in it: its licence doesn't allow
//! that. Looked for by content, wherever a copy may lie and whatever it is called.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{files, report};

/// Where the data lies, from the root; absent on most machines.
const DATA: &str = "../shared/data";
/// Shorter files than this say nothing by being equal.
const TOO_SHORT: u64 = 64;

#[test]
fn no_file_of_the_evaluation_data_is_in_the_repository() {
    let root = files::root();
    let ours: Vec<(String, u64)> = files::all()
        .into_iter()
        .filter_map(|path| size(&root.join(&path)).map(|size| (path, size)))
        .collect();
    let sizes: HashSet<u64> = ours.iter().map(|(_, size)| *size).collect();
    // Only data of a size that occurs here is read at all.
    let theirs: HashMap<blake3::Hash, PathBuf> = files_under(&root.join(DATA))
        .into_iter()
        .filter(|path| size(path).is_some_and(|size| sizes.contains(&size)))
        .filter_map(|path| Some((hash(&path)?, path)))
        .collect();
    let copied = ours.iter().filter_map(|(path, _)| {
        let original = theirs.get(&hash(&root.join(path))?)?;
        Some(format!("{path} is {}", original.display()))
    });
    report(
        "files that may not be committed",
        &copied.collect::<Vec<_>>(),
    );
}

#[test]
fn a_copy_is_known_by_its_content() {
    let readme = files::root().join("Cargo.toml");
    assert_eq!(hash(&readme), hash(&readme));
    assert_ne!(hash(&readme), hash(&files::root().join("deny.toml")));
    assert!(files_under(&files::root().join("xtask/tests")).len() > 5);
    assert!(files_under(Path::new("/nonexistent")).is_empty());
}

fn size(path: &Path) -> Option<u64> {
    fs::metadata(path)
        .ok()
        .map(|data| data.len())
        .filter(|size| *size >= TOO_SHORT)
}

fn hash(path: &Path) -> Option<blake3::Hash> {
    fs::read(path).ok().map(|bytes| blake3::hash(&bytes))
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_path_buf()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}
