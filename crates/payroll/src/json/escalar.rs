//! A JSON scalar in its own words: numbers stay text, so that none becomes a float.

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::value::RawValue;

/// The decimals that are kept of a number: what comes after them is the noise of a float.
const DECIMALES: u32 = 6;

/// The longest text of a number.
const MAX_CIFRAS: usize = 64;

/// One value of an object, by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Escalar {
    /// `null`, `false`, or a text without content: how ERPs write "nothing".
    Vacio,
    /// `true`.
    Cierto,
    /// A number as it is written.
    Numero(String),
    /// A text without white space around it.
    Texto(String),
    /// An object, or a list that isn't `[id, name]`.
    Compuesto,
}

impl Escalar {
    pub fn leer(valor: &RawValue) -> Self {
        let crudo = valor.get().trim();
        match crudo.as_bytes().first() {
            Some(b'n' | b'f') | None => Self::Vacio,
            Some(b't') => Self::Cierto,
            Some(b'[') => Self::par(crudo),
            Some(b'{') => Self::Compuesto,
            Some(b'"') => match serde_json::from_str::<String>(crudo) {
                Ok(texto) if texto.trim().is_empty() => Self::Vacio,
                Ok(texto) => Self::Texto(texto.trim().to_owned()),
                Err(_) => Self::Compuesto,
            },
            Some(_) => Self::Numero(crudo.to_owned()),
        }
    }

    /// Odoo's reference to a record: `[7, "AFP Modelo"]`. Its name says more than its number.
    fn par(crudo: &str) -> Self {
        match serde_json::from_str::<(u64, String)>(crudo) {
            Ok((_, nombre)) if !nombre.trim().is_empty() => Self::Texto(nombre.trim().to_owned()),
            Ok((id, _)) => Self::Numero(id.to_string()),
            Err(_) => Self::Compuesto,
        }
    }

    /// What is shown of it to a person.
    pub fn muestra(&self) -> String {
        let texto = match self {
            Self::Numero(texto) | Self::Texto(texto) => texto.as_str(),
            Self::Cierto => "true",
            Self::Vacio => "",
            Self::Compuesto => "una lista o un objeto",
        };
        texto.chars().take(60).collect()
    }
}

/// A number: `1000`, `1e3`, `1234567.0`; in a text also `1.234.567`, `1.234.567,89`, `$ 1.000`,
/// `7,5 %`. Not through a float.
pub(crate) fn decimal(escalar: &Escalar) -> Option<Decimal> {
    let valor = match escalar {
        Escalar::Numero(texto) => simple(texto),
        Escalar::Texto(texto) => {
            let limpio: String = texto
                .chars()
                .filter(|c| !matches!(c, '$' | '%' | ' ' | '\u{a0}'))
                .collect();
            chileno(&limpio)
        }
        Escalar::Vacio | Escalar::Cierto | Escalar::Compuesto => None,
    }?;
    Some(valor.round_dp_with_strategy(DECIMALES, RoundingStrategy::MidpointAwayFromZero))
}

fn simple(texto: &str) -> Option<Decimal> {
    let valido = texto
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    if !valido || texto.len() > MAX_CIFRAS {
        return None;
    }
    Decimal::from_str_exact(texto)
        .or_else(|_| texto.parse())
        .or_else(|_| Decimal::from_scientific(texto))
        .ok()
}

/// Points are for thousands where there is a comma, or where they stand before three digits
/// each; else the one point is the decimal one.
pub(crate) fn chileno(texto: &str) -> Option<Decimal> {
    if texto.contains(',') {
        let (entero, decimales) = texto.split_once(',')?;
        let sin_puntos = entero.replace('.', "");
        return simple(&format!("{sin_puntos}.{decimales}"));
    }
    let mut grupos = texto.trim_start_matches('-').split('.');
    let primero = grupos.next().unwrap_or_default();
    let resto: Vec<&str> = grupos.collect();
    let miles =
        !resto.is_empty() && (1..=3).contains(&primero.len()) && resto.iter().all(|g| g.len() == 3);
    if miles && primero != "0" {
        return simple(&texto.replace('.', ""));
    }
    simple(texto)
}

/// A day: `2024-06-30`, also with a time after it, or `30/06/2024`, `30-06-2024`.
pub(super) fn fecha(escalar: &Escalar) -> Option<Date> {
    let Escalar::Texto(texto) = escalar else {
        return None;
    };
    let dia = texto.split(['T', ' ']).next().unwrap_or_default();
    let partes: Vec<i16> = dia
        .split(['-', '/'])
        .map(|parte| parte.parse().ok())
        .collect::<Option<_>>()?;
    let (anio, mes, dia) = match (partes.as_slice(), dia.find(['-', '/'])) {
        ([anio, mes, dia], Some(4)) => (*anio, *mes, *dia),
        ([dia, mes, anio], Some(1 | 2)) => (*anio, *mes, *dia),
        _ => return None,
    };
    let corto = |valor| i8::try_from(valor).ok();
    let dia = Date::new(anio, corto(mes)?, corto(dia)?).ok()?;
    (1900..=2200).contains(&dia.year()).then_some(dia)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn texto(texto: &str) -> Escalar {
        Escalar::Texto(texto.to_owned())
    }

    #[test]
    fn numbers_are_read_without_floats() {
        for (crudo, valor) in [
            ("1000.0", Some("1000")),
            ("1e3", Some("1000")),
            ("0.30000000000000004", Some("0.3")),
            ("-97759.999999999", Some("-97760")),
            ("1e400", None),
            ("9e27", Some("9000000000000000000000000000")),
        ] {
            let leido = decimal(&Escalar::Numero(crudo.to_owned()));
            assert_eq!(leido, valor.map(|v| v.parse().unwrap()), "{crudo}");
        }
        for (crudo, valor) in [
            ("1.234.567", Some("1234567")),
            ("$ 1.234.567,89", Some("1234567.89")),
            ("786.000", Some("786000")),
            ("786000.50", Some("786000.5")),
            ("0.125", Some("0.125")),
            ("11,45%", Some("11.45")),
            ("-5.000", Some("-5000")),
            ("mil", None),
            ("1,2,3", None),
            ("", None),
        ] {
            assert_eq!(
                decimal(&texto(crudo)),
                valor.map(|v| v.parse().unwrap()),
                "{crudo}"
            );
        }
    }

    #[test]
    fn days_are_read_as_they_are_written() {
        let dia = Some(date(2024, 6, 30));
        for crudo in [
            "2024-06-30",
            "2024-06-30T00:00:00",
            "2024-06-30 10:00",
            "30/06/2024",
            "30-06-2024",
        ] {
            assert_eq!(fecha(&texto(crudo)), dia, "{crudo}");
        }
        for crudo in ["2024-06-31", "06-2024", "hoy", "30/06/24", "2024-é-1"] {
            assert_eq!(fecha(&texto(crudo)), None, "{crudo}");
        }
    }
}
