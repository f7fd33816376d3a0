//! Rules for the documents: there, in step with each other and with the crates, links alive.

use std::collections::BTreeSet;
use std::path::Path;

use super::metadata::metadata;
use super::{files, report};

#[test]
fn the_documents_that_a_newcomer_looks_for_are_there() {
    let wanted = [
        "README.md",
        "README.es.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "Cargo.lock",
    ];
    let root = files::root();
    let mut missing: Vec<String> = wanted
        .iter()
        .filter(|name| !root.join(name).is_file())
        .map(ToString::to_string)
        .collect();
    // Either one file or, as cargo's custom is with two licences, one for each.
    let licences = [&["LICENSE"][..], &["LICENSE-MIT", "LICENSE-APACHE"]];
    if !licences
        .iter()
        .any(|names| names.iter().all(|name| root.join(name).is_file()))
    {
        missing.push("LICENSE".to_owned());
    }
    report("missing", &missing);
}

#[test]
fn the_lock_file_is_committed() {
    let Some(tracked) = files::tracked() else {
        return;
    };
    assert!(
        tracked.iter().any(|path| path == "Cargo.lock"),
        "git doesn't track Cargo.lock"
    );
}

#[test]
fn the_readme_and_its_spanish_twin_have_the_same_sections() {
    let levels = |path| -> Vec<usize> {
        prose(&files::read(path))
            .filter_map(heading_level)
            .collect()
    };
    assert_eq!(
        levels("README.md"),
        levels("README.es.md"),
        "levels of headings, in order"
    );
}

#[test]
fn the_code_map_names_every_crate_and_no_other() {
    let text = files::read("ARCHITECTURE.md");
    let map = section(&text, "code map").expect("ARCHITECTURE.md has a section `Code map`");
    let named: BTreeSet<String> = code_spans(&map).filter_map(|span| folder(&span)).collect();
    let exist: BTreeSet<String> = metadata()
        .members()
        .map(|package| {
            package
                .manifest()
                .trim_end_matches("/Cargo.toml")
                .to_owned()
        })
        .collect();
    let missing = exist
        .difference(&named)
        .map(|folder| format!("{folder}: not in the map"));
    // A folder may be named that isn't a crate, but not one that isn't there.
    let surplus = named
        .difference(&exist)
        .filter(|folder| !files::root().join(folder).is_dir())
        .map(|folder| format!("{folder}: no such crate"));
    report(
        "ARCHITECTURE.md, code map",
        &missing.chain(surplus).collect::<Vec<_>>(),
    );
}

#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    for path in files::with_extension(".md") {
        let folder = files::root().join(&path);
        let folder = folder.parent().unwrap_or(Path::new(""));
        for link in links(&files::read(&path)) {
            let target = link
                .split('#')
                .next()
                .unwrap_or_default()
                .replace("%20", " ");
            if !target.is_empty() && !folder.join(&target).exists() {
                dead.push(format!("{path}: {link}"));
            }
        }
    }
    report("dead links", &dead);
}

#[test]
fn the_rules_read_markdown() {
    let text = "# A\n```\n# no heading [x](no.md)\n```\n## Code map\n`crates/x`: y [l](a.md#b) \
                [w](https://w) [m](mailto:a@b) [h](#h) ![i](i.png \"t\")\n### Deeper\n- `bins/y`\n\
                ## Next\n`crates/z`\n";
    let levels: Vec<usize> = prose(text).filter_map(heading_level).collect();
    assert_eq!(levels, [1, 2, 3, 2]);
    assert_eq!(links(text), ["a.md#b", "i.png"]);
    let map = section(text, "code map").unwrap();
    let named: Vec<String> = code_spans(&map).filter_map(|span| folder(&span)).collect();
    assert_eq!(named, ["crates/x", "bins/y"]);
    assert_eq!(folder("crates/x/src/lib.rs").as_deref(), Some("crates/x"));
    assert_eq!(folder("cargo run"), None);
}

/// The lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

fn heading_level(line: &str) -> Option<usize> {
    let level = line.chars().take_while(|letter| *letter == '#').count();
    (level > 0 && line[level..].starts_with(' ')).then_some(level)
}

/// The lines below a heading, to the next of the same level or above. Fenced code stays: a code
/// map is often a drawing.
fn section(text: &str, title: &str) -> Option<String> {
    let mut lines = text
        .lines()
        .skip_while(|line| heading_level(line).is_none() || !line.to_lowercase().ends_with(title));
    let level = heading_level(lines.next()?)?;
    let inside = lines.take_while(|line| heading_level(line).is_none_or(|next| next > level));
    Some(inside.collect::<Vec<_>>().join("\n"))
}

/// What stands between back quotes, or at the start of a line of a fenced drawing.
fn code_spans(text: &str) -> impl Iterator<Item = String> {
    text.split(['`', ' ', '\n', '(', ')', '|'])
        .map(|span| span.trim_end_matches(['/', ',', ':', '.']).to_owned())
}

/// The crate's folder that a path of the code map belongs to.
fn folder(span: &str) -> Option<String> {
    let mut parts = span.split('/');
    let (first, second) = (parts.next()?, parts.next());
    match (first, second) {
        ("crates" | "bins", Some(name)) if !name.is_empty() && name != "*" => {
            Some(format!("{first}/{name}"))
        }
        ("xtask" | "tests", _) => Some(first.to_owned()),
        _ => None,
    }
}

/// Targets of the links to other files; not those to the web, to mail or within the page.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in prose(text) {
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            let target = rest.split(')').next().unwrap_or_default();
            let target = target.split(' ').next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !elsewhere && !target.starts_with('#') && !target.is_empty() {
                found.push(target.to_owned());
            }
        }
    }
    found
}
