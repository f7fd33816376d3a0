//! Quantities in different units made comparable.

use rust_decimal::Decimal;

use crate::text::fold;

/// What a unit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Piece,
    Gram,
    Millimetre,
    Millilitre,
    SquareMetre,
    CubicMetre,
    Minute,
    /// A package of an unknown number of pieces.
    Package,
}

/// A unit in base units of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    kind: Kind,
    size: u32,
}

impl Unit {
    /// Reads a unit as ERPs and suppliers write it; `None` for one that isn't known.
    pub fn read(text: &str) -> Option<Self> {
        let folded = fold(text);
        let word = folded.trim().trim_end_matches("(s)");
        let (kind, size) = match word {
            "un" | "u" | "und" | "unid" | "unidad" | "unidades" | "units" | "unit" | "ud"
            | "uds" | "uni" | "c u" | "pza" | "pieza" | "piezas" | "each" | "ea" | "unidad es"
            | "unidad  es" => (Kind::Piece, 1),
            "par" | "pares" | "pr" => (Kind::Piece, 2),
            "doc" | "docena" | "docenas" | "dz" | "dozen" | "dozens" | "dc" => (Kind::Piece, 12),
            "ciento" | "cien" | "cto" => (Kind::Piece, 100),
            "millar" | "mil" | "mll" => (Kind::Piece, 1_000),
            "g" | "gr" | "grs" | "gramo" | "gramos" => (Kind::Gram, 1),
            "kg" | "kgs" | "kilo" | "kilos" | "kilogramo" | "kilogramos" | "k" => {
                (Kind::Gram, 1_000)
            }
            "qq" | "quintal" | "quintales" => (Kind::Gram, 100_000),
            "t" | "tn" | "ton" | "tons" | "tonelada" | "toneladas" => (Kind::Gram, 1_000_000),
            "mm" => (Kind::Millimetre, 1),
            "cm" | "cms" => (Kind::Millimetre, 10),
            "m" | "mt" | "mts" | "mtr" | "metro" | "metros" | "ml" | "m l" => {
                (Kind::Millimetre, 1_000)
            }
            "km" => (Kind::Millimetre, 1_000_000),
            "cc" => (Kind::Millilitre, 1),
            "l" | "lt" | "lts" | "ltr" | "litro" | "litros" => (Kind::Millilitre, 1_000),
            "gl" | "gal" | "galon" | "galones" => (Kind::Millilitre, 3_785),
            "m2" | "mt2" | "mts2" => (Kind::SquareMetre, 1),
            "m3" | "mt3" | "mts3" => (Kind::CubicMetre, 1),
            "min" | "minuto" | "minutos" => (Kind::Minute, 1),
            "h" | "hr" | "hrs" | "hora" | "horas" | "hh" => (Kind::Minute, 60),
            "caja" | "cajas" | "cj" | "cja" | "pack" | "packs" | "paquete" | "paquetes"
            | "pqte" | "paq" | "pqt" | "bolsa" | "bolsas" | "bls" | "saco" | "sacos" | "sc"
            | "rollo" | "rollos" | "rll" | "tira" | "tiras" | "display" | "set" | "bidon"
            | "tambor" | "tineta" | "resma" | "resmas" | "pallet" | "bandeja" | "malla" | "box" => {
                (Kind::Package, 1)
            }
            _ => return None,
        };
        Some(Self { kind, size })
    }
}

/// How many of `b` one of `a` is, as a fraction (numerator, denominator), where the units
/// alone tell it.
pub(crate) fn ratio(a: Unit, b: Unit) -> Option<(Decimal, Decimal)> {
    (a.kind == b.kind).then(|| (Decimal::from(a.size), Decimal::from(b.size)))
}

/// The fractions that may turn a quantity of `a` into one of `b`.
///
/// The same or convertible units give one. Where a package stands against something else, or
/// a unit isn't known, the sizes that the descriptions state are possible as well (a box of
/// 12, a sack of 25 kg), and of pieces a dozen.
pub(crate) fn conversions(
    a: Option<Unit>,
    b: Option<Unit>,
    stated: impl Iterator<Item = u64>,
) -> Vec<(Decimal, Decimal)> {
    if let (Some(a), Some(b)) = (a, b)
        && let Some(ratio) = ratio(a, b)
        && a.kind != Kind::Package
    {
        return vec![ratio];
    }
    let mut found = vec![(Decimal::ONE, Decimal::ONE)];
    let sizes = stated
        .chain([12])
        .filter(|size| (2..=10_000).contains(size));
    for size in sizes {
        let size = Decimal::from(size);
        let inner = [a, b]
            .into_iter()
            .flatten()
            .find(|unit| unit.kind != Kind::Package);
        // A sack of 25 (kg) is 25,000 g: against tons the size is converted as well.
        let scale = match inner.map(|unit| (unit.kind, unit.size)) {
            Some((Kind::Gram, grams)) => (Decimal::ONE_THOUSAND, Decimal::from(grams)),
            Some((Kind::Millimetre, millimetres)) => {
                (Decimal::ONE_THOUSAND, Decimal::from(millimetres))
            }
            Some((_, per)) => (Decimal::ONE, Decimal::from(per)),
            None => (Decimal::ONE, Decimal::ONE),
        };
        for fraction in [(size * scale.0, scale.1), (scale.1, size * scale.0)] {
            if found.len() < 12 && !found.contains(&fraction) {
                found.push(fraction);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(a: &str, b: &str, stated: &[u64]) -> Vec<String> {
        conversions(Unit::read(a), Unit::read(b), stated.iter().copied())
            .into_iter()
            .map(|(above, below)| (above / below).normalize().to_string())
            .collect()
    }

    #[test]
    fn units_that_convert_have_one_ratio() {
        for (a, b, ratio) in [
            ("UN", "Unidad(es)", "1"),
            ("Docena", "un", "12"),
            ("par", "UN", "2"),
            ("TON", "kilos", "1000"),
            ("cm", "mts", "0.01"),
            ("Lt", "cc", "1000"),
            ("HH", "hora", "1"),
        ] {
            assert_eq!(convert(a, b, &[25]), [ratio], "{a} {b}");
        }
    }

    #[test]
    fn packages_are_as_large_as_is_stated() {
        assert!(convert("caja", "un", &[24]).contains(&"24".to_owned()));
        assert!(convert("un", "caja", &[50]).contains(&"0.02".to_owned()));
        assert!(convert("saco", "kg", &[25]).contains(&"25".to_owned()));
        assert!(convert("saco", "ton", &[25]).contains(&"0.025".to_owned()));
        assert_eq!(convert("kg", "un", &[])[0], "1");
        assert!(convert("caja", "un", &(0..500).collect::<Vec<_>>()).len() <= 13);
    }
}
