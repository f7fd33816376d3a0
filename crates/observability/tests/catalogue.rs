//! The catalogue beside the code that sets its metrics, and beside the page made of it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use observability::catalogue;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every source file of the workspace's libraries and of the service, but the catalogue itself.
fn sources(folder: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("observability/src/catalogue") {
                sources(&path, out);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_metric_of_the_catalogue_is_set_somewhere() {
    let mut texts = Vec::new();
    for place in ["crates", "bins/ai-service/src"] {
        sources(&root().join(place), &mut texts);
    }
    assert!(texts.len() > 100, "the sources are where they were");
    for metric in catalogue::metrics() {
        let literal = format!("\"{}\"", metric.name);
        let is_set = texts.iter().any(|text| text.contains(&literal));
        assert!(is_set, "nothing sets {}", metric.name);
    }
}

#[test]
fn the_page_is_what_the_code_says() {
    let page = fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let same = page == catalogue::markdown();
    assert!(same, "docs/metrics.md is stale: run `cargo xtask metrics`");
}
