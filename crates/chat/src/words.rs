//! Words of a text without case and accents, and its sentences.

/// A letter without case and accent, as Spanish has them.
pub(crate) fn fold(letter: char) -> char {
    match letter.to_lowercase().next().unwrap_or(letter) {
        'á' | 'à' | 'ä' => 'a',
        'é' | 'è' | 'ë' => 'e',
        'í' | 'ì' | 'ï' => 'i',
        'ó' | 'ò' | 'ö' => 'o',
        'ú' | 'ù' | 'ü' => 'u',
        'ñ' => 'n',
        other => other,
    }
}

/// The folded words of a text.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().map(fold).collect())
}

/// Words that say what a text is about: over three letters or with a digit, and no function
/// words.
pub(crate) fn salient(text: &str) -> impl Iterator<Item = String> {
    const EMPTY: [&str; 40] = [
        "para", "pero", "como", "cual", "cuales", "cuando", "donde", "desde", "hasta", "sobre",
        "este", "esta", "estos", "estas", "ese", "esa", "esos", "esas", "eso", "esto", "tiene",
        "tengo", "puedo", "puede", "debo", "debe", "hago", "hace", "hacer", "porque", "entonces",
        "tambien", "muy", "mas", "unos", "unas", "sino", "segun", "entre", "quiero",
    ];
    words(text).filter(|word| {
        let digit = word.bytes().any(|byte| byte.is_ascii_digit());
        (digit || word.chars().count() > 3) && !EMPTY.contains(&word.as_str())
    })
}

/// Whether two folded words are likely forms of one: five letters in common, or all of them.
pub(crate) fn akin(one: &str, other: &str) -> bool {
    let common = one
        .chars()
        .zip(other.chars())
        .take_while(|(one, other)| one == other)
        .count();
    common >= 5 || (one == other)
}

/// The sentences of one line: up to a mark that a space or the end follows.
pub(crate) fn sentences(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut begin = 0;
    let mut letters = line.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let next = letters.peek().map(|(_, next)| *next);
        let ends = matches!(letter, '.' | '!' | '?') && next.is_none_or(char::is_whitespace);
        if ends {
            let end = at + letter.len_utf8();
            found.extend(line.get(begin..end));
            begin = end;
        }
    }
    found.extend(line.get(begin..));
    found.retain(|sentence| !sentence.trim().is_empty());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_do_not_end_sentences() {
        let line = "Son 1.190 pesos. ¿Y el IVA? Un 19,5% [1]";
        let found: Vec<&str> = sentences(line).into_iter().map(str::trim).collect();
        assert_eq!(found, ["Son 1.190 pesos.", "¿Y el IVA?", "Un 19,5% [1]"]);
        assert!(sentences(" . ").len() <= 1 && sentences("").is_empty());
    }

    #[test]
    fn words_fold() {
        assert!(words("¿Qué ES un Ñandú?").eq(["que", "es", "un", "nandu"]));
        assert!(salient("¿Cuándo debo anular la factura 33?").eq(["anular", "factura", "33"]));
        assert!(akin("anular", "anulacion") == ("anula".len() >= 5));
        assert!(!akin("caf", "cafe") && akin("caf", "caf"));
    }
}
