//! The tax on wages (impuesto único de segunda categoría), from the month's UTM.
//!
//! Source: Ley sobre Impuesto a la Renta, art. 43 N° 1, in the scale of Ley 21.210; the tax
//! service's tables are these multiples of the UTM, each rounded to the cent, and those of
//! shorter periods the same multiples of the UTM's share, which is itself rounded to the cent.

use rust_decimal::Decimal;

use crate::pesos::{MAX_MONTO, centavos, redondear};

/// How often a wage is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Periodicidad {
    /// Every month.
    Mensual,
    /// Twice a month.
    Quincenal,
    /// Every week.
    Semanal,
    /// Every day.
    Diaria,
}

impl Periodicidad {
    /// The share of a monthly UTM, to the cent: a half, 7/30, 1/30.
    fn utm(self, utm: Decimal) -> Decimal {
        match self {
            Self::Mensual => utm,
            Self::Quincenal => centavos(utm / Decimal::TWO),
            Self::Semanal => centavos(utm * Decimal::from(7) / Decimal::from(30)),
            Self::Diaria => centavos(utm / Decimal::from(30)),
        }
    }

    /// The tax service's word for it.
    #[must_use]
    pub const fn nombre(self) -> &'static str {
        match self {
            Self::Mensual => "mensual",
            Self::Quincenal => "quincenal",
            Self::Semanal => "semanal",
            Self::Diaria => "diario",
        }
    }
}

/// One bracket of a table, in pesos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tramo {
    /// From here on, to the cent: one cent above the bracket before; 0 in the first.
    pub desde: Decimal,
    /// Up to here, which counts; `None` in the last.
    pub hasta: Option<Decimal>,
    /// The rate as a factor: 0.04 is 4 %.
    pub factor: Decimal,
    /// What is taken off, to the cent.
    pub rebaja: Decimal,
}

/// A table for one UTM and one periodicity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablaImpuesto {
    tramos: Vec<Tramo>,
}

const fn d(valor: u32, decimales: u32) -> Decimal {
    Decimal::from_parts(valor, 0, 0, false, decimales)
}

/// Upper end and rebate in UTM, and the factor; the last has no end.
const ESCALA: [(Option<Decimal>, Decimal, Decimal); 8] = [
    (Some(d(135, 1)), d(0, 0), d(0, 0)),
    (Some(d(30, 0)), d(4, 2), d(54, 2)),
    (Some(d(50, 0)), d(8, 2), d(174, 2)),
    (Some(d(70, 0)), d(135, 3), d(449, 2)),
    (Some(d(90, 0)), d(23, 2), d(1114, 2)),
    (Some(d(120, 0)), d(304, 3), d(1780, 2)),
    (Some(d(310, 0)), d(35, 2), d(2332, 2)),
    (None, d(40, 2), d(3882, 2)),
];

/// The UTM in the first bracket's end.
const UTM_EXENTAS: Decimal = d(135, 1);
const CENTAVO: Decimal = d(1, 2);

impl TablaImpuesto {
    /// The table of a month with this UTM, in pesos; `None` for a UTM that is no amount to
    /// calculate with (not above 0, or beyond [`MAX_MONTO`]).
    #[must_use]
    pub fn de_utm(utm: Decimal, periodicidad: Periodicidad) -> Option<Self> {
        if utm <= Decimal::ZERO || utm > MAX_MONTO {
            return None;
        }
        let utm = periodicidad.utm(utm);
        let mut desde = Decimal::ZERO;
        let tramos = ESCALA
            .iter()
            .map(|(hasta, factor, rebaja)| {
                let hasta = hasta.map(|veces| centavos(veces * utm));
                let tramo = Tramo {
                    desde,
                    hasta,
                    factor: *factor,
                    rebaja: centavos(*rebaja * utm),
                };
                desde = hasta.map_or(desde, |hasta| hasta + CENTAVO);
                tramo
            })
            .collect();
        Some(Self { tramos })
    }

    /// The brackets, from the lowest.
    #[must_use]
    pub fn tramos(&self) -> &[Tramo] {
        &self.tramos
    }

    /// The bracket of a taxable base.
    #[must_use]
    pub fn tramo(&self, base: Decimal) -> Option<&Tramo> {
        self.tramos
            .iter()
            .find(|tramo| tramo.hasta.is_none_or(|hasta| base <= hasta))
    }

