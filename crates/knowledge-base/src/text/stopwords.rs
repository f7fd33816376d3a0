//! Words that say nothing about the subject of a question.

/// Articles, pronouns, prepositions, auxiliary verbs, and what people write around a question
/// ("hola", "cómo hago para", "gracias"). Folded and sorted.
const STOP_WORDS: &[&str] = &[
    "a", "aca", "ademas", "ahi", "ahora", "al", "algo", "alguien", "algun", "alguna", "algunas",
    "alguno", "algunos", "alla", "ante", "asi", "aun", "aunque", "ayer", "ayuda", "buenas",
    "bueno", "buenos", "cada", "como", "con", "cual", "cuales", "cuando", "da", "de", "debe",
    "deben", "debo", "del", "desde", "donde", "durante", "e", "eh", "el", "ella", "ellas", "ellos",
    "en", "entonces", "entre", "era", "es", "esa", "ese", "eso", "esta", "estan", "estas", "este",
    "esto", "estos", "estoy", "favor", "fue", "gracias", "ha", "hace", "hacen", "hacer", "hago",
    "han", "hasta", "hay", "he", "hola", "hoy", "igual", "ir", "la", "las", "le", "les", "lo",
    "los", "mas", "me", "mi", "mia", "mio", "mis", "mismo", "mucho", "muy", "nada", "necesito",
    "ni", "no", "nos", "o", "otra", "otras", "otro", "otros", "oye", "para", "pero", "podria",
    "por", "porfa", "porque", "pucha", "puede", "pueden", "puedes", "puedo", "pues", "q", "que",
    "quien", "quienes", "quiere", "quiero", "quisiera", "sabe", "saber", "se", "sea", "ser", "si",
    "sin", "sobre", "son", "soy", "su", "sus", "tal", "tambien", "te", "tengo", "tiene", "tu",
    "un", "una", "unas", "uno", "unos", "va", "vamos", "voy", "xq", "y", "ya", "yo",
];

/// Bytes of the longest of them; most words are told by it.
const LONGEST: usize = 8;

/// True for a folded word that is left out of questions and indexes.
pub(crate) fn is_stop_word(folded: &str) -> bool {
    folded.len() <= LONGEST && STOP_WORDS.binary_search(&folded).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        let mut sorted = STOP_WORDS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        for (ours, theirs) in STOP_WORDS.iter().zip(&sorted) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(STOP_WORDS.len(), sorted.len());
        assert!(STOP_WORDS.iter().all(|word| word.len() <= LONGEST));
        assert!(is_stop_word("que") && !is_stop_word("factura") && !is_stop_word(""));
    }
}
