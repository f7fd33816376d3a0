//! A file of the knowledge folder: YAML between two lines of `---`, then Markdown.

use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;

use crate::document::Document;
use crate::error::{DocumentError, LoadError, LoadErrorKind};

/// Longest front matter, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// Fields of the front matter; an unknown one is an error, so that a typing error shows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    title: String,
    module: String,
    #[serde(default)]
    tags: Vec<String>,
    url: Option<String>,
    source: Option<String>,
    updated: Option<String>,
    valid_from: Option<String>,
    valid_to: Option<String>,
}

/// Reads a document.
///
/// # Errors
///
/// What is wrong with the file, with the line where that is known.
pub(crate) fn parse(file: &Path, id: &str, text: &str) -> Result<Document, LoadError> {
    let fail = |line, kind| LoadError::new(file, line, kind);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (yaml, body) = divide(text).ok_or_else(|| fail(Some(1), LoadErrorKind::NoFrontMatter))?;
    if yaml.len() > MAX_BYTES {
        let kind = LoadErrorKind::TooLarge {
            bytes: yaml.len() as u64,
            limit: MAX_BYTES as u64,
        };
        return Err(fail(Some(1), kind));
    }
    let matter: FrontMatter = serde_saphyr::from_str(yaml).map_err(|error| {
        // The front matter begins on the file's second line.
        let line = error
            .location()
            .and_then(|place| u32::try_from(place.line()).ok())
            .map(|line| line.saturating_add(1));
        fail(
            line,
            LoadErrorKind::FrontMatter(first_line(&error.to_string())),
        )
    })?;
    let date = |field, value: Option<String>| {
        value
            .map(|value| value.parse::<Date>())
            .transpose()
            .map_err(|_| {
                let says = format!("{field} is no date of the form 2026-11-22");
                fail(Some(line_of(yaml, field)), LoadErrorKind::FrontMatter(says))
            })
    };
    let document = Document {
        id: id.to_owned(),
        title: matter.title,
        module: matter.module,
        tags: matter.tags,
        url: matter.url,
        source: matter.source,
        updated: date("updated", matter.updated)?,
        valid_from: date("valid_from", matter.valid_from)?,
        valid_to: date("valid_to", matter.valid_to)?,
        body: body.to_owned(),
    };
    document
        .check()
        .map_err(|error| fail(Some(line_of(yaml, field_of(&error))), error.into()))?;
    Ok(document)
}

/// Front matter and body.
fn divide(text: &str) -> Option<(&str, &str)> {
    let rest = text
        .strip_prefix("---\n")
        .or_else(|| text.strip_prefix("---\r\n"))?;
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((rest.get(..at)?, rest.get(at + line.len()..)?));
        }
        at += line.len();
    }
    None
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// The field that a rule is about; empty where it is about none.
fn field_of(error: &DocumentError) -> &'static str {
    match error {
        DocumentError::Empty(field) | DocumentError::TooLong { field, .. } => field,
        DocumentError::Url(_) => "url",
        DocumentError::Validity => "valid_to",
        DocumentError::Id(_) | DocumentError::Duplicate(_) => "",
    }
}

/// The line, from 1, that a field is written on; the first where it isn't written at all.
fn line_of(yaml: &str, field: &str) -> u32 {
    let found = yaml
        .lines()
        .position(|line| !field.is_empty() && line.starts_with(field));
    found
        .and_then(|index| u32::try_from(index + 2).ok())
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const GOOD: &str = "---\ntitle: Anular una factura\nmodule: l10n_cl_dte\ntags: [anular, 61]\n\
                        url: https://www.sii.cl/\nupdated: 2026-11-22\n---\n\nTexto.\n";

    fn read(text: &str) -> Result<Document, LoadError> {
        parse(Path::new("a.md"), "a", text)
    }

    #[test]
    fn a_file_is_read() {
        for text in [
            GOOD.to_owned(),
            GOOD.replace('\n', "\r\n"),
            format!("\u{feff}{GOOD}"),
        ] {
            let document = read(&text).unwrap();
            assert_eq!(document.title, "Anular una factura");
            assert_eq!(document.tags, ["anular", "61"]);
            assert_eq!(document.updated, Some(date(2026, 11, 22)));
            assert_eq!(document.body.trim(), "Texto.");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases = [
            ("Texto sin nada", Some(1), "no front matter"),
            ("---\ntitle: x\n", Some(1), "no front matter"),
            ("---\ntitle: x\nmodul: y\n---\nz", Some(3), "modul"),
            (
                "---\ntitle: x\nmodule: y\nupdated: ayer\n---\nz",
                Some(4),
                "front matter",
            ),
            (
                "---\ntitle: x\nmodule: y\nurl: ftp://a\n---\nz",
                Some(4),
                "http",
            ),
            ("---\ntitle: x\nmodule: y\n---\n\n", Some(1), "body"),
            ("---\ntitle: [\n---\n", None, "front matter"),
        ];
        for (text, line, says) in cases {
            let error = read(text).unwrap_err();
            if line.is_some() {
                assert_eq!(error.line(), line, "{error}");
            }
            assert!(error.to_string().contains(says), "{error}");
            assert!(error.to_string().starts_with("a.md") && !error.retryable());
        }
        let bomb = format!("---\n{}\n---\nx", "a: x\n".repeat(10_000));
        assert!(matches!(
            read(&bomb).unwrap_err().kind(),
            LoadErrorKind::TooLarge { .. }
        ));
    }
}
