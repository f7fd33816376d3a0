//! No input makes a reader or a rule panic: random bytes, damaged documents, odd figures.

#[path = "common/json.rs"]
mod json;
#[path = "common/xml.rs"]
mod xml;

use dte::{
    Anterior, Context, Documento, Limits, Opciones, complete, read_json, read_xml, validate,
};
use jiff::civil::date;
use json::JSON;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof, proptest};
use xml::{FACTURA, envio};

fn judge_xml(bytes: &[u8]) {
    let context = Context::emission(date(2026, 11, 22));
    match read_xml(bytes, &Limits::default()) {
        Ok(reading) => {
            assert!(!reading.documentos.is_empty());
            for documento in &reading.documentos {
                let report = validate(documento, &context);
                assert!(report.findings.len() <= 500);
                complete_twice(documento);
            }
            against_each_other(&reading.documentos);
        }
        Err(error) => assert!(!error.user_message().is_empty()),
    }
}

/// What is complete stays as it is.
fn complete_twice(documento: &Documento) {
    let opciones = Opciones::default();
    match complete(documento, opciones) {
        Ok(completo) => assert_eq!(complete(&completo, opciones).as_ref(), Ok(&completo)),
        Err(error) => assert!(!error.user_message().is_empty()),
    }
}

/// Each document with all of them as originals, neighbours and history.
fn against_each_other(documentos: &[Documento]) {
    let history: Vec<Anterior> = documentos.iter().filter_map(Anterior::desde).collect();
    let context = Context::reception(date(2026, 11, 22))
        .with_originals(documentos)
        .with_envelope(documentos)
        .with_history(&history);
    for documento in documentos {
        let _ = validate(documento, &context);
    }
}

fn judge_json(texto: &str) {
    match read_json(texto) {
        Ok(documento) => {
            let _ = validate(&documento, &Context::reception(date(2026, 11, 22)));
            complete_twice(&documento);
        }
        Err(error) => assert!(!error.user_message().is_empty()),
    }
}

/// Texts that are odd where a figure belongs.
fn rare() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{1,30}(\\.[0-9]{0,12})?",
        "[0-9]{1,3}e-?[0-9]{1,5}",
        Just("79228162514264337593543950335".to_owned()),
        Just("-0.0000000000000000000000000001".to_owned()),
        Just("9223372036854775807".to_owned()),
        Just(String::new()),
        "\\PC{0,20}",
    ]
}

/// The places of a document where a figure stands.
fn figures(texto: &str, open: char, close: &[char]) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for (start, _) in texto.match_indices(open) {
        let start = start + 1;
        let Some(len) = texto[start..].find(close) else {
            continue;
        };
        let value = texto[start..start + len].trim();
        if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            places.push((start, start + len));
        }
    }
    places
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        judge_xml(&bytes);
        judge_json(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn damaged_xml(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut bytes = envio(2).into_bytes();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        judge_xml(&bytes);
    }

    #[test]
    fn truncated(xml in any::<prop::sample::Index>(), json in any::<prop::sample::Index>()) {
        judge_xml(&FACTURA.as_bytes()[..xml.index(FACTURA.len())]);
        judge_json(&String::from_utf8_lossy(&JSON.as_bytes()[..json.index(JSON.len())]));
    }

    #[test]
    fn odd_figures(place in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), texto in rare(), dos in rare()) {
        for (documento, open, close, json) in [(FACTURA, '>', &['<'][..], false), (JSON, ':', &[',', '}'][..], true)] {
            let places = figures(documento, open, close);
            assert!(places.len() > 8, "{}", places.len());
            let mut damaged = documento.to_owned();
            let (one, two) = (place.index(places.len()), other.index(places.len()));
            let order = [(one.max(two), &texto), (one.min(two), &dos)];
            for (place, value) in order.into_iter().take(if one == two { 1 } else { 2 }) {
                let (start, end) = places[place];
                let value = if json { serde_json::to_string(value).unwrap() } else { value.clone() };
                damaged.replace_range(start..end, &value);
            }
            if json { judge_json(&damaged) } else { judge_xml(damaged.as_bytes()) }
        }
    }

    #[test]
    fn swapped_elements(one in any::<prop::sample::Index>(), two in any::<prop::sample::Index>()) {
        let mut parts: Vec<&str> = FACTURA.split_inclusive('>').collect();
        let (one, two) = (one.index(parts.len()), two.index(parts.len()));
        parts.swap(one, two);
        judge_xml(parts.concat().as_bytes());
    }
}
