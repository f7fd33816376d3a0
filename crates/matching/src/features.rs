//! What speaks for an order, as a few numbers from 0 to 1.

use crate::choice::weighted;
use crate::coefficients;

/// What speaks for an order, or for several together. Each from 0 to 1; parts of the invoice
/// are half by number of lines, half by amount.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Features {
    /// How alike the descriptions of the lines are, over all of the invoice.
    pub text: f64,
    /// How well the unit prices agree.
    pub price: f64,
    /// How well the quantities fit what is left to invoice.
    pub quantity: f64,
    /// The part of the invoice whose lines agree in all three.
    pub strong: f64,
    /// How well the totals agree; ½ where one isn't known.
    pub total: f64,
    /// The invoice names the order: 1, or 0.8 where only the number is the same.
    pub reference: f64,
    /// 1 where the invoice names an order, and not this one.
    pub other_reference: f64,
    /// The same supplier: 1 by RUT or id, less by name.
    pub supplier: f64,
    /// 1 where the order is younger than the invoice.
    pub late: f64,
    /// How near the dates are: 1 on the same day, ½ after a month.
    pub recent: f64,
}

impl Features {
    /// The values, after a constant 1.
    #[must_use]
    pub const fn values(&self) -> [f64; 11] {
        [
            1.0,
            self.text,
            self.price,
            self.quantity,
            self.strong,
            self.total,
            self.reference,
            self.other_reference,
            self.supplier,
            self.late,
            self.recent,
        ]
    }

    /// The weighted sum: the logarithm of the odds against "none of them".
    pub(crate) fn sum(&self) -> f64 {
        weighted(&coefficients::ORDER, &self.values())
    }
}
