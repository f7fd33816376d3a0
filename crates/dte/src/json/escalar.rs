//! A JSON scalar in its own words: numbers stay text, so that none becomes a float.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::value::RawValue;

use crate::valores;
use findings::text_of;

/// The decimals that are kept of a JSON number: the most that the format knows. What comes
/// after them is the noise of a float (`0.1 + 0.2`), and is rounded away.
const DECIMALES: u32 = 6;

/// One value of an object, by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Escalar<'a> {
    /// `null`, `false`, or a text without content: how ERPs write "nothing".
    Vacio,
    /// `true`.
    Cierto,
    /// A number as it is written.
    Numero(&'a str),
    /// A text without white space around it.
    Texto(String),
    /// A list or an object.
    Compuesto,
}

impl<'a> Escalar<'a> {
    pub fn leer(valor: &'a RawValue) -> Self {
        let crudo = valor.get().trim();
        match crudo.as_bytes().first() {
            Some(b'n' | b'f') | None => Self::Vacio,
            Some(b't') => Self::Cierto,
            Some(b'{' | b'[') => Self::Compuesto,
            Some(b'"') => match text_of(crudo) {
                Some(texto) if texto.trim().is_empty() => Self::Vacio,
                Some(texto) => Self::Texto(texto.trim().to_owned()),
                None => Self::Compuesto,
            },
            Some(_) => Self::Numero(crudo),
        }
    }
}

/// A number, also with an exponent, without going through a float.
pub(super) fn decimal(texto: &str) -> Option<Decimal> {
    let exacto = valores::decimal(texto).or_else(|| con_exponente(texto))?;
    Some(exacto.round_dp_with_strategy(DECIMALES, RoundingStrategy::MidpointAwayFromZero))
}

fn con_exponente(texto: &str) -> Option<Decimal> {
    let valido = texto
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    if valido && texto.len() <= 64 {
        Decimal::from_scientific(texto).ok()
    } else {
        None
    }
}

/// An integer, also written with zero decimals.
pub(super) fn entero(texto: &str) -> Option<i64> {
    let valor = decimal(texto)?;
    if valor.is_integer() {
        valores::entero(&valor.trunc().normalize().to_string())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_without_floats() {
        for (texto, valor) in [
            ("1000.0", Some("1000")),
            ("1e3", Some("1000")),
            ("1.5E-1", Some("0.15")),
            ("0.30000000000000004", Some("0.3")),
            ("999.9999999999999", Some("1000")),
            ("9007199254740993", Some("9007199254740993")),
            ("1e400", None),
            ("1,5", None),
            ("mil", None),
        ] {
            assert_eq!(decimal(texto), valor.map(|v| v.parse().unwrap()), "{texto}");
        }
        assert_eq!(entero("33.0"), Some(33));
        assert_eq!(entero("33.5"), None);
    }
}
