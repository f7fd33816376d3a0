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
    if let Some(trozo) = dos_veces(texto) {
        return Some(Falla::DosVeces { trozo });
    }
    texto
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        .map(|c| Falla::Control {
            codigo: u32::from(c),
        })
}

/// A letter of UTF-8 that was read as ISO-8859-1 and written again: `Ã³` for `ó`. The first of
/// the two is a capital that Spanish doesn't have, the second no letter.
fn dos_veces(texto: &str) -> Option<String> {
    let segundos = texto.chars().skip(1);
    texto.chars().zip(segundos).find_map(|(uno, dos)| {
        let letra = matches!(uno, 'Ã' | 'Â') && ('\u{80}'..='\u{BF}').contains(&dos);
        letra.then(|| [uno, dos].iter().collect())
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
        assert_eq!(
            no_latinos("Inform\u{C3}\u{A1}tica"),
            Some(Falla::DosVeces {
                trozo: "\u{C3}\u{A1}".into()
            })
        );
        assert_eq!(no_latinos("ÂNGELA Ãrea"), None);
        assert_eq!(no_latinos("\u{7f}"), Some(Falla::Control { codigo: 0x7F }));
    }
}
