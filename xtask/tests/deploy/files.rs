//! The files of `deploy/`, read.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

/// The repository's root.
pub fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it for tests");
    let parent = Path::new(&manifest).parent();
    parent.expect("xtask lies in the root").to_path_buf()
}

/// The text of a file, by its path from the root.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A YAML document; a comment may stand before it.
pub fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files of a folder with this ending, by their paths from the root, sorted.
pub fn in_folder(folder: &str, ending: &str) -> Vec<String> {
    let entries =
        fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut paths: Vec<String> = entries
        .map(|entry| entry.expect("a folder's entry").file_name())
        .filter_map(|name| Some(format!("{folder}/{}", name.to_str()?)))
        .filter(|path| path.ends_with(ending))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "nothing ends in {ending} in {folder}");
    paths
}

/// The text at a place, as in `/spec/replicas`.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The list at a place; an empty one where there is none.
pub fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
