//! The text of a PDF, in sections, within limits and off the runtime.
//!
//! What is read is what the file says in its content streams: running text with the fonts'
//! encodings, lines and paragraphs by their places. Pictures (a scanned page) have no text, and
//! text within forms drawn by reference is left out.

mod fonts;
mod lines;
mod outline;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lopdf::{Document, LoadOptions};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::compare::Piece;

/// How much of a PDF is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PdfLimits {
    /// Pages; the rest is left out, and said so.
    pub pages: usize,
    /// Characters of text; the rest is left out, and said so.
    pub chars: usize,
    /// Bytes that one stream of the file may unpack to.
    pub stream_bytes: usize,
    /// Time for one file.
    pub time: Duration,
}

impl Default for PdfLimits {
    fn default() -> Self {
        Self {
            pages: 400,
            chars: 2_000_000,
            stream_bytes: 16 * 1024 * 1024,
            time: Duration::from_secs(30),
        }
    }
}

/// The text of a PDF.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PdfText {
    /// Its headings and paragraphs, each with the headings above it.
    pub pieces: Vec<Piece>,
    /// Whether it had more than is read.
    pub truncated: bool,
}

/// Why a PDF has no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum PdfError {
    /// It is none, or a broken one.
    #[error("failed to read the PDF (broken)")]
    Broken,
    /// It can't be opened without a password.
    #[error("failed to read the PDF (password)")]
    Password,
    /// It has pages but no text: scanned pictures.
    #[error("failed to read the PDF (no text)")]
    NoText,
    /// It took too long.
    #[error("failed to read the PDF (time limit)")]
    Timeout,
}

impl PdfError {
    /// What an operator reads.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Broken => "el PDF está dañado",
            Self::Password => "el PDF pide una contraseña",
            Self::NoText => "el PDF no tiene texto: son imágenes",
            Self::Timeout => "la lectura del PDF no terminó a tiempo",
        }
    }

    /// The stable English word for metrics and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "pdf_broken",
            Self::Password => "pdf_password",
            Self::NoText => "pdf_no_text",
            Self::Timeout => "pdf_timeout",
        }
    }
}

/// Whether bytes are a PDF, by their mark (which may have some junk before it).
#[must_use]
pub fn is_pdf(bytes: &[u8]) -> bool {
    let head = bytes.get(..1024).unwrap_or(bytes);
    head.windows(5).any(|window| window == b"%PDF-")
}

/// Reads a PDF. It is CPU work, up to the limit of time: [`PdfReader`] does it off the runtime.
///
/// # Errors
/// [`PdfError`].
pub fn read(bytes: &[u8], limits: PdfLimits) -> Result<PdfText, PdfError> {
    let until = Instant::now() + limits.time;
    let options = LoadOptions::with_max_decompressed_size(limits.stream_bytes);
    let mut document =
        Document::load_mem_with_options(bytes, options).map_err(|_| PdfError::Broken)?;
    if document.is_encrypted() {
        // Most "protected" files open for everybody: only printing is restricted.
        document.decrypt("").map_err(|_| PdfError::Password)?;
    }
    let (pages, truncated) = lines::of(&document, limits, until)?;
    if pages.iter().all(Vec::is_empty) {
        return Err(PdfError::NoText);
    }
    Ok(PdfText {
        pieces: outline::of(pages),
        truncated,
    })
}

/// Reads PDFs on threads of their own, a few at a time.
#[derive(Debug, Clone)]
pub struct PdfReader {
    limits: PdfLimits,
    places: Arc<Semaphore>,
}

impl PdfReader {
    /// A reader with these limits, of so many files at a time.
    #[must_use]
    pub fn new(limits: PdfLimits, at_a_time: usize) -> Self {
        Self {
            limits,
            places: Arc::new(Semaphore::new(at_a_time.max(1))),
        }
    }

    /// Reads a PDF. A file that outlasts the limit goes on alone, in its place, until it looks
    /// at the clock.
    ///
    /// # Errors
    /// [`PdfError`].
    pub async fn read(&self, bytes: Bytes) -> Result<PdfText, PdfError> {
        let limits = self.limits;
        let work = async {
            let place = Arc::clone(&self.places).acquire_owned().await;
            let place = place.map_err(|_| PdfError::Timeout)?;
            let reading = tokio::task::spawn_blocking(move || {
                let _place = place;
                read(&bytes, limits)
            });
            reading.await.unwrap_or(Err(PdfError::Broken))
        };
        // Twice, as it may have to wait for the one before it.
        timeout(limits.time * 2, work)
            .await
            .unwrap_or(Err(PdfError::Timeout))
    }
}

#[cfg(test)]
mod tests;
