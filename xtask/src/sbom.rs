//! `cargo xtask sbom`: what the shipped binary is made of, as CycloneDX 1.5 in JSON.
//!
//! From `cargo tree` (what is really built into `ai-service`: no tests, no other binaries) and
//! `Cargo.lock` (the checksums). The same tree gives the same bytes: there is no time in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::error::Error;
use crate::run;

/// `cargo xtask sbom`'s command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write; without it, `sbom.cdx.json` in cargo's target folder
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes it and says how many components it has.
///
/// # Errors
///
/// Where cargo or the file system fails.
pub fn run(args: &Args) -> Result<(), Error> {
    let bill = Bill::of_workspace()?;
    let path = match &args.out {
        Some(path) => path.clone(),
        None => run::target_dir()?.join("sbom.cdx.json"),
    };
    fs::write(&path, bill.json()).map_err(Error::io(format!("write {}", path.display())))?;
    let (all, ours) = (bill.components.len(), bill.ours().count());
    println!(
        "{}: {all} components, {ours} of them our own",
        path.display()
    );
    Ok(())
}

/// A package and its version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    name: String,
    version: String,
}

/// What is known of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Component {
    license: String,
    /// From crates.io; none of our own have one.
    checksum: Option<String>,
    uses: BTreeSet<Id>,
}

/// All that is built into the binary.
#[derive(Debug)]
struct Bill {
    root: Id,
    components: BTreeMap<Id, Component>,
}

impl Bill {
    fn of_workspace() -> Result<Self, Error> {
        let mut tree = run::cargo([
            "tree",
            "--locked",
            "--package",
            "ai-service",
            "--edges",
            "normal,build",
            "--target",
            "x86_64-unknown-linux-gnu",
            "--prefix",
            "depth",
            "--format",
            "{p}\t{l}\t",
        ]);
        let output = tree.output().map_err(|source| Error::Start {
            what: "cargo tree".to_owned(),
            source,
        })?;
        if !output.status.success() {
            return Err(Error::Failed {
                what: "cargo tree".to_owned(),
                status: output.status,
            });
        }
        let path = run::root().join("Cargo.lock");
        let lock = fs::read_to_string(path).map_err(Error::io("read Cargo.lock"))?;
        let tree = String::from_utf8_lossy(&output.stdout);
        Self::of(&tree, &lock).ok_or_else(|| Error::Missing {
            what: "a tree of dependencies".to_owned(),
            hint: "cargo tree writes something else than it did".to_owned(),
        })
    }

    /// From the lines of `cargo tree` and the text of the lock file.
    fn of(tree: &str, lock: &str) -> Option<Self> {
        let checksums = checksums(lock);
        let mut components: BTreeMap<Id, Component> = BTreeMap::new();
        // The packages from the root down to the line before.
        let mut above: Vec<Id> = Vec::new();
        for line in tree.lines().filter(|line| !line.trim().is_empty()) {
            let (depth, id, license) = parse(line)?;
            above.truncate(depth);
            if let Some(user) = above.last().and_then(|user| components.get_mut(user)) {
                user.uses.insert(id.clone());
            }
            let component = components.entry(id.clone()).or_default();
            license.clone_into(&mut component.license);
            component.checksum = checksums.get(&id).cloned();
            above.push(id);
        }
        let root = tree.lines().next().and_then(parse)?.1;
        Some(Self { root, components })
    }

    fn ours(&self) -> impl Iterator<Item = &Id> {
        let ours = |(id, component): (_, &Component)| component.checksum.is_none().then_some(id);
        self.components.iter().filter_map(ours)
    }

    fn json(&self) -> String {
        let mut out = String::from(
            "{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.5\",\n  \"version\": 1,\n",
        );
        let root = component(&self.root, self.components.get(&self.root), "application");
        let _ = write!(
            out,
            "  \"metadata\": {{ \"component\": {root} }},\n  \"components\": [\n"
        );
        let others = self.components.iter().filter(|(id, _)| **id != self.root);
        let others =
            others.map(|(id, known)| format!("    {}", component(id, Some(known), "library")));
        out.push_str(&others.collect::<Vec<_>>().join(",\n"));
        out.push_str("\n  ],\n  \"dependencies\": [\n");
        let uses = self.components.iter().map(|(id, known)| {
            let uses: Vec<_> = known.uses.iter().map(|used| quoted(&used.purl())).collect();
            let (id, uses) = (quoted(&id.purl()), uses.join(", "));
            format!("    {{ \"ref\": {id}, \"dependsOn\": [{uses}] }}")
        });
        out.push_str(&uses.collect::<Vec<_>>().join(",\n"));
        out.push_str("\n  ]\n}\n");
        out
    }
}

impl Id {
    fn purl(&self) -> String {
        // A `+` of a version's metadata is written so in a package URL.
        format!(
            "pkg:cargo/{}@{}",
            self.name,
            self.version.replace('+', "%2B")
        )
    }
}

