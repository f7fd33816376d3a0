//! Which encoding a file has, whatever it says.

use std::borrow::Cow;

/// The encoding of a file: what it declares and what its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codificacion {
    /// The name in the XML declaration, in lower case, cut at 40 characters.
    pub declarada: Option<String>,
    /// What the bytes are.
    pub real: Charset,
    /// Whether the file begins with a byte order mark.
    pub bom: bool,
}

/// An encoding that tax documents come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// Only ASCII: right under every declaration.
    Ascii,
    /// UTF-8.
    Utf8,
    /// ISO-8859-1, what the tax service asks for.
    Iso8859_1,
    /// Windows-1252: ISO-8859-1 but for 0x80 to 0x9F, which this file uses.
    Windows1252,
}

impl Charset {
    /// Its usual name.
    #[must_use]
    pub const fn nombre(self) -> &'static str {
        match self {
            Self::Ascii => "ASCII",
            Self::Utf8 => "UTF-8",
            Self::Iso8859_1 => "ISO-8859-1",
            Self::Windows1252 => "windows-1252",
        }
    }
}

impl Codificacion {
    /// Whether the bytes are what the declaration says. Without one, XML is UTF-8.
    #[must_use]
    pub fn coincide(&self) -> bool {
        let declarada = self.declarada.as_deref().unwrap_or("utf-8");
        match self.real {
            Charset::Ascii => true,
            Charset::Utf8 => matches!(declarada, "utf-8" | "utf8"),
            Charset::Iso8859_1 => es_latin1(declarada) || es_windows(declarada),
            Charset::Windows1252 => es_windows(declarada),
        }
    }
}

fn es_latin1(nombre: &str) -> bool {
    matches!(
        nombre,
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" | "l1"
    )
}

fn es_windows(nombre: &str) -> bool {
    matches!(nombre, "windows-1252" | "cp1252" | "cp-1252")
}

/// Decodes a file. Valid multi-byte UTF-8 wins over any declaration: in ISO-8859-1 such a
/// sequence would be two odd signs in a row, which no real text has. All else is read as
/// windows-1252, of which ISO-8859-1 text is a part. Returns the text without a byte order
/// mark; `None` for UTF-16.
pub(crate) fn decodificar(bytes: &[u8]) -> Option<(Cow<'_, str>, Codificacion)> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return None;
    }
    let sin_bom = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]);
    let bom = sin_bom.is_some();
    let bytes = sin_bom.unwrap_or(bytes);
    let declarada = declarada(bytes);
    let (texto, real) = match std::str::from_utf8(bytes) {
        Ok(texto) if texto.is_ascii() => (Cow::Borrowed(texto), Charset::Ascii),
        Ok(texto) => (Cow::Borrowed(texto), Charset::Utf8),
        Err(_) => {
            let (texto, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes);
            let windows = bytes.iter().any(|byte| (0x80..0xA0).contains(byte));
            let real = if windows {
                Charset::Windows1252
            } else {
                Charset::Iso8859_1
            };
            (texto, real)
        }
    };
    Some((
        texto,
        Codificacion {
            declarada,
            real,
            bom,
        },
    ))
}

/// The encoding that the XML declaration names.
fn declarada(bytes: &[u8]) -> Option<String> {
    let inicio = bytes.get(..bytes.len().min(200))?.trim_ascii_start();
    let fin = inicio.windows(2).position(|par| par == b"?>")?;
    let declaracion = std::str::from_utf8(&inicio[..fin]).ok()?;
    let resto = declaracion.strip_prefix("<?xml")?;
    let (_, valor) = resto.split_once("encoding")?;
    let valor = valor.trim_start().strip_prefix('=')?.trim_start();
    let comilla = valor.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let nombre = valor[1..].split(comilla).next()?;
    Some(
        nombre
            .trim()
            .chars()
            .take(40)
            .collect::<String>()
            .to_ascii_lowercase(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real(bytes: &[u8]) -> (Charset, bool) {
        let (_, codificacion) = decodificar(bytes).unwrap();
        (codificacion.real, codificacion.coincide())
    }

    #[test]
    fn bytes_win_over_the_declaration() {
        let casos: [(&[u8], Charset, bool); 8] = [
            (
                b"<?xml version='1.0' encoding='ISO-8859-1'?><a>n</a>",
                Charset::Ascii,
                true,
            ),
            (
                b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xF1</a>",
                Charset::Iso8859_1,
                true,
            ),
            (
                b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xC3\xB1</a>",
                Charset::Utf8,
                false,
            ),
            (
                b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\x93</a>",
                Charset::Windows1252,
                false,
            ),
            (
                b"<?xml version='1.0' encoding=\"windows-1252\"?><a>\x93</a>",
                Charset::Windows1252,
                true,
            ),
            (
                b"<?xml version='1.0' encoding='UTF-8'?><a>\xF1</a>",
                Charset::Iso8859_1,
                false,
            ),
            (b"<a>\xC3\xB1</a>", Charset::Utf8, true),
            (
                b"\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?><a>\xC3\xB1</a>",
                Charset::Utf8,
                true,
            ),
        ];
        for (bytes, charset, coincide) in casos {
            assert_eq!(real(bytes), (charset, coincide), "{}", bytes.escape_ascii());
        }
        assert!(decodificar(b"\xFF\xFE<\0a\0").is_none());
        assert_eq!(decodificar(b"<a>\xF1</a>").unwrap().0, "<a>ñ</a>");
    }
}
