//! The XML reader and every rule, in both modes.
#![no_main]

use dte::{Context, Limits, read_xml, validate};
use jiff::civil::date;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let dia = date(2026, 11, 22);
    match read_xml(bytes, &Limits::default()) {
        Ok(reading) => {
            for documento in &reading.documentos {
                for context in [Context::emission(dia), Context::reception(dia)] {
                    let report = validate(documento, &context);
                    assert!(report.findings.len() <= 500);
                }
            }
        }
        Err(error) => assert!(!error.user_message().is_empty()),
    }
});
