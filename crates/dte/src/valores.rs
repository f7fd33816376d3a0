//! Text to exact values: what both readers agree on.

use jiff::civil::Date;
use rust_decimal::Decimal;

/// A decimal number as XML Schema writes it: a sign, digits, a point. No exponent, no
/// thousands, no comma. `None` for anything else and for more digits than are exact (28).
pub(crate) fn decimal(texto: &str) -> Option<Decimal> {
    let cifras = texto.strip_prefix(['-', '+']).unwrap_or(texto);
    let mut puntos = 0;
    let mut digitos = 0;
    for byte in cifras.bytes() {
        match byte {
            b'0'..=b'9' => digitos += 1,
            b'.' => puntos += 1,
            _ => return None,
        }
    }
    if digitos == 0 || puntos > 1 {
        return None;
    }
    Decimal::from_str_exact(texto).ok()
}

/// An integer of at most 18 digits.
pub(crate) fn entero(texto: &str) -> Option<i64> {
    let cifras = texto.strip_prefix('-').unwrap_or(texto);
    let valido = (1..=18).contains(&cifras.len()) && cifras.bytes().all(|b| b.is_ascii_digit());
    if valido { texto.parse().ok() } else { None }
}

/// A day written exactly `AAAA-MM-DD`.
pub(crate) fn fecha(texto: &str) -> Option<Date> {
    let bytes = texto.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let campo = |desde: usize, hasta: usize| -> Option<i16> {
        let cifras = texto.get(desde..hasta)?;
        cifras
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| cifras.parse().ok())?
    };
    let (mes, dia) = (campo(5, 7)?, campo(8, 10)?);
    Date::new(
        campo(0, 4)?,
        i8::try_from(mes).ok()?,
        i8::try_from(dia).ok()?,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        for (texto, valor) in [
            ("0", Some("0")),
            ("7383.2233", Some("7383.2233")),
            ("1.0", Some("1.0")),
            (".5", Some("0.5")),
            ("-12", Some("-12")),
            ("+3", Some("3")),
            ("1e3", None),
            ("1_000", None),
            ("1,5", None),
            ("1.000.000", None),
            ("", None),
            (".", None),
            ("99999999999999999999999999999999", None),
        ] {
            assert_eq!(decimal(texto), valor.map(|v| v.parse().unwrap()), "{texto}");
        }
        assert_eq!(entero("0033"), Some(33));
        assert_eq!(entero("33.0"), None);
        assert_eq!(entero("9999999999999999999"), None);
    }

    #[test]
    fn only_real_days_are_dates() {
        assert_eq!(fecha("2026-02-28").unwrap().to_string(), "2026-02-28");
        for texto in [
            "2026-02-29",
            "2026-2-28",
            "28-02-2026",
            "2026-11-20T10:00",
            "20261120",
            "2026-1\u{e9}-1",
        ] {
            assert_eq!(fecha(texto), None, "{texto}");
        }
    }
}
