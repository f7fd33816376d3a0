//! A document as it came to what is kept and compared of it.

use std::sync::Arc;

use thiserror::Error;

use crate::charset;
use crate::compare::{Piece, pieces};
use crate::fetch::Document;
use crate::index::{Entry, Tipo, entries};
use crate::page::{Noise, Page};
use crate::pdf::{PdfError, PdfReader, is_pdf};
use crate::source::Kind;
use crate::text::squeezed;

/// The most lines of a schema.
const MAX_LINES: usize = 20_000;

/// What is kept of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    /// Its title.
    pub(crate) titulo: String,
    /// Its entries, where it is an index.
    pub(crate) entries: Arc<Vec<Entry>>,
    /// Its blocks, where it is none.
    pub(crate) pieces: Arc<Vec<Piece>>,
}

/// Why a document couldn't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum ReadError {
    /// Its PDF can't.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// The thread that read it is gone.
    #[error("failed to read the page (interrupted)")]
    Interrupted,
}

impl Reading {
    /// The bytes of its blocks' text, or the count of its entries.
    pub(crate) fn size(&self, kind: Kind) -> usize {
        if kind == Kind::Index {
            return self.entries.len();
        }
        self.pieces.iter().map(|piece| piece.text.len()).sum()
    }

    /// All that it says.
    pub(crate) fn text(&self) -> String {
        let texts: Vec<&str> = self
            .pieces
            .iter()
            .map(|piece| piece.text.as_str())
            .collect();
        texts.join("\n")
    }
}

/// Reads a document, off the runtime. What is no page although one was expected (a PDF behind
/// an index's address) is read as what it is.
pub(crate) async fn read(
    document: Document,
    kind: Kind,
    tipo: Tipo,
    pdfs: &PdfReader,
) -> Result<Reading, ReadError> {
    if is_pdf(&document.body) {
        let text = pdfs.read(document.body).await?;
        let titulo = text.pieces.first().map(|piece| piece.text.clone());
        return Ok(Reading {
            titulo: titulo.unwrap_or_default(),
            entries: Arc::default(),
            pieces: Arc::new(text.pieces),
        });
    }
    tokio::task::spawn_blocking(move || plain(&document, kind, tipo))
        .await
        .map_err(|_| ReadError::Interrupted)
}

fn plain(document: &Document, kind: Kind, tipo: Tipo) -> Reading {
    // Two bytes a letter is text all the same, and says so by its mark.
    let wide = matches!(document.body.get(..2), Some([0xff, 0xfe] | [0xfe, 0xff]));
    if !wide && document.body.iter().take(1_024).any(|byte| *byte == 0) {
        return packed(document);
    }
    let text = charset::decode(&document.body, document.charset.as_deref());
    if kind == Kind::Xsd || document.media_type.ends_with("/xml") {
        return schema(&text);
    }
    let page = Page::read(&text, Noise::built_in());
    let mut found = if kind == Kind::Index {
        entries(&page, tipo)
    } else {
        Vec::new()
    };
    for entry in &mut found {
        let url = entry.url.take();
        entry.url = url.and_then(|href| document.url.join(&href).ok().map(String::from));
    }
    Reading {
        titulo: page.title.clone(),
        entries: Arc::new(found),
        pieces: if kind == Kind::Index {
            Arc::default()
        } else {
            Arc::new(pieces(&page))
        },
    }
}

/// What can't be read (an archive of schemas) is known by its sum.
fn packed(document: &Document) -> Reading {
    let sum = blake3::hash(&document.body).to_hex();
    let name = document
        .url
        .path_segments()
        .and_then(|mut path| path.next_back());
    let text = format!(
        "{} ({} bytes, {sum})",
        name.unwrap_or_default(),
        document.body.len()
    );
    Reading {
        pieces: Arc::new(vec![Piece {
            section: Vec::new(),
            text,
            links: Vec::new(),
        }]),
        ..Reading::default()
    }
}

/// A schema line by line, under the last type or element that has a name.
fn schema(text: &str) -> Reading {
    let mut section = Vec::new();
    let mut list = Vec::new();
    for line in text
        .lines()
        .map(squeezed)
        .filter(|line| !line.is_empty())
        .take(MAX_LINES)
    {
        let named = line
            .split_once("name=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        if let Some((name, _)) = named {
            section = vec![name.to_owned()];
        }
        list.push(Piece {
            section: section.clone(),
            text: line,
            links: Vec::new(),
        });
    }
    Reading {
        pieces: Arc::new(list),
        ..Reading::default()
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::pdf::PdfLimits;

    fn document(media_type: &str, body: &[u8]) -> Document {
        Document {
            url: Url::parse("https://a.cl/x/indice.htm").unwrap(),
            media_type: media_type.into(),
            charset: None,
            body: body.to_vec().into(),
            etag: None,
            last_modified: None,
        }
    }

    async fn of(document: Document, kind: Kind) -> Reading {
        let pdfs = PdfReader::new(PdfLimits::default(), 1);
        read(document, kind, Tipo::Circular, &pdfs).await.unwrap()
    }

    #[tokio::test]
    async fn an_index_has_entries_with_whole_addresses() {
        let html = b"<h5><a href='../c11.pdf'>Circular N\xb0 11 del 30 de Enero del 2025</a></h5>";
        let reading = of(document("text/html", html), Kind::Index).await;
        assert_eq!(reading.size(Kind::Index), 1);
        let url = reading.entries[0].url.as_deref();
        assert_eq!(url, Some("https://a.cl/c11.pdf"));
    }

    #[tokio::test]
    async fn a_schema_keeps_its_tags_and_an_archive_its_sum() {
        let xsd = b"<xs:schema>\n <xs:element name=\"Folio\">\n  <xs:maxLength value=\"10\"/>";
        let reading = of(document("text/xml", xsd), Kind::Xsd).await;
        assert_eq!(reading.pieces[2].section, ["Folio"]);
        assert_eq!(reading.pieces[2].text, "<xs:maxLength value=\"10\"/>");
        let zip = of(document("application/zip", b"PK\x03\x04\0\0"), Kind::Xsd).await;
        assert!(zip.text().starts_with("indice.htm (6 bytes, "));
    }

    #[tokio::test]
    async fn a_broken_pdf_is_an_error() {
        let pdfs = PdfReader::new(PdfLimits::default(), 1);
        let pdf = document("application/pdf", b"%PDF-1.4 nada");
        let error = read(pdf, Kind::Pdf, Tipo::Circular, &pdfs).await;
        assert_eq!(error, Err(ReadError::Pdf(PdfError::Broken)));
    }
}
