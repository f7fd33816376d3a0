//! The amounts that are calculated with, and the rounding of the practice.

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

#[cfg(test)]
mod tests {
    use super::*;

    fn d(texto: &str) -> Decimal {
        texto.parse().unwrap()
    }

    #[test]
    fn halves_go_up() {
        assert_eq!(MAX_MONTO, d("1000000000000"));
        assert_eq!(redondear(d("1474706.5")), d("1474707"));
        assert_eq!(redondear(d("-0.5")), d("-1"));
        assert_eq!(centavos(d("22940.145")), d("22940.15"));
    }
}
