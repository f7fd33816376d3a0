//! What is matched: an invoice, orders, their lines. Plain values, however they were read.

use jiff::civil::Date;
use rust_decimal::Decimal;

/// The most orders that are compared with one invoice; the contract's own bound.
pub const MAX_ORDERS: usize = 200;
/// The most lines of one document. The tax document's own bound is 1,000 (boletas).
pub const MAX_LINES: usize = 1_000;

/// Who sells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// The ERP's id of the partner.
    pub id: Option<i64>,
    /// The RUT, in any writing: dots, `CL` in front, a lower-case `k`.
    pub rut: Option<String>,
    /// The name.
    pub name: Option<String>,
}

/// A line of an invoice or of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// The ERP's id of the line.
    pub id: Option<i64>,
    /// All that is said of the product, without its codes if they come apart.
    pub description: String,
    /// The product's codes: the supplier's, the company's own, a bar code.
    pub codes: Vec<String>,
    /// How much, in [`unit`](Self::unit).
    pub quantity: Option<Decimal>,
    /// Of an order: how much of the quantity was invoiced before.
    pub invoiced: Option<Decimal>,
    /// The unit as it is written: `UN`, `kilos`, `Caja`.
    pub unit: Option<String>,
    /// The price of one unit, in pesos; with or without IVA.
    pub unit_price: Option<Decimal>,
    /// The line's amount in pesos, as the unit price with or without IVA.
    pub amount: Option<Decimal>,
}

/// A received invoice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invoice {
    /// Who sent it.
    pub supplier: Party,
    /// The total with IVA, in pesos.
    pub total: Option<Decimal>,
    /// The total without IVA, in pesos.
    pub net: Option<Decimal>,
    /// The day of issue.
    pub date: Option<Date>,
    /// What it says about orders.
    pub references: Vec<Reference>,
    /// What is invoiced.
    pub lines: Vec<Line>,
}

/// Something in an invoice that may name an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The text: `OC-00123`, `N° 123`.
    pub text: String,
    /// True where it is known to name an order (a reference of type 801 or 802); a free text
    /// may as well be the invoice's own number.
    pub is_order: bool,
}

/// A purchase order on which something may still be to be invoiced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// The ERP's id; what an answer names.
    pub id: i64,
    /// Its number: `P00123`, `OC-2026-0123`.
    pub name: Option<String>,
    /// The supplier's own number of it.
    pub partner_ref: Option<String>,
    /// Who should deliver.
    pub supplier: Party,
    /// The total with IVA, in pesos.
    pub total: Option<Decimal>,
    /// The total without IVA, in pesos.
    pub net: Option<Decimal>,
    /// The day of the order.
    pub date: Option<Date>,
    /// What was ordered.
    pub lines: Vec<Line>,
}
