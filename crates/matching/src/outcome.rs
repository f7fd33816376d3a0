//! What is answered.

use rust_decimal::Decimal;

use crate::features::Features;
use crate::tie::Tie;

/// How an order is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// From this confidence on (0 to 100) an order is named; below it the answer is none.
    pub decide_at: u8,
    /// What a unit price may differ by, relative to the order's: 0.05 is 5 %.
    pub price_tolerance: Decimal,
}

impl Default for Options {
    /// Decides at 70, with a tolerance of 5 %.
    fn default() -> Self {
        Self {
            decide_at: 70,
            price_tolerance: Decimal::new(5, 2),
        }
    }
}

/// Which order an invoice is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The order, one of those offered; `None` where none is likely enough. Of several, the
    /// one that explains the most of the invoice.
    pub po_id: Option<i64>,
    /// The other orders that the invoice is for as well.
    pub other_po_ids: Vec<i64>,
    /// The probability in percent (0 to 99) that the likeliest order is right, also where it
    /// isn't named for being too small. Calibrated: of a hundred answers with 90, about ninety
    /// are right.
    pub confidence: u8,
    /// Which line belongs to which; empty without an order.
    pub line_matches: Vec<LineMatch>,
    /// Why, in Spanish, for the ERP's user.
    pub reasoning: String,
    /// The orders that were compared line by line, likeliest first; at most 8.
    pub candidates: Vec<Candidate>,
    /// Where close candidates are left that a model may tell apart.
    pub tie: Option<Tie>,
}

/// An invoice's line and the order's line that it is.
#[derive(Debug, Clone, PartialEq)]
pub struct LineMatch {
    /// The line's index in the invoice, from 0.
    pub invoice_line: usize,
    /// The order.
    pub po_id: i64,
    /// The line's index in that order, from 0.
    pub po_line: usize,
    /// The ERP's id of the order's line.
    pub po_line_id: Option<i64>,
    /// How well the lines agree in description, price and quantity, from 0 to 1.
    pub score: f64,
    /// The quantity is no more than what is left to invoice; true where that isn't known.
    pub quantity_ok: bool,
    /// The price is within the tolerance; true where that isn't known.
    pub price_ok: bool,
}

/// An order that was compared line by line.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The order.
    pub po_id: i64,
    /// The probability that the invoice is for it, alone or with others; from 0 to 1.
    pub probability: f64,
    /// What speaks for it.
    pub features: Features,
    /// The orders that it would be together with.
    pub with: Vec<i64>,
}
