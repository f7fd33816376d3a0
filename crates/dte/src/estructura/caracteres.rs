//! Characters that no ISO-8859-1 file can hold.

use crate::model::Falla;

/// Characters that ISO-8859-1 doesn't have, or that are for no reader.
pub(crate) fn no_latinos(texto: &str) -> Option<Falla> {
    if texto
        .bytes()
        .all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
    {
        return None;
    }
    let mut caracteres = String::new();
    for c in texto.chars().filter(|c| u32::from(*c) > 0xFF) {
        if !caracteres.contains(c) {
            caracteres.push(c);
        }
        if caracteres.chars().count() == 5 {
            break;
        }
    }
    if !caracteres.is_empty() {
        return Some(Falla::Latin { caracteres });
    }
    texto
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        .map(|c| Falla::Control {
            codigo: u32::from(c),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spanish_is_latin_and_typography_is_not() {
        for texto in ["", "Cañería 3\" ½ º §", "dos\nlíneas\ty más"] {
            assert_eq!(no_latinos(texto), None, "{texto}");
        }
        assert_eq!(
            no_latinos("“a” – ‘b’ … €"),
            Some(Falla::Latin {
                caracteres: "“”–‘’".into()
            })
        );
        assert_eq!(
            no_latinos("a\u{85}b"),
            Some(Falla::Control { codigo: 0x85 })
        );
        assert_eq!(no_latinos("\u{7f}"), Some(Falla::Control { codigo: 0x7F }));
    }
}
