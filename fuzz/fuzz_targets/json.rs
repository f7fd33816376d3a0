//! The JSON reader and every rule, in both modes.
#![no_main]

use dte::{Context, read_json, validate};
use jiff::civil::date;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|texto: &str| {
    let dia = date(2026, 11, 22);
    match read_json(texto) {
        Ok(documento) => {
            for context in [Context::emission(dia), Context::reception(dia)] {
                let report = validate(&documento, &context);
                assert!(report.findings.len() <= 500);
            }
        }
        Err(error) => assert!(!error.user_message().is_empty()),
    }
});
