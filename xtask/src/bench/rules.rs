//! The `dte` crate alone, without a server: reading and judging a document of 60 lines.

use std::hint::black_box;
use std::time::Instant;

use serde::Serialize;

use super::generator::{histogram, nanoseconds};
use super::invoice::Invoice;
use crate::error::Error;

/// Calls before the measurement, and in it.
const WARM_UP: u32 = 2_000;
const CALLS: u32 = 20_000;

/// The lines of the document: the most that a factura may have.
pub const LINES: u32 = 60;

/// The time of one function, in microseconds.
#[derive(Serialize)]
pub struct RulesFigures {
    /// The function.
    pub name: &'static str,
    /// The median.
    pub p50_us: f64,
    /// One call in a hundred takes longer.
    pub p99_us: f64,
    /// Calls measured.
    pub calls: u32,
}

/// Times the rules, and both readers beside them.
///
/// # Errors
///
/// [`Error::Bench`] when the crate can't read its own bench's invoice, or finds it wrong.
pub fn measure() -> Result<Vec<RulesFigures>, Error> {
    let today = jiff::Zoned::now().date();
    let invoice = Invoice::new(LINES, &today.to_string());
    let (json, xml) = (invoice.dte_data().to_string(), invoice.xml());
    let context = dte::Context::emission(today);
    let document = dte::read_json(&json).map_err(|error| unreadable(&error))?;
    let limits = dte::Limits::default();
    dte::read_xml(xml.as_bytes(), &limits).map_err(|error| unreadable(&error))?;
    let findings = dte::validate(&document, &context).findings;
    if let Some(wrong) = findings
        .iter()
        .find(|finding| finding.severity == dte::Severity::Error)
    {
        return Err(Error::Bench(format!(
            "the rules refuse a sound invoice: {}",
            wrong.message
        )));
    }
    Ok(vec![
        time("rules", || {
            dte::validate(black_box(&document), black_box(&context))
        }),
        time("read_json", || dte::read_json(black_box(&json))),
        time("read_xml", || {
            dte::read_xml(black_box(xml.as_bytes()), &limits)
        }),
    ])
}

fn unreadable(error: &dte::ReadError) -> Error {
    Error::Bench(format!(
        "the dte crate can't read the bench's invoice: {error}"
    ))
}

fn time<T>(name: &'static str, mut call: impl FnMut() -> T) -> RulesFigures {
    for _ in 0..WARM_UP {
        black_box(call());
    }
    let mut times = histogram();
    for _ in 0..CALLS {
        let began = Instant::now();
        // Timed with its drop: the caller pays for that as well.
        drop(black_box(call()));
        times.saturating_record(nanoseconds(began.elapsed()));
    }
    let micros = |quantile| times.value_at_quantile(quantile) as f64 / 1e3;
    RulesFigures {
        name,
        p50_us: micros(0.5),
        p99_us: micros(0.99),
        calls: CALLS,
    }
}
