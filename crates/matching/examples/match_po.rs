//! Matches the invoice of one JSON file with the orders of another:
//! `cargo run -p matching --example match_po -- INVOICE ORDERS`.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program talks to its user"
)]

use std::error::Error;

use matching::{Options, match_order, read_invoice, read_orders};

fn main() -> Result<(), Box<dyn Error>> {
    let mut files = std::env::args().skip(1);
    let (Some(invoice), Some(orders)) = (files.next(), files.next()) else {
        return Err("usage: match_po INVOICE ORDERS".into());
    };
    let invoice = read_invoice(&std::fs::read_to_string(invoice)?)?;
    let orders = read_orders(&std::fs::read_to_string(orders)?)?;
    let found = match_order(&invoice, &orders, &Options::default());
    match found.po_id {
        Some(id) => println!("order {id} ({} %)", found.confidence),
        None => println!("no order ({} %)", found.confidence),
    }
    println!("{}", found.reasoning);
    for line in &found.line_matches {
        println!(
            "  line {} is line {} of order {}: {:.2}, quantity {}, price {}",
            line.invoice_line,
            line.po_line,
            line.po_id,
            line.score,
            line.quantity_ok,
            line.price_ok
        );
    }
    Ok(())
}
