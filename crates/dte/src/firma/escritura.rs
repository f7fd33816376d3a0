//! The exact bytes that a stamp's signatures are made over, and the other writings of the same
//! content that programs have signed by mistake.
//!
//! Source: formato DTE 2026-02, TED: without white space between tags, in ISO-8859-1.

use std::borrow::Cow;

use super::llave::{LlavePublica, Resumen};

/// Another writing of the same tags.
type Escritura = fn(&str) -> Cow<'_, str>;

/// Which writing of these tags was signed: the right one (empty), or how it differs.
pub(super) fn escritura_firmada(
    fuente: &str,
    llave: &LlavePublica,
    firma: &[u8],
) -> Option<&'static str> {
    let plano = sin_espacios(fuente);
    let abierta = llave.abrir(firma)?;
    let bien = |texto: &str| abierta.es_de(Resumen::Sha1, &latin1(texto));
    let intentos: [(&'static str, Escritura); 5] = [
        ("", |texto| Cow::Borrowed(texto)),
        ("con las comillas escritas como signos", |texto| {
            Cow::Owned(texto.replace("&apos;", "'").replace("&quot;", "\""))
        }),
        ("con las comillas escritas como entidades", |texto| {
            Cow::Owned(con_entidades(texto))
        }),
        ("sin saltos de línea dentro de los datos", |texto| {
            Cow::Owned(texto.replace('\n', ""))
        }),
        (
            "con saltos de línea de Windows dentro de los datos",
            |texto| Cow::Owned(texto.replace('\n', "\r\n")),
        ),
    ];
    for (como, escribir) in intentos {
        let texto = escribir(&plano);
        // A writing that is the same again would only be refused again.
        if (como.is_empty() || texto != plano) && bien(&texto) {
            return Some(como);
        }
    }
    if fuente != plano && bien(fuente) {
        return Some("con los espacios que hay entre sus etiquetas");
    }
    let utf8 = !plano.is_ascii() && abierta.es_de(Resumen::Sha1, plano.as_bytes());
    utf8.then_some("en UTF-8")
}

/// Without the white space between tags.
fn sin_espacios(fuente: &str) -> String {
    let mut plano = String::with_capacity(fuente.len());
    for trozo in fuente.split_inclusive('>') {
        let sin = trozo.trim_ascii_start();
        let entre = sin.starts_with('<');
        plano.push_str(if entre { sin } else { trozo });
    }
    plano
}

/// Quotes in text as the entities that the manual asks for; those in tags stay.
fn con_entidades(texto: &str) -> String {
    let mut salida = String::with_capacity(texto.len() + 16);
    let mut en_etiqueta = false;
    for caracter in texto.chars() {
        match caracter {
            '<' => en_etiqueta = true,
            '>' => en_etiqueta = false,
            _ => {}
        }
        match caracter {
            '\'' if !en_etiqueta => salida.push_str("&apos;"),
            '"' if !en_etiqueta => salida.push_str("&quot;"),
            otro => salida.push(otro),
        }
    }
    salida
}

/// The bytes in ISO-8859-1, or in windows-1252 for the characters that only that has; what
/// neither has is a reference, as writers of XML put it.
fn latin1(texto: &str) -> Cow<'_, [u8]> {
    if texto.is_ascii() {
        return Cow::Borrowed(texto.as_bytes());
    }
    encoding_rs::WINDOWS_1252
        .encode(texto)
        .0
        .into_owned()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_joined_and_their_text_is_left_alone() {
        for (escrito, plano) in [
            ("<a>\n <b> x </b>\n</a>", "<a><b> x </b></a>"),
            ("<a>\t<b></b> <c/> </a>", "<a><b></b><c/></a>"),
            ("<a>x > y</a>", "<a>x > y</a>"),
            ("", ""),
        ] {
            assert_eq!(sin_espacios(escrito), plano);
        }
        assert_eq!(
            con_entidades("<a b=\"c\">d'e\"f</a>"),
            "<a b=\"c\">d&apos;e&quot;f</a>"
        );
        assert_eq!(latin1("\u{f1}\u{2013}").as_ref(), b"\xF1\x96");
    }
}
