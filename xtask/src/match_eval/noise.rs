//! How a supplier writes what its customer wrote otherwise.

use crate::random::Random;

/// Abbreviations as they stand on real invoices; by purpose not the matcher's own table.
const SHORT: [(&str, &str); 34] = [
    ("plancha", "PL."),
    ("galvanizado", "GALV"),
    ("blanco", "BCO"),
    ("negro", "NEG"),
    ("caja", "CJ"),
    ("rollo", "RL"),
    ("paquete", "PQT"),
    ("bolsa", "BLS"),
    ("metálico", "MET"),
    ("plástico", "PLAST"),
    ("plástica", "PLAST"),
    ("seguridad", "SEG"),
    ("servicio", "SERV."),
    ("mantención", "MANT."),
    ("arriendo", "ARR."),
    ("transporte", "TRANSP"),
    ("licencia", "LIC"),
    ("mensual", "MENS"),
    ("con", "C/"),
    ("sin", "S/"),
    ("para", "P/"),
    ("hojas", "HJS"),
    ("líquido", "LIQ"),
    ("líquida", "LIQ"),
    ("transparente", "TRANSP."),
    ("impresora", "IMP"),
    ("inalámbrico", "INAL"),
    ("acero", "AC"),
    ("especial", "ESP"),
    ("cobre", "CU"),
    ("eléctrico", "ELEC"),
    ("amarillo", "AMAR"),
    ("higiénico", "HIG"),
    ("guante", "GTE"),
];

const BRANDS: [&str; 14] = [
    "MARCA ANDES",
    "STD",
    "PREMIUM",
    "IMP",
    "NACIONAL",
    "PRO",
    "ECO",
    "LINEA PRO",
    "NORMA",
    "SODIX",
    "BIGTEC",
    "OFERTA",
    "(SKU)",
    "1RA",
];

/// How carefully somebody writes.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// All in capitals, without accents.
    pub capitals: bool,
    /// In a hundred words, how many are abbreviated.
    pub abbreviates: usize,
    /// In a hundred words, how many have a misprint.
    pub misprints: usize,
    /// In a hundred lines, how many have words more, less or in another order.
    pub rearranges: usize,
}

impl Style {
    /// One of careful, usual and sloppy.
    pub fn draw(random: &mut Random) -> Self {
        match random.below(10) {
            0..=2 => Self {
                capitals: false,
                abbreviates: 0,
                misprints: 0,
                rearranges: 0,
            },
            3..=7 => Self {
                capitals: true,
                abbreviates: 25,
                misprints: 3,
                rearranges: 20,
            },
            _ => Self {
                capitals: random.below(2) == 0,
                abbreviates: 45,
                misprints: 12,
                rearranges: 50,
            },
        }
    }
}

/// The description as the supplier writes it.
pub fn rewrite(description: &str, style: Style, random: &mut Random) -> String {
    let mut words: Vec<String> = description
        .split(' ')
        .map(|word| one_word(word, style, random))
        .collect();
    if random.below(100) < style.rearranges {
        match random.below(4) {
            0 if words.len() > 3 => {
                let at = 1 + random.below(words.len() - 1);
                words.remove(at);
            }
            1 if words.len() > 2 => {
                let at = 1 + random.below(words.len() - 2);
                words.swap(at, at + 1);
            }
            2 => words.push(BRANDS[random.below(BRANDS.len())].to_owned()),
            _ => words.insert(0, (10_000 + random.below(80_000)).to_string()),
        }
    }
    let text = sizes(&words.join(" "), style, random);
    if style.capitals {
        plain(&text).to_uppercase()
    } else {
        text
    }
}

fn one_word(word: &str, style: Style, random: &mut Random) -> String {
    let figures = word.contains(|c: char| c.is_ascii_digit());
    if figures {
        return word.to_owned();
    }
    let mut word = word.to_owned();
    if random.below(100) < style.abbreviates {
        let lower = word.to_lowercase();
        word = match SHORT.iter().find(|(long, _)| *long == lower) {
            Some((_, short)) => (*short).to_owned(),
            None => cut(&word, random),
        };
    }
    if random.below(100) < style.misprints {
        word = misprint(&word, random);
    }
    word
}

/// A long word without its end, or without its vowels.
fn cut(word: &str, random: &mut Random) -> String {
    let letters: Vec<char> = word.chars().collect();
    if letters.len() < 6 {
        return word.to_owned();
    }
    if random.below(4) == 0 {
        let consonants = letters.iter().enumerate();
        let kept = consonants.filter(|(at, c)| *at == 0 || !"aeiouáéíóú".contains(**c));
        return kept.map(|(_, c)| *c).collect();
    }
    let keep = 4 + random.below(letters.len() - 5);
    let mut short: String = letters.into_iter().take(keep).collect();
    if random.below(2) == 0 {
        short.push('.');
    }
    short
}

fn misprint(word: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 4 {
        return word.to_owned();
    }
    let at = 1 + random.below(letters.len() - 2);
    match random.below(4) {
        0 => letters.swap(at, at + 1),
        1 => {
            letters.remove(at);
        }
        2 => letters.insert(at, letters[at]),
        _ => letters[at] = char::from(b'a' + u8::try_from(random.below(26)).unwrap_or(0)),
    }
    letters.into_iter().collect()
}

/// Sizes written together or in words.
fn sizes(text: &str, style: Style, random: &mut Random) -> String {
    let mut text = text.to_owned();
    if style.rearranges == 0 {
        return text;
    }
    for unit in [" kg", " mm", " cm", " lt", " g", " m", " un", " gl"] {
        if random.below(3) == 0 {
            text = text.replace(&format!("{unit} "), &format!("{} ", unit.trim()));
            if let Some(start) = text.strip_suffix(unit) {
                text = format!("{start}{}", unit.trim());
            }
        }
    }
    if random.below(4) == 0 {
        text = text.replace('"', " pulg");
    }
    if random.below(4) == 0 {
        text = text.replace(',', ".");
    }
    text
}

fn plain(text: &str) -> String {
    let letter = |c: char| match c {
        'á' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' => 'u',
        'ñ' => 'n',
        _ => c,
    };
    text.chars().map(letter).collect()
}

/// An order's number as a supplier writes it.
pub fn order_number(name: &str, random: &mut Random) -> String {
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    let short = digits.trim_start_matches('0');
    match random.below(8) {
        0 => format!("OC-{short}"),
        1 => format!("O/C N° {short}"),
        2 => short.to_owned(),
        3 => format!("OC {name}"),
        4 => name.to_lowercase(),
        5 => format!("Orden de compra {name}"),
        _ => name.to_owned(),
    }
}
