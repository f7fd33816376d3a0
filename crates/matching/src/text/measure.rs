//! Numbers with their units, in a base unit.

use super::Token;

/// What a number measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Dimension {
    /// Nothing that is said.
    None,
    /// Millimetres.
    Length,
    /// Inches; not converted, for nobody buys a pipe of 12,7 mm as one of 1/2".
    Inch,
    /// Grams.
    Mass,
    /// Millilitres.
    Volume,
    /// Pieces.
    Pieces,
    /// Watts.
    Power,
    /// Volts.
    Voltage,
    /// Amperes.
    Current,
    /// Gigabytes, in megabytes.
    Memory,
    /// Hours, in minutes.
    Time,
    /// Square metres.
    Area,
    /// Cubic metres.
    Space,
}

/// A unit's word: what it measures and how many base units it is, in thousandths.
pub(crate) fn unit(word: &str) -> Option<(Dimension, u64)> {
    use Dimension::{
        Area, Current, Inch, Length, Mass, Memory, Pieces, Power, Space, Time, Voltage, Volume,
    };
    Some(match word {
        "mm" | "milimetro" | "milimetros" => (Length, 1_000),
        "cm" | "cms" | "centimetro" | "centimetros" => (Length, 10_000),
        "m" | "mt" | "mts" | "mtr" | "metro" | "metros" => (Length, 1_000_000),
        "pulg" | "pulgada" | "pulgadas" | "plg" | "in" => (Inch, 1_000),
        "g" | "gr" | "grs" | "gramo" | "gramos" => (Mass, 1_000),
        "kg" | "kgs" | "kilo" | "kilos" | "kilogramo" | "kilogramos" | "k" => (Mass, 1_000_000),
        "ton" | "tons" | "tonelada" | "toneladas" | "tn" => (Mass, 1_000_000_000),
        "ml" | "cc" => (Volume, 1_000),
        "l" | "lt" | "lts" | "ltr" | "litro" | "litros" => (Volume, 1_000_000),
        "gl" | "gal" | "galon" | "galones" => (Volume, 3_785_000),
        "un" | "und" | "unid" | "unidad" | "unidades" | "uds" | "ud" | "pza" | "pzas" | "pieza"
        | "piezas" | "hojas" | "hoja" | "hjs" => (Pieces, 1_000),
        "w" | "watt" | "watts" => (Power, 1_000),
        "kw" => (Power, 1_000_000),
        "v" | "volt" | "volts" => (Voltage, 1_000),
        "a" | "amp" | "amps" | "amperes" => (Current, 1_000),
        "mb" => (Memory, 1_000),
        "gb" => (Memory, 1_000_000),
        "tb" => (Memory, 1_000_000_000),
        "min" | "minutos" => (Time, 1_000),
        "h" | "hr" | "hrs" | "hora" | "horas" => (Time, 60_000),
        "m2" | "mt2" | "mts2" => (Area, 1_000),
        "m3" | "mt3" | "mts3" => (Space, 1_000),
        _ => return None,
    })
}

/// Reads what begins with a digit; how many parts were used.
pub(super) fn read(parts: &[&str]) -> (Option<Token>, usize) {
    let Some(first) = parts.first().copied() else {
        return (None, 1);
    };
    if let Some((token, used)) = sides(parts) {
        return (Some(token), used);
    }
    let (digits, rest) = split(first);
    let Some(mut written) = number(digits) else {
        return (Some(Token::Code(first.to_owned())), 1);
    };
    let mut used = 1;
    let mut word = rest;
    if rest.is_empty() {
        // "1 1/2": a whole and a fraction.
        if let Some(next) = parts.get(used)
            && next.contains('/')
            && !digits.contains(['/', '.'])
            && let Some(fraction) = number(next)
        {
            written = written.saturating_add(fraction);
            used += 1;
        }
        word = parts.get(used).copied().unwrap_or_default();
    }
    match unit(word) {
        Some((dimension, factor)) => {
            used += usize::from(rest.is_empty());
            (Some(measure(written, dimension, factor)), used)
        }
        None if rest.is_empty() => (Some(measure(written, Dimension::None, 1_000)), used),
        None => (Some(Token::Code(first.to_owned())), 1),
    }
}

/// `10x20`, `10 x 20 x 3 cm`: sides belong together.
fn sides(parts: &[&str]) -> Option<(Token, usize)> {
    let mut joined = String::new();
    let mut used = 0;
    let mut open = true;
    for part in parts.iter().take(6) {
        let fits = if *part == "x" {
            !open
        } else if open {
            part.starts_with(|c: char| c.is_ascii_digit())
        } else {
            part.starts_with('x') && part.len() > 1
        };
        let figures = part
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'.' | b'/' | b'x'));
        if !fits || !figures {
            break;
        }
        joined.push_str(part);
        open = part.ends_with('x');
        used += 1;
    }
    let sides: Vec<String> = joined
        .split('x')
        .filter(|side| !side.is_empty())
        .map(|side| number(side).map_or_else(|| side.to_owned(), |value| value.to_string()))
        .collect();
    if sides.len() < 2 || open {
        return None;
    }
    let last = parts.get(used).copied().unwrap_or_default();
    used += usize::from(unit(last).is_some());
    Some((Token::Code(sides.join("x")), used))
}

fn measure(written: u64, dimension: Dimension, factor: u64) -> Token {
    Token::Measure {
        base: written.saturating_mul(factor) / 1_000,
        written,
        dimension,
    }
}

/// The figures in front, and what follows them.
fn split(part: &str) -> (&str, &str) {
    let end = part
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '/'))
        .unwrap_or(part.len());
    part.split_at(end)
}

/// Thousandths: `25`, `2.5`, `1/2`; `1.000` is a thousand.
fn number(digits: &str) -> Option<u64> {
    if let Some((above, below)) = digits.split_once('/') {
        let (above, below): (u64, u64) = (above.parse().ok()?, below.parse().ok()?);
        return above.checked_mul(1_000)?.checked_div(below);
    }
    let Some((whole, decimals)) = digits.split_once('.') else {
        return digits.parse::<u64>().ok()?.checked_mul(1_000);
    };
    let thousands = decimals.len() == 3 && whole.len() <= 3 && whole != "0";
    if thousands || decimals.contains('.') {
        let all: String = digits.chars().filter(|c| *c != '.').collect();
        return all.parse::<u64>().ok()?.checked_mul(1_000);
    }
    let three: String = decimals.chars().chain("000".chars()).take(3).collect();
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse::<u64>().ok()?
    };
    whole.checked_mul(1_000)?.checked_add(three.parse().ok()?)
}
