//! The description for people: Swagger UI out of the binary, with no request to anyone else.

use std::io::{Cursor, Read as _};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// The page itself; what it loads comes from beside it.
const INDEX: &str = include_str!("docs.html");

/// What sets Swagger UI up.
const SETUP: &str = include_str!("docs.js");

/// What the page may load: its own files, and the styles and pictures that Swagger UI writes
/// into the page.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// A file of the page.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
    pub(crate) policy: &'static str,
}

/// The page's files. Those of Swagger UI are unpacked when the first of them is asked for: most
/// processes are never asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    unpacked: Arc<OnceLock<Option<Unpacked>>>,
}

#[derive(Debug, Clone)]
struct Unpacked {
    script: Bytes,
    styles: Bytes,
}

impl Page {
    /// The page, or the file that it loads under this name. Unpacking takes tens of
    /// milliseconds the first time: call it off the worker threads.
    pub(crate) fn file(&self, name: Option<&str>) -> Option<File> {
        let (content_type, body) = match name {
            None => (
                "text/html; charset=utf-8",
                Bytes::from_static(INDEX.as_bytes()),
            ),
            Some("docs.js") => (SCRIPT, Bytes::from_static(SETUP.as_bytes())),
            Some("swagger-ui-bundle.js") => (SCRIPT, self.unpacked()?.script.clone()),
            Some("swagger-ui.css") => ("text/css; charset=utf-8", self.unpacked()?.styles.clone()),
            Some(_) => return None,
        };
        Some(File {
            content_type,
            body,
            policy: POLICY,
        })
    }

    fn unpacked(&self) -> Option<&Unpacked> {
        self.unpacked.get_or_init(unpack).as_ref()
    }
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The two files of the distribution that a page needs; none where the archive isn't as it was
/// when this was written, which the test below would have told.
fn unpack() -> Option<Unpacked> {
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)).ok()?;
    let mut file = |end: &str| -> Option<Bytes> {
        let name = archive
            .file_names()
            .filter_map(Result::ok)
            .find(|name| name.ends_with(end))?
            .into_owned();
        let mut content = Vec::new();
        archive
            .by_name(&name)
            .ok()?
            .read_to_end(&mut content)
            .ok()?;
        Some(content.into())
    };
    Some(Unpacked {
        script: file("/dist/swagger-ui-bundle.js")?,
        styles: file("/dist/swagger-ui.css")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_names_is_there() {
        let page = Page::default();
        let index = page.file(None).unwrap();
        assert!(index.content_type.starts_with("text/html"));
        let names: Vec<_> = INDEX
            .split('"')
            .filter_map(|part| part.strip_prefix("docs/"))
            .collect();
        assert_eq!(names.len(), 3, "{names:?}");
        for name in names {
            assert!(page.file(Some(name)).unwrap().body.len() > 100, "{name}");
        }
        assert!(page.file(Some("../Cargo.toml")).is_none());
        assert!(!INDEX.contains("http:") && !INDEX.contains("https:"));
    }
}