    /// The tax on a base in pesos, to the cent: base × factor − rebate, never under 0.
    #[must_use]
    pub fn exacto(&self, base: Decimal) -> Decimal {
        if base <= Decimal::ZERO || base > MAX_MONTO {
            return Decimal::ZERO;
        }
        let impuesto = self
            .tramo(base)
            .map(|tramo| base * tramo.factor - tramo.rebaja);
        centavos(impuesto.unwrap_or_default().max(Decimal::ZERO))
    }

    /// The tax as it is withheld: to the peso.
    #[must_use]
    pub fn impuesto(&self, base: Decimal) -> Decimal {
        redondear(self.exacto(base))
    }
}

/// The UTM of a published monthly table, from the end of its exempt bracket (13.5 UTM);
/// `None` where that isn't a whole number of pesos.
#[must_use]
pub fn utm_implicita(fin_exento: Decimal) -> Option<Decimal> {
    if fin_exento <= Decimal::ZERO || fin_exento > MAX_MONTO {
        return None;
    }
    let utm = fin_exento / UTM_EXENTAS;
    utm.is_integer().then(|| utm.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dec(texto: &str) -> Decimal {
        texto.parse().unwrap()
    }

    #[test]
    fn the_multiples_of_the_utm_are_rounded_to_the_cent() {
        let tabla = TablaImpuesto::de_utm(dec("69889"), Periodicidad::Mensual).unwrap();
        let ultimo = tabla.tramos().last().unwrap();
        assert_eq!(
            (ultimo.desde, ultimo.rebaja),
            (dec("21665590.01"), dec("2713090.98"))
        );
        assert_eq!(tabla.tramos()[1].hasta, Some(dec("2096670")));
        let diaria = TablaImpuesto::de_utm(dec("50978"), Periodicidad::Diaria).unwrap();
        assert_eq!(diaria.tramos()[0].hasta, Some(dec("22940.15")));
        assert_eq!(diaria.tramos()[3].rebaja, dec("7629.72"));
        let semanal = TablaImpuesto::de_utm(dec("50978"), Periodicidad::Semanal).unwrap();
        assert_eq!(semanal.tramos()[0].hasta, Some(dec("160580.75")));
        assert_eq!(utm_implicita(dec("943501.50")), Some(dec("69889")));
        assert_eq!(utm_implicita(dec("943501.51")), None);
        assert_eq!(utm_implicita(Decimal::ZERO), None);
    }

    #[test]
    fn the_golden_case() {
        let tabla = TablaImpuesto::de_utm(dec("69611"), Periodicidad::Mensual).unwrap();
        assert_eq!(tabla.exacto(dec("1216950")), dec("11088.06"));
        assert_eq!(tabla.impuesto(dec("1216950")), dec("11088"));
        assert_eq!(tabla.impuesto(dec("-1")), Decimal::ZERO);
        assert_eq!(
            TablaImpuesto::de_utm(Decimal::ZERO, Periodicidad::Mensual),
            None
        );
        assert_eq!(
            TablaImpuesto::de_utm(Decimal::MAX, Periodicidad::Mensual),
            None
        );
    }

    proptest! {
        #[test]
        fn the_tax_is_continuous_at_the_borders_and_grows(utm in 30_000_u32..200_000) {
            for periodicidad in [Periodicidad::Mensual, Periodicidad::Quincenal, Periodicidad::Semanal, Periodicidad::Diaria] {
                let tabla = TablaImpuesto::de_utm(utm.into(), periodicidad).unwrap();
                let mut anterior = Decimal::ZERO;
                for tramo in tabla.tramos() {
                    let aqui = tabla.exacto(tramo.desde);
                    prop_assert!((aqui - anterior).abs() <= dec("0.03"), "{tramo:?}");
                    anterior = tramo.hasta.map_or(aqui, |hasta| tabla.exacto(hasta));
                }
            }
        }

        #[test]
        fn more_pay_never_leaves_less(base in 0_u32..400_000_000, mas in 0_u32..1_000_000) {
            let tabla = TablaImpuesto::de_utm(dec("69889"), Periodicidad::Mensual).unwrap();
            let neto = |base: u32| Decimal::from(base) - tabla.impuesto(base.into());
            prop_assert!(neto(base + mas) >= neto(base) - Decimal::ONE);
            prop_assert!(tabla.impuesto((base + mas).into()) >= tabla.impuesto(base.into()));
        }
    }
}
