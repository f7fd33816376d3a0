//! No input makes the verification of stamps and signatures panic, and no damage to a signed
//! document verifies as if it were whole.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "common/firma.rs"]
mod firma;

use std::sync::LazyLock;

use dte::firma::{Firma, Timbre, Trust, verify};
use dte::{Context, Limits, ReadErrorKind, read_xml};
use firma::{Datos, archivo, dte, envio, sii};
use jiff::civil::date;
use proptest::prelude::{ProptestConfig, any, prop, proptest};

static DTE: LazyLock<Vec<u8>> = LazyLock::new(|| archivo(&dte(&Datos::default(), &sii())));
static ENVIO: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let dtes = vec![dte(&Datos::default(), &sii()); 2];
    archivo(&envio(&dtes))
});

/// What verifies; both readers agree on what is a document.
fn judge(bytes: &[u8]) -> Option<(bool, bool)> {
    let limits = Limits::default();
    let context = Context::reception(date(2026, 11, 22));
    let reading = read_xml(bytes, &limits);
    match verify(bytes, &limits, &Trust::new(), &context) {
        Ok(firmas) => {
            assert_eq!(firmas.documentos.len(), reading.unwrap().documentos.len());
            let documento = &firmas.documentos[0];
            for finding in firmas.documentos.iter().flat_map(|doc| &doc.findings) {
                assert!(!finding.message.is_empty() && !finding.path.is_empty());
            }
            Some((
                documento.timbre == Timbre::Verificado,
                matches!(documento.firma, Firma::Verificada(_)),
            ))
        }
        Err(error) => {
            // What is read may have no canonical form; the other way round, never.
            let malformed = matches!(error.kind(), ReadErrorKind::Malformed { .. });
            assert!(reading.is_err() || malformed, "{error}");
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        assert_eq!(judge(&bytes), None);
    }

    #[test]
    fn damaged(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), sobre in any::<bool>()) {
        let mut bytes = if sobre { ENVIO.clone() } else { DTE.clone() };
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        judge(&bytes);
    }

    #[test]
    fn a_changed_letter_of_the_content_is_noticed(place in any::<prop::sample::Index>()) {
        let texto = String::from_utf8_lossy(&DTE).into_owned();
        let desde = texto.find("<Encabezado>").unwrap();
        let hasta = texto.find("<TED").unwrap();
        // The same length in ISO-8859-1, byte by byte.
        let place = desde + place.index(hasta - desde - 200);
        let mut bytes = DTE.clone();
        if bytes[place].is_ascii_alphanumeric() {
            bytes[place] = if bytes[place] == b'7' { b'8' } else { b'7' };
            if let Some((_, firma)) = judge(&bytes) {
                assert!(!firma, "{}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn swapped_elements(one in any::<prop::sample::Index>(), two in any::<prop::sample::Index>()) {
        let texto: String = ENVIO.iter().map(|byte| char::from(*byte)).collect();
        let mut parts: Vec<&str> = texto.split_inclusive('>').collect();
        let (one, two) = (one.index(parts.len()), two.index(parts.len()));
        parts.swap(one, two);
        judge(&firma::latin1(&parts.concat()));
    }

    #[test]
    fn truncated(place in any::<prop::sample::Index>()) {
        judge(&ENVIO[..place.index(ENVIO.len())]);
    }
}

#[test]
fn the_undamaged_ones_verify() {
    assert_eq!(judge(&DTE), Some((true, true)));
    assert_eq!(judge(&ENVIO), Some((true, true)));
}
