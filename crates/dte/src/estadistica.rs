//! Medians, exact.

use rust_decimal::Decimal;

/// The median of some amounts; of an even number, the mean of the middle two. Sorts them.
pub(crate) fn mediana(montos: &mut [Decimal]) -> Option<Decimal> {
    montos.sort_unstable();
    let medio = montos.len() / 2;
    let alto = *montos.get(medio)?;
    if montos.len() % 2 == 1 {
        return Some(alto);
    }
    let bajo = *montos.get(medio.checked_sub(1)?)?;
    bajo.checked_add(alto)?.checked_div(Decimal::TWO)
}

/// The median, and the median of the distances from it (MAD): both shrug at a few wild ones.
pub(crate) fn mediana_y_desviacion(mut montos: Vec<Decimal>) -> Option<(Decimal, Decimal)> {
    let centro = mediana(&mut montos)?;
    for monto in &mut montos {
        *monto = monto.checked_sub(centro)?.abs();
    }
    Some((centro, mediana(&mut montos)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_exact_and_shrug_at_the_wild() {
        let montos = |cifras: &[i64]| cifras.iter().map(|c| Decimal::from(*c)).collect::<Vec<_>>();
        assert_eq!(mediana(&mut []), None);
        assert_eq!(mediana(&mut montos(&[3, 1, 2])), Some(Decimal::TWO));
        assert_eq!(mediana(&mut montos(&[1, 2])), Some(Decimal::new(15, 1)));
        assert_eq!(
            mediana_y_desviacion(montos(&[10, 12, 11, 9, 1_000_000])),
            Some((Decimal::from(11), Decimal::ONE))
        );
        assert_eq!(
            mediana_y_desviacion(vec![Decimal::MIN, Decimal::MAX, Decimal::MAX]),
            None
        );
    }
}
