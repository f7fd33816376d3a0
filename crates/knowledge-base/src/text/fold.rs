//! Case and accents taken off, so that `Facturación`, `FACTURACION` and `facturacio´n` meet.

/// The letter without case and accent; `None` for a combining mark, which is left out.
pub(crate) fn fold_char(letter: char) -> Option<char> {
    if letter.is_ascii() {
        return Some(letter.to_ascii_lowercase());
    }
    let folded = match letter {
        '\u{300}'..='\u{36f}' => return None,
        'á' | 'à' | 'ä' | 'â' | 'ã' | 'å' | 'Á' | 'À' | 'Ä' | 'Â' | 'Ã' | 'Å' | 'ª' => {
            'a'
        }
        'é' | 'è' | 'ë' | 'ê' | 'É' | 'È' | 'Ë' | 'Ê' => 'e',
        'í' | 'ì' | 'ï' | 'î' | 'Í' | 'Ì' | 'Ï' | 'Î' => 'i',
        'ó' | 'ò' | 'ö' | 'ô' | 'õ' | 'Ó' | 'Ò' | 'Ö' | 'Ô' | 'Õ' | 'º' => 'o',
        'ú' | 'ù' | 'ü' | 'û' | 'Ú' | 'Ù' | 'Ü' | 'Û' => 'u',
        'ñ' | 'Ñ' => 'n',
        'ç' | 'Ç' => 'c',
        'ý' | 'ÿ' | 'Ý' => 'y',
        // Its lower case may be more than one letter; the first is enough to find it again.
        _ => letter.to_lowercase().next().unwrap_or(letter),
    };
    Some(folded)
}

/// A whole text folded, character by character.
pub(crate) fn fold(text: &str) -> String {
    text.chars().filter_map(fold_char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_go() {
        for (written, folded) in [
            ("Facturación", "facturacion"),
            ("FACTURACIO\u{301}N", "facturacion"),
            ("Ñuñoa", "nunoa"),
            ("pingüino", "pinguino"),
            ("N°", "n°"),
            ("", ""),
            ("Ωmega", "ωmega"),
        ] {
            assert_eq!(fold(written), folded);
        }
    }
}
