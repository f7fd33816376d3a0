//! What a page's fonts say of its bytes: which letters they are, and how wide.

use std::collections::HashMap;

use lopdf::{Dictionary, Document, Encoding, Object, ObjectId};

/// What an unpacked encoding table may have, in bytes.
const MAX_TABLE: usize = 2 * 1024 * 1024;

/// The most widths of one font.
const MAX_WIDTHS: usize = 70_000;

/// A font.
pub(super) struct Font<'a> {
    encoding: Option<Encoding<'a>>,
    widths: HashMap<u32, f64>,
    default: f64,
    /// Bytes of one letter.
    bytes: usize,
    /// Whether it is a bold one.
    pub(super) bold: bool,
}

/// The fonts of a page by the names it gives them.
pub(super) fn of_page(document: &Document, page: ObjectId) -> HashMap<Vec<u8>, Font<'_>> {
    let fonts = document.get_page_fonts(page).unwrap_or_default();
    fonts
        .into_iter()
        .map(|(name, font)| (name, Font::read(document, font)))
        .collect()
}

impl<'a> Font<'a> {
    fn read(document: &'a Document, font: &'a Dictionary) -> Self {
        let name = font.get(b"BaseFont").and_then(Object::as_name);
        let bold = name.is_ok_and(|name| {
            String::from_utf8_lossy(name)
                .to_ascii_lowercase()
                .contains("bold")
        });
        let composite = font
            .get(b"Subtype")
            .and_then(Object::as_name)
            .is_ok_and(|kind| kind == b"Type0");
        let mut read = Self {
            encoding: font.get_font_encoding_with_limit(document, MAX_TABLE).ok(),
            widths: HashMap::new(),
            default: 500.0,
            bytes: if composite { 2 } else { 1 },
            bold,
        };
        if composite {
            read.composite_widths(document, font);
        } else {
            read.simple_widths(document, font);
        }
        read
    }

    fn simple_widths(&mut self, document: &Document, font: &Dictionary) {
        let first = font.get_deref(b"FirstChar", document).ok().and_then(number);
        let widths = font
            .get_deref(b"Widths", document)
            .and_then(Object::as_array);
        let (Some(first), Ok(widths)) = (first, widths) else {
            return;
        };
        let codes = (first.clamp(0.0, 65_535.0) as u32)..;
        for (code, width) in codes.zip(widths).take(MAX_WIDTHS) {
            self.widths.extend(number(width).map(|width| (code, width)));
        }
    }

    /// `/W [first [w w …] first last w …]` of the font that a composite one is made of.
    fn composite_widths(&mut self, document: &Document, font: &Dictionary) {
        let inner = font
            .get_deref(b"DescendantFonts", document)
            .and_then(Object::as_array)
            .ok()
            .and_then(|fonts| fonts.first())
            .and_then(|font| document.dereference(font).ok())
            .and_then(|(_, font)| font.as_dict().ok());
        let Some(inner) = inner else { return };
        let default = inner.get_deref(b"DW", document).ok().and_then(number);
        self.default = default.unwrap_or(1_000.0);
        let Ok(widths) = inner.get_deref(b"W", document).and_then(Object::as_array) else {
            return;
        };
        let mut rest = widths.as_slice();
        while let [first, second, tail @ ..] = rest {
            let Some(first) = number(first) else { return };
            let first = first.clamp(0.0, 65_535.0) as u32;
            rest = tail;
            if let Ok(list) = second.as_array() {
                for (code, width) in (first..).zip(list).take(MAX_WIDTHS) {
                    self.widths.extend(number(width).map(|width| (code, width)));
                }
            } else if let ([width, after @ ..], Some(last)) = (tail, number(second)) {
                let last = last.clamp(0.0, 65_535.0) as u32;
                for code in first..=last {
                    self.widths.extend(number(width).map(|width| (code, width)));
                }
                rest = after;
            }
            if self.widths.len() > MAX_WIDTHS {
                return;
            }
        }
    }

    /// The letters of a string of the page.
    pub(super) fn text(&self, bytes: &[u8]) -> String {
        match &self.encoding {
            Some(encoding) => Document::decode_text(encoding, bytes).unwrap_or_default(),
            None => String::new(),
        }
    }

    /// How wide it is, in thousandths of the font's size, and how many letters.
    pub(super) fn width(&self, bytes: &[u8]) -> (f64, usize) {
        let mut sum = 0.0;
        let mut letters = 0;
        for letter in bytes.chunks(self.bytes) {
            let code = letter
                .iter()
                .fold(0, |code, byte| code << 8 | u32::from(*byte));
            sum += self.widths.get(&code).copied().unwrap_or(self.default);
            letters += 1;
        }
        (sum, letters)
    }
}

/// A number of the file.
pub(super) fn number(object: &Object) -> Option<f64> {
    match object {
        Object::Integer(value) => Some(*value as f64),
        Object::Real(value) => Some(f64::from(*value)),
        _ => None,
    }
    .filter(|value| value.is_finite())
}
