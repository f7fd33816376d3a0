//! Amounts as a Chilean reads them, and the rounding of the practice.

use rust_decimal::{Decimal, RoundingStrategy};

/// The largest amount that is calculated with, in pesos: far above any wage, and small enough
/// that no product or sum of a payslip overflows.
pub const MAX_MONTO: Decimal = Decimal::from_parts(0xd4a5_1000, 0xe8, 0, false, 0);

/// Whether an amount may be calculated with.
pub(crate) fn calculable(monto: Decimal) -> bool {
    monto.abs() <= MAX_MONTO
}

/// To the peso, half up: the rounding of Previred and of the payroll systems seen.
#[must_use]
pub fn redondear(monto: Decimal) -> Decimal {
    monto.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
}

/// To the cent, half up: the tax service's tables.
#[must_use]
pub fn centavos(monto: Decimal) -> Decimal {
    monto.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// `tasa` percent of `base`, not rounded. Both are bounded by the readers.
pub(crate) fn porcentaje(base: Decimal, tasa: Decimal) -> Decimal {
    base * tasa / Decimal::ONE_HUNDRED
}

/// An amount in pesos as it is written in Chile: `$1.234.567`, `-$12`, `$7.383,2233`.
#[must_use]
pub fn pesos(monto: Decimal) -> String {
    format!("{}${}", signo(monto), cifras(monto))
}

/// A number as it is written in Chile, without a currency: `1.234,5`.
pub(crate) fn numero(monto: Decimal) -> String {
    format!("{}{}", signo(monto), cifras(monto))
}

fn signo(monto: Decimal) -> &'static str {
    if monto.is_sign_negative() && !monto.is_zero() {
        "-"
    } else {
        ""
    }
}

/// The digits without a sign, with points for thousands and a comma for decimals.
fn cifras(monto: Decimal) -> String {
    let texto = monto.abs().normalize().to_string();
    let (entero, decimales) = texto.split_once('.').unwrap_or((&texto, ""));
    let mut salida = String::with_capacity(texto.len() + entero.len() / 3 + 1);
    for (indice, cifra) in entero.chars().enumerate() {
        if indice > 0 && (entero.len() - indice).is_multiple_of(3) {
            salida.push('.');
        }
        salida.push(cifra);
    }
    if !decimales.is_empty() {
        salida.push(',');
        salida.push_str(decimales);
    }
    salida
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(texto: &str) -> Decimal {
        texto.parse().unwrap()
    }

    #[test]
    fn amounts_are_written_as_in_chile() {
        for (monto, texto) in [
            ("0", "$0"),
            ("-0.0", "$0"),
            ("1000", "$1.000"),
            ("-1234567.50", "-$1.234.567,5"),
        ] {
            assert_eq!(pesos(d(monto)), texto);
        }
        assert_eq!(numero(d("39841.72")), "39.841,72");
        assert_eq!(MAX_MONTO, d("1000000000000"));
    }

    #[test]
    fn halves_go_up() {
        assert_eq!(redondear(d("1474706.5")), d("1474707"));
        assert_eq!(redondear(d("-0.5")), d("-1"));
        assert_eq!(centavos(d("22940.145")), d("22940.15"));
    }
}
