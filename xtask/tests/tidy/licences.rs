//! The licences of all dependencies are on `deny.toml`'s list. Held here as well as by
//! `cargo deny`, so that it holds where that isn't installed.

use toml::{Table, Value};

use super::metadata::metadata;
use super::spdx::is_allowed;
use super::{files, report};

#[test]
fn every_dependency_has_an_allowed_licence() {
    let allowed = allowed();
    let refused = metadata().foreign().filter(|package| {
        !package
            .license
            .as_deref()
            .is_some_and(|license| is_allowed(license, &allowed))
    });
    let refused: Vec<String> = refused
        .map(|package| {
            format!(
                "{} {}: {:?}",
                package.name, package.version, package.license
            )
        })
        .collect();
    report("licences outside deny.toml's list", &refused);
}

#[test]
fn our_own_licence_is_the_one_in_the_file() {
    let foreign: Vec<String> = metadata()
        .members()
        .filter(|package| package.license.as_deref() != Some("MIT OR Apache-2.0"))
        .map(|package| package.name.clone())
        .collect();
    report("write `license.workspace = true`", &foreign);
}

fn allowed() -> Vec<String> {
    let policy: Table = files::read("deny.toml").parse().expect("deny.toml");
    let list = policy["licenses"]["allow"]
        .as_array()
        .expect("licenses.allow");
    list.iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
