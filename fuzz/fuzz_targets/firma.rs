//! Stamps, signatures and covers. Both readings of a file agree on what is a document.
#![no_main]

use dte::firma::{LlavePublica, Trust, verify};
use dte::{Context, Limits, read_xml};
use jiff::civil::date;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let context = Context::emission(date(2026, 11, 22));
    let trust = LlavePublica::new(&[0xC1; 64], &[3])
        .map_or_else(Trust::new, |llave| Trust::new().with_sii_key(100, llave));
    let reading = read_xml(bytes, &limits);
    let firmas = verify(bytes, &limits, &trust, &context);
    match (reading, firmas) {
        (Ok(reading), Ok(firmas)) => {
            assert_eq!(reading.documentos.len(), firmas.documentos.len());
        }
        // What is read may have no canonical form; the other way round, never.
        (_, Err(error)) => assert!(!error.user_message().is_empty()),
        (Err(error), Ok(_)) => panic!("only the second reading succeeds: {error}"),
    }
});
