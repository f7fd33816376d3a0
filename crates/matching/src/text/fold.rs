//! Letters without case and accents, punctuation as spaces, numbers left whole.

/// The most characters that are read of a text.
const MAX_CHARS: usize = 600;

/// Lower case, without accents; a space for what separates. Points, commas and slashes stay
/// between digits (a comma as a point), a double prime becomes `pulg`.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text.chars().take(MAX_CHARS).peekable();
    let mut after_digit = false;
    while let Some(c) = rest.next() {
        match c {
            'a'..='z' | '0'..='9' => out.push(c),
            'A'..='Z' => out.push(c.to_ascii_lowercase()),
            '.' | ',' | '/' => {
                let inside = after_digit && rest.peek().is_some_and(char::is_ascii_digit);
                out.push(match c {
                    _ if !inside => ' ',
                    '/' => '/',
                    _ => '.',
                });
            }
            _ => letter(c, &mut out),
        }
        after_digit = c.is_ascii_digit();
    }
    out
}

fn letter(c: char, out: &mut String) {
    match c {
        ' ' => out.push(' '),
        'á' | 'à' | 'ä' | 'â' | 'ã' | 'Á' | 'À' | 'Ä' | 'Â' | 'Ã' => out.push('a'),
        'é' | 'è' | 'ë' | 'ê' | 'É' | 'È' | 'Ë' | 'Ê' => out.push('e'),
        'í' | 'ì' | 'ï' | 'î' | 'Í' | 'Ì' | 'Ï' | 'Î' => out.push('i'),
        'ó' | 'ò' | 'ö' | 'ô' | 'õ' | 'Ó' | 'Ò' | 'Ö' | 'Ô' | 'Õ' => out.push('o'),
        'ú' | 'ù' | 'ü' | 'û' | 'Ú' | 'Ù' | 'Ü' | 'Û' => out.push('u'),
        'ñ' | 'Ñ' => out.push('n'),
        'ç' | 'Ç' => out.push('c'),
        // A tilde or an accent that comes as a character of its own.
        '\u{300}'..='\u{36f}' => {}
        '"' | '”' | '″' | '“' => out.push_str(" pulg "),
        '½' => out.push_str(" 1/2 "),
        '¼' => out.push_str(" 1/4 "),
        '¾' => out.push_str(" 3/4 "),
        '²' => out.push('2'),
        '³' => out.push('3'),
        '×' => out.push('x'),
        _ if c.is_alphabetic() => out.extend(c.to_lowercase()),
        _ => out.push(' '),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_whole() {
        assert_eq!(
            fold("Válv. 1/2\" c/llave 1,5"),
            "valv  1/2 pulg  c llave 1.5"
        );
        assert_eq!(fold("ÑANDÚ (rojo)-x"), "nandu  rojo  x");
        assert!(fold(&"é".repeat(10_000)).len() <= MAX_CHARS);
    }
}
