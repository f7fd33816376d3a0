//! Which purchase order is this invoice for, and which project?
//!
//! # When to use it
//!
//! An ERP has received an invoice and has orders on which something is still to be invoiced.
//! [`match_order`] says which of them the invoice is for, how sure that is, which line belongs
//! to which, and why, in a Spanish sentence for the ERP's user. [`projects::suggest_project`]
//! does the same for projects. Values in, values out: no network, no clock, no async, no
//! global state.
//!
//! # Example
//!
//! ```
//! use matching::{Options, match_order, read_invoice, read_orders};
//!
//! let invoice = read_invoice(r#"{
//!     "partner_vat": "76.192.083-9", "total_amount": 119000, "date": "2026-11-20",
//!     "lines": [{"description": "CEM. ESPECIAL 25KG", "quantity": 20, "price_unit": 5000.0}]
//! }"#)?;
//! let orders = read_orders(r#"[
//!     {"id": 7, "name": "P00007", "partner_vat": "76192083-9", "amount_total": 119000,
//!      "date_order": "2026-11-12 09:30:00",
//!      "order_line": [{"name": "Cemento especial 25 kg", "product_qty": 20, "price_unit": 5000}]},
//!     {"id": 8, "name": "P00008", "partner_vat": "76192083-9", "amount_total": 35700,
//!      "order_line": [{"name": "Yeso 25 kg", "product_qty": 10, "price_unit": 3000}]}
//! ]"#)?;
//!
//! let found = match_order(&invoice, &orders, &Options::default());
//! assert_eq!(found.po_id, Some(7));
//! assert!(found.confidence >= 85);
//! assert!(found.line_matches[0].quantity_ok && found.line_matches[0].price_ok);
//! assert!(found.reasoning.starts_with("La factura corresponde a la orden P00007."));
//! # Ok::<(), matching::InputError>(())
//! ```
//!
//! An invoice also comes from a tax document that was read: `Invoice::from(&documento)` of a
//! [`dte::Documento`]. `cargo run -p matching --example match_po -- INVOICE ORDERS` answers for
//! two JSON files.
//!
//! # How
//!
//! 1. Orders of another supplier's RUT are out, unless the invoice names them.
//! 2. Descriptions become tokens: accents, abbreviations, plurals, sizes with their units.
//!    Words are weighed by how few of the lines have them.
//! 3. The eight orders that share the most words, or are named, are compared line by line:
//!    description, price (IVA in or out, discounts), quantity (units converted, what is left to
//!    invoice). A one-to-one assignment makes the sum of the scores the largest.
//! 4. Orders that explain what the likeliest one leaves open are joined with it.
//! 5. Ten [`Features`] and eleven fitted coefficients give each a probability, and one to
//!    "none of them": a conditional logit. Under [`Options::decide_at`] no order is named.
//! 6. Where close candidates are left, [`Match::tie`] holds a question for a language model,
//!    which may choose among them and nothing else.
//!
//! # Guarantees
//!
//! - **The order of orders, lines, projects and purchases doesn't matter**, but among things
//!   that are equal in all.
//! - **An order that shares no word with the invoice's lines never changes the likeliest one**,
//!   and its confidence by a point or two at the most; another supplier's changes nothing.
//! - **Exact**: quantities and prices are compared as decimals; scores are floats.
//! - **Bounded**: [`MAX_ORDERS`], [`MAX_LINES`], 32 tokens a description, eight comparisons
//!   line by line, an assignment that turns greedy where the exact one would take too long.
//! - **No panic** on any amount or text.
//! - **Calibrated** on synthetic purchases (`cargo xtask match-eval`, `docs/matching.md`), which
//!   real ones are not.
//!
//! # Absent on purpose
//!
//! Learning from answers: the coefficients change with the code. Credit notes against invoices.
//! Prices in another currency than the order's.

mod alikeness;
pub mod analytics;
mod assignment;
mod choice;
mod coefficients;
mod compare;
mod corpus;
mod documento;
mod error;
mod evaluate;
mod features;
mod input;
mod json;
mod matcher;
mod outcome;
pub mod projects;
mod reasoning;
mod reference;
mod several;
mod supplier;
mod text;
mod tie;
mod units;

pub use error::{InputError, InputErrorKind};
pub use features::Features;
pub use input::{Invoice, Line, MAX_LINES, MAX_ORDERS, Order, Party, Reference};
pub use json::{read_invoice, read_orders, read_project_query};
pub use matcher::match_order;
pub use outcome::{Candidate, LineMatch, Match, Options};
pub use tie::{
    Choice, ChoiceError, ChoiceErrorKind, MODEL_CEILING, PROMPT_VERSION, Tie, instructions,
};
