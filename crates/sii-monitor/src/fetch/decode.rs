//! Unpacking what comes packed, up to a size: a small body may unpack to gigabytes.

use std::io::Read;

use brotli_decompressor::Decompressor;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use super::error::FetchErrorKind;

/// What requests say that they take.
pub(super) const ACCEPTED: &str = "gzip, br";

const BUFFER: usize = 16 * 1024;

/// The body without its `Content-Encoding`, at most `max` bytes. It is CPU work: call it off
/// the runtime.
pub(super) fn unpacked(
    body: Bytes,
    encoding: Option<&str>,
    max: usize,
) -> Result<Bytes, FetchErrorKind> {
    let encoding = encoding.map(|name| name.trim().to_ascii_lowercase());
    match encoding.as_deref() {
        None | Some("" | "identity") => Ok(body),
        // A body of nothing is nothing, however it is packed.
        Some(_) if body.is_empty() => Ok(body),
        Some("gzip" | "x-gzip") => read(MultiGzDecoder::new(body.as_ref()), max),
        Some("br") => read(Decompressor::new(body.as_ref(), BUFFER), max),
        Some(_) => Err(FetchErrorKind::Encoding),
    }
}

fn read(from: impl Read, max: usize) -> Result<Bytes, FetchErrorKind> {
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    let mut out = Vec::new();
    from.take(limit)
        .read_to_end(&mut out)
        .map_err(|_| FetchErrorKind::Encoding)?;
    if out.len() > max {
        return Err(FetchErrorKind::TooLarge);
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    /// `hola ` as one stored meta-block, as the reference encoder writes five letters.
    const BROTLI: &[u8] = &[0x0b, 0x02, 0x80, b'h', b'o', b'l', b'a', b' ', 0x03];

    #[test]
    fn gzip_and_plain() {
        assert_eq!(unpacked(gzip(b"hola"), Some("gzip"), 10).unwrap(), "hola");
        assert_eq!(unpacked("hola".into(), None, 10).unwrap(), "hola");
        assert_eq!(
            unpacked("hola".into(), Some("Identity"), 10).unwrap(),
            "hola"
        );
        assert_eq!(unpacked(Bytes::new(), Some("gzip"), 10).unwrap(), "");
    }

    #[test]
    fn brotli() {
        let unpack = |body: &'static [u8], max| unpacked(Bytes::from_static(body), Some("br"), max);
        assert_eq!(unpack(BROTLI, 5).unwrap(), "hola ");
        assert_eq!(unpack(BROTLI, 4), Err(FetchErrorKind::TooLarge));
        assert_eq!(unpack(&BROTLI[..8], 5), Err(FetchErrorKind::Encoding));
    }

    #[test]
    fn a_bomb_goes_off_outside() {
        let bomb = gzip(&vec![0; 50_000_000]);
        assert!(bomb.len() < 100_000);
        assert_eq!(
            unpacked(bomb, Some("gzip"), 1_000_000),
            Err(FetchErrorKind::TooLarge)
        );
    }

    #[test]
    fn broken_and_unknown_packing() {
        for (body, encoding) in [
            (&b"no gzip"[..], "gzip"),
            (&gzip(b"hola")[..10], "gzip"),
            (b"\xff\xff\xff", "br"),
            (b"x", "zstd"),
            (b"x", "gzip, br"),
        ] {
            let outcome = unpacked(Bytes::copy_from_slice(body), Some(encoding), 100);
            assert_eq!(outcome, Err(FetchErrorKind::Encoding), "{encoding}");
        }
    }
}