fn component(id: &Id, known: Option<&Component>, kind: &str) -> String {
    let purl = quoted(&id.purl());
    let (name, version) = (quoted(&id.name), quoted(&id.version));
    let mut out = format!(
        "{{ \"type\": \"{kind}\", \"bom-ref\": {purl}, \"name\": {name}, \"version\": {version}, \
         \"purl\": {purl}"
    );
    let license = known.map_or("", |known| known.license.as_str());
    if !license.is_empty() {
        // Crates from before 2018 write `/` for `OR`.
        let expression = quoted(&license.replace(" / ", "/").replace('/', " OR "));
        let _ = write!(out, ", \"licenses\": [{{ \"expression\": {expression} }}]");
    }
    if let Some(checksum) = known.and_then(|known| known.checksum.as_deref()) {
        let checksum = quoted(checksum);
        let _ = write!(
            out,
            ", \"hashes\": [{{ \"alg\": \"SHA-256\", \"content\": {checksum} }}]"
        );
    }
    out.push_str(" }");
    out
}

/// A JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// `2serde v1.0.228 (proc-macro)\tMIT OR Apache-2.0\t (*)`
fn parse(line: &str) -> Option<(usize, Id, &str)> {
    let digits = line.find(|letter: char| !letter.is_ascii_digit())?;
    let depth = line.get(..digits)?.parse().ok()?;
    let mut fields = line.get(digits..)?.split('\t');
    let mut words = fields.next()?.split(' ');
    let name = words.next()?.to_owned();
    let version = words.next()?.strip_prefix('v')?.to_owned();
    Some((depth, Id { name, version }, fields.next()?))
}

/// The checksums of the lock file's packages.
fn checksums(lock: &str) -> BTreeMap<Id, String> {
    let mut found = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key))?;
            line.strip_prefix(" = \"")?
                .strip_suffix('"')
                .map(str::to_owned)
        };
        if let (Some(name), Some(version), Some(checksum)) =
            (value("name"), value("version"), value("checksum"))
        {
            found.insert(Id { name, version }, checksum);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_is_what_the_lock_file_says() {
        let bill = Bill::of_workspace().unwrap();
        let lock = fs::read_to_string(run::root().join("Cargo.lock")).unwrap();
        let lock: toml::Table = lock.parse().unwrap();
        let locked: BTreeSet<(&str, &str)> = lock["package"]
            .as_array()
            .unwrap()
            .iter()
            .map(|package| {
                let text = |key: &str| package[key].as_str().unwrap();
                (text("name"), text("version"))
            })
            .collect();
        assert!(bill.components.len() > 100, "{}", bill.components.len());
        for (id, known) in &bill.components {
            assert!(locked.contains(&(&id.name, &id.version)), "{id:?}");
            assert!(!known.license.is_empty(), "{id:?}");
        }
        let ours: Vec<_> = bill.ours().map(|id| id.name.as_str()).collect();
        assert!(
            ours.contains(&"http-api") && ours.contains(&"ai-service"),
            "{ours:?}"
        );
        assert!(!ours.contains(&"mock-anthropic"), "no test is shipped");
        let json: serde_json::Value = serde_json::from_str(&bill.json()).unwrap();
        assert_eq!(json["bomFormat"], "CycloneDX");
        assert_eq!(json["metadata"]["component"]["name"], "ai-service");
        let components = json["components"].as_array().unwrap();
        assert_eq!(components.len() + 1, bill.components.len());
        // Every reference leads to a component.
        let known: BTreeSet<_> = components
            .iter()
            .chain([&json["metadata"]["component"]])
            .map(|component| component["bom-ref"].as_str().unwrap())
            .collect();
        for entry in json["dependencies"].as_array().unwrap() {
            let uses = entry["dependsOn"].as_array().unwrap().iter();
            for reference in uses.chain([&entry["ref"]]) {
                assert!(known.contains(reference.as_str().unwrap()), "{reference}");
            }
        }
    }

    #[test]
    fn a_tree_and_a_lock_file_are_read() {
        let tree = "0a v1.0.0 (/x y)\tMIT\t\n1b v2.0.0+meta (proc-macro)\tMIT/Apache-2.0\t\n\
                    2c v3.0.0\tISC\t\n1c v3.0.0\tISC\t (*)\n";
        let lock = "[[package]]\nname = \"c\"\nversion = \"3.0.0\"\nchecksum = \"ab\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
        let bill = Bill::of(tree, lock).unwrap();
        let id = |name: &str, version: &str| Id {
            name: name.to_owned(),
            version: version.to_owned(),
        };
        let (a, b, c) = (id("a", "1.0.0"), id("b", "2.0.0+meta"), id("c", "3.0.0"));
        assert_eq!(bill.root, a);
        assert_eq!(bill.components[&a].uses, [b.clone(), c.clone()].into());
        assert_eq!(bill.components[&b].uses, [c.clone()].into());
        assert_eq!(bill.components[&c].checksum.as_deref(), Some("ab"));
        let json = bill.json();
        assert!(
            json.contains("MIT OR Apache-2.0") && json.contains("@2.0.0%2Bmeta"),
            "{json}"
        );
        assert_eq!(quoted("a\"\\\n"), "\"a\\\"\\\\\\u000a\"");
        assert!(Bill::of("nonsense", "").is_none());
    }
}
