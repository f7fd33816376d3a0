//! The documents that are evaluated, and what their index says about them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dte::casos::LIMPIOS;

use crate::error::Error;

/// One file of documents.
pub struct File {
    /// Its name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// The index's remarks on its arithmetic; empty where it found nothing.
    pub remarks: Vec<String>,
    /// Whether it is one of the crate's own correct documents.
    pub built_in: bool,
}

/// A folder's documents and cases.
pub struct Corpus {
    /// The files in the order of their names.
    pub files: Vec<File>,
    /// The generator's cases: name and YAML.
    pub cases: Vec<(String, String)>,
}

impl Corpus {
    /// The crate's own correct documents, of every type.
    pub fn built_in() -> Self {
        let files = LIMPIOS.iter().map(|limpio| File {
            name: format!("built-in/{}", limpio.nombre),
            bytes: limpio.cuerpo.as_bytes().to_vec(),
            remarks: Vec::new(),
            built_in: true,
        });
        Self {
            files: files.collect(),
            cases: Vec::new(),
        }
    }

    /// Reads `DIR/dte` (or `DIR` itself, where there is none) and `DIR/dte_cases`, and adds the
    /// built-in documents.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] where something can't be read, [`Error::Missing`] where there is no
    /// document.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let inner = folder.join("dte");
        let documents = if inner.is_dir() {
            inner.as_path()
        } else {
            folder
        };
        let index = fs::read_to_string(documents.join("INDEX.tsv")).unwrap_or_default();
        let remarks = remarks(&index);
        let mut files = Vec::new();
        for path in with_extension(documents, "xml")? {
            let name = name(&path);
            let bytes = fs::read(&path).map_err(Error::io(format!("read {name}")))?;
            let remarks = remarks.get(&name).cloned().unwrap_or_default();
            files.push(File {
                name,
                bytes,
                remarks,
                built_in: false,
            });
        }
        if files.is_empty() {
            return Err(Error::Missing {
                what: format!("a tax document (*.xml) in {}", documents.display()),
                hint: "name a folder with --data".to_owned(),
            });
        }
        let cases = folder.join("dte_cases");
        let cases = if cases.is_dir() {
            with_extension(&cases, "yaml")?
        } else {
            Vec::new()
        };
        let cases = cases
            .iter()
            .map(|path| {
                let name = name(path);
                let text = fs::read_to_string(path).map_err(Error::io(format!("read {name}")))?;
                Ok((name, text))
            })
            .collect::<Result<_, Error>>()?;
        files.extend(Self::built_in().files);
        Ok(Self { files, cases })
    }
}

/// File to remarks; a file that stands twice has those of its first row.
fn remarks(index: &str) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    for row in index.lines().skip(1) {
        let mut cells = row.split('\t');
        let (Some(name), remarks) = (cells.next(), cells.nth(2).unwrap_or_default()) else {
            continue;
        };
        let remarks = remarks
            .split('|')
            .map(str::trim)
            .filter(|remark| !remark.is_empty());
        rows.entry(name.to_owned())
            .or_insert_with(|| remarks.map(str::to_owned).collect());
    }
    rows
}

fn name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Error> {
    let failed = || format!("list {}", folder.display());
    let entries = fs::read_dir(folder).map_err(Error::io(failed()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io(failed()))?.path();
        if path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// A file's text, in UTF-8 or ISO-8859-1 whatever it declares.
pub fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_gives_the_remarks_of_a_file() {
        let index = "file\ttypes\tintact\tremarks\na.xml\t33\tyes\tiva:1!=2|neto:0!=1\nb.xml\t34\tno\t\na.xml\t33\tyes\t\n";
        let rows = remarks(index);
        assert_eq!(rows["a.xml"], ["iva:1!=2", "neto:0!=1"]);
        assert!(rows["b.xml"].is_empty());
        assert_eq!(text(b"a\xf1o"), "año");
        assert_eq!(text("año".as_bytes()), "año");
    }
}
