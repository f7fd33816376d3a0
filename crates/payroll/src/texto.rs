//! Words compared as a person would: without accents, case, or punctuation.

/// Lower case without accents; whatever is no letter or digit becomes one space between words.
pub(crate) fn plano(texto: &str) -> String {
    let mut salida = String::with_capacity(texto.len());
    for letra in texto.chars().flat_map(char::to_lowercase) {
        let letra = sin_tilde(letra);
        if letra.is_alphanumeric() {
            salida.push(letra);
        } else if !salida.ends_with(' ') && !salida.is_empty() && !es_combinante(letra) {
            salida.push(' ');
        }
    }
    while salida.ends_with(' ') {
        salida.pop();
    }
    salida
}

const fn sin_tilde(letra: char) -> char {
    match letra {
        'á' | 'à' | 'ä' | 'â' => 'a',
        'é' | 'è' | 'ë' | 'ê' => 'e',
        'í' | 'ì' | 'ï' | 'î' => 'i',
        'ó' | 'ò' | 'ö' | 'ô' => 'o',
        'ú' | 'ù' | 'ü' | 'û' => 'u',
        'ñ' => 'n',
        otra => otra,
    }
}

/// An accent written after its letter (decomposed Unicode) is part of the letter.
const fn es_combinante(letra: char) -> bool {
    matches!(letra, '\u{300}'..='\u{36f}')
}

/// Whether `frase` stands in `plano`, beginning where a word begins.
pub(crate) fn tiene(plano: &str, frase: &str) -> bool {
    plano
        .match_indices(frase)
        .any(|(at, _)| at == 0 || plano[..at].ends_with(' '))
}

/// Whether `palabra` stands alone in `plano`.
pub(crate) fn tiene_palabra(plano: &str, palabra: &str) -> bool {
    plano.split(' ').any(|otra| otra == palabra)
}

/// The month's number from its Spanish name, or its first three letters.
pub(crate) fn mes(palabra: &str) -> Option<i8> {
    const MESES: [&str; 12] = [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ];
    let palabra = if palabra == "setiembre" {
        "septiembre"
    } else {
        palabra
    };
    let corta = palabra.len() >= 3;
    let indice = MESES.iter().position(|mes| {
        *mes == palabra || (corta && palabra.len() <= 4 && mes.starts_with(palabra))
    })?;
    i8::try_from(indice + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_without_their_dress() {
        assert_eq!(plano("  Gratificación  (Art. 50) "), "gratificacion art 50");
        assert_eq!(plano("Movilizacio\u{301}n"), "movilizacion");
        assert_eq!(plano("AÑO—2"), "ano 2");
        assert!(tiene("seguro desempleo", "desemp") && !tiene("subempleo", "empleo"));
        assert!(tiene_palabra("sis empleador", "sis") && !tiene_palabra("sistema", "sis"));
        assert_eq!(
            (mes("septiembre"), mes("setiembre"), mes("dic")),
            (Some(9), Some(9), Some(12))
        );
        assert_eq!((mes("test"), mes("")), (None, None));
    }
}
