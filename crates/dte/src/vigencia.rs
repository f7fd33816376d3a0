//! From when to when a rule holds.

use jiff::civil::Date;

/// The days on which a rule holds: a document is judged by the rules of its own `FchEmis`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vigencia {
    /// The first day; always, where there is none.
    pub desde: Option<Date>,
    /// The last day; still, where there is none.
    pub hasta: Option<Date>,
}

impl Vigencia {
    /// Always.
    pub const SIEMPRE: Self = Self {
        desde: None,
        hasta: None,
    };

    /// From a day on.
    #[must_use]
    pub const fn desde(dia: Date) -> Self {
        Self {
            desde: Some(dia),
            hasta: None,
        }
    }

    /// Up to a day, which counts.
    #[must_use]
    pub const fn hasta(dia: Date) -> Self {
        Self {
            desde: None,
            hasta: Some(dia),
        }
    }

    /// Whether the rule holds on a day. Where the day can't be read, only what holds always
    /// does.
    #[must_use]
    pub fn rige(&self, dia: Option<Date>) -> bool {
        match dia {
            None => *self == Self::SIEMPRE,
            Some(dia) => {
                self.desde.is_none_or(|desde| desde <= dia)
                    && self.hasta.is_none_or(|hasta| dia <= hasta)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn both_ends_count() {
        let (antes, dia, despues) = (date(2026, 4, 30), date(2026, 5, 1), date(2026, 5, 2));
        assert!(Vigencia::SIEMPRE.rige(None) && Vigencia::SIEMPRE.rige(Some(dia)));
        let desde = Vigencia::desde(dia);
        assert_eq!(
            [antes, dia, despues].map(|d| desde.rige(Some(d))),
            [false, true, true]
        );
        let hasta = Vigencia::hasta(dia);
        assert_eq!(
            [antes, dia, despues].map(|d| hasta.rige(Some(d))),
            [true, true, false]
        );
        assert!(!desde.rige(None) && !hasta.rige(None));
    }
}
