//! Bytes to text, whatever the page's age: by its byte order mark, its header, its own `meta`,
//! or by what the bytes look like.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

/// How far into a page its `meta charset` is looked for (the HTML standard's own bound).
const PRESCAN_BYTES: usize = 1024;

/// The text of a page.
///
/// `header` is the `charset` of the `Content-Type`, where it has one. A label that bytes
/// contradict (a page that says UTF-8 and isn't) is not believed: the SII's old pages are
/// ISO-8859-1 behind a server that says UTF-8.
#[must_use]
pub fn decode(bytes: &[u8], header: Option<&str>) -> String {
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        let (text, _) = encoding.decode_without_bom_handling(bytes.get(bom..).unwrap_or_default());
        return text.into_owned();
    }
    let declared = header
        .and_then(|label| Encoding::for_label(label.trim().as_bytes()))
        .or_else(|| meta(bytes));
    match declared {
        Some(encoding) => decode_as(encoding, bytes),
        None => guess(bytes),
    }
}

fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> String {
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    if broken && encoding == UTF_8 {
        return guess(bytes);
    }
    // The other way round: valid UTF-8 with letters beyond ASCII isn't an accident.
    if encoding != UTF_8
        && !bytes.is_ascii()
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return text.to_owned();
    }
    text.into_owned()
}

/// By frequency of the bytes, knowing that the page is Chilean.
fn guess(bytes: &[u8]) -> String {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let encoding = detector.guess(Some(b"cl"), Utf8Detection::Allow);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// The label in `<meta charset="…">` or `<meta http-equiv content="…; charset=…">`.
fn meta(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..PRESCAN_BYTES).unwrap_or(bytes);
    let lower = head.to_ascii_lowercase();
    let mut rest = lower.as_slice();
    while let Some(at) = find(rest, b"<meta") {
        let tag = rest.get(at..)?;
        let end = find(tag, b">").unwrap_or(tag.len());
        if let Some(label) = tag.get(..end).and_then(label) {
            return Encoding::for_label(label);
        }
        rest = tag.get(end..)?;
    }
    None
}

fn label(tag: &[u8]) -> Option<&[u8]> {
    let at = find(tag, b"charset")?;
    let value = tag.get(at + b"charset".len()..)?.trim_ascii_start();
    let value = value.strip_prefix(b"=")?.trim_ascii_start();
    let value = value
        .strip_prefix(b"\"")
        .or_else(|| value.strip_prefix(b"'"))
        .unwrap_or(value);
    let end = value
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.".contains(byte)))
        .unwrap_or(value.len());
    value.get(..end).filter(|label| !label.is_empty())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Resolución Exenta N° 36: descripción, año 2024";

    fn latin1(text: &str) -> Vec<u8> {
        encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
    }

    #[test]
    fn by_header_meta_mark_and_look() {
        let utf8 = TEXT.as_bytes().to_vec();
        let old = latin1(TEXT);
        let with_meta = |meta: &str| latin1(&format!("<html><head>{meta}</head>{TEXT}"));
        let mut marked = b"\xEF\xBB\xBF".to_vec();
        marked.extend(TEXT.as_bytes());
        for (bytes, header) in [
            (&utf8, Some("utf-8")),
            (&utf8, None),
            (&utf8, Some("ISO-8859-1")),
            (&old, Some("iso-8859-1")),
            (&old, Some("utf-8")),
            (&old, Some("no-such-label")),
            (&old, None),
            (&marked, Some("iso-8859-1")),
            (&with_meta("<meta charset=iso-8859-1>"), None),
            (
                &with_meta(
                    "<META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=ISO-8859-1'>",
                ),
                None,
            ),
        ] {
            assert!(decode(bytes, header).ends_with(TEXT), "{header:?}");
        }
    }

    #[test]
    fn broken_tags_are_no_label() {
        for tag in [
            "<meta charset",
            "<meta charset=",
            "<meta charset=\"\">",
            "<meta",
        ] {
            assert!(meta(tag.as_bytes()).is_none(), "{tag}");
        }
    }
}
