//! The stamps and signatures of documents from the field, where they are.
//!
//! Of `o_*` every one verifies but for those listed here, each with its reason; the names of
//! some say what was broken. Of `p*` none does: names and tax ids in them were replaced.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::path::{Path, PathBuf};

use dte::firma::{
    ContextoFirma::Ajeno, ContextoFirma::Suelto, Firma, FirmaDocumento, Firmas, MotivoFirma,
    MotivoTimbre, Timbre, Trust, verify,
};
use dte::{Context, Limits, Severity};
use jiff::civil::date;

const VALIDA: Firma = Firma::Verificada(Suelto);

/// What doesn't verify, or not as a stand-alone fragment: start of the file's name, stamp,
/// signature, and why. The index holds all of `o_*` for intact.
const OTHERWISE: &[(&str, Timbre, Firma, &str)] = &[
    (
        "o_alefvaras_boleta_1890",
        Timbre::Fallido(MotivoTimbre::Estructura),
        Firma::Ausente,
        "a draft: FRMT holds text that isn't base64, and there is no signature",
    ),
    (
        "o_cordada_DTE--76354771-K--33--170--cleaned-mod-bad-cert-no-base64",
        Timbre::Verificado,
        Firma::Fallida(MotivoFirma::Certificado),
        "broken on purpose: the certificate isn't base64",
    ),
    (
        "o_cordada_DTE--76354771-K--33--170--cleaned-mod-bad-cert.",
        Timbre::Verificado,
        Firma::Fallida(MotivoFirma::Certificado),
        "broken on purpose: base64, but of no certificate",
    ),
    (
        "o_cordada_DTE--76354771-K--33--170--cleaned-mod-changed-monto",
        Timbre::Fallido(MotivoTimbre::Firma),
        Firma::Fallida(MotivoFirma::Contenido),
        "broken on purpose: the total was changed, in the stamp too",
    ),
    (
        "o_cordada_DTE--76354771-K--33--170--cleaned-mod-empty-emails",
        Timbre::Verificado,
        Firma::Fallida(MotivoFirma::Contenido),
        "broken on purpose: CorreoEmisor was emptied, which isn't in the stamp",
    ),
    (
        "o_cordada_DTE--76354771-K--33--170--cleaned-mod-replaced-cert",
        Timbre::Verificado,
        Firma::Fallida(MotivoFirma::Valor),
        "broken on purpose: SignatureValue was made with another key, of 2048 bits, than the one \
         of 1024 that stands beside it",
    ),
    (
        "o_cordada_DTE--76354771-K--33--170--cleaned-signed_xml",
        Timbre::Verificado,
        Firma::Ausente,
        "a bare Documento: the signature stood beside it",
    ),
    (
        "o_cordada_DTE--76399752-9--33--25568.",
        Timbre::Verificado,
        Firma::Verificada(Ajeno),
        "signed with xmlns, which this copy lacks; the other copy, cleaned, has it",
    ),
    (
        "o_estebanfuentealba_FacturaExenta_plantilla",
        Timbre::Ausente,
        Firma::Ausente,
        "a template",
    ),
    (
        "o_libredte_033_001_simple",
        Timbre::Ausente,
        Firma::Ausente,
        "input of a generator: neither stamp nor signature",
    ),
    (
        "o_libredte_F60T33-ejemplo-oficial-SII",
        Timbre::Verificado,
        Firma::Fallida(MotivoFirma::Llave),
        "the tax service's own example of 2003: SignatureValue is right for its KeyValue, whose \
         key isn't that of the certificate beside it",
    ),
    (
        "o_libredte_boleta_multidetalle",
        Timbre::Ausente,
        Firma::Ausente,
        "neither stamp nor signature",
    ),
    (
        "o_libredte_unsigned",
        Timbre::Ausente,
        Firma::Ausente,
        "its name says so",
    ),
    (
        "o_libredte_valid_signed",
        Timbre::Ausente,
        Firma::Ausente,
        "a test of a library: only the envelope is signed, by a reference without `#`",
    ),
    (
        "o_softcomsas_EnvioBOLETA",
        Timbre::Verificado,
        Firma::Verificada(Ajeno),
        "signed with other namespaces than it inherits from this envelope",
    ),
    (
        "o_sunpaz_ready_to_upload_52",
        Timbre::Fallido(MotivoTimbre::Estructura),
        Firma::Ausente,
        "its tax ids are masked and its stamp has no CAF",
    ),
];

/// Envelopes and parts of cessions that don't verify: start of the file's name, signature, why.
const PARTS_OTHERWISE: &[(&str, Firma, &str)] = &[
    (
        "o_libredte_F60T33-ejemplo-oficial-SII",
        Firma::Fallida(MotivoFirma::Llave),
        "as its document",
    ),
    ("o_libredte_unsigned", Firma::Ausente, "its name says so"),
    (
        "o_libredte_valid_signed",
        Firma::Fallida(MotivoFirma::Referencia),
        "URI=\"LibreDTE_SetDoc\" lacks its `#`, and refers to a file of that name",
    ),
    (
        "o_sunpaz_ready_to_upload_52",
        Firma::Fallida(MotivoFirma::Contenido),
        "its tax ids were masked after it was signed",
    ),
];

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/dte");
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("the collected documents aren't here: nothing was tested");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// `None` for the few files that hold no document.
fn verified(path: &Path) -> Option<Firmas> {
    let context = Context::emission(date(2026, 11, 22));
    let bytes = std::fs::read(path).unwrap();
    verify(&bytes, &Limits::default(), &Trust::new(), &context).ok()
}

fn errors(documento: &FirmaDocumento) -> Vec<&'static str> {
    let errors = documento.findings.iter();
    errors
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.code)
        .collect()
}

#[test]
fn what_is_intact_verifies_and_what_was_broken_fails_with_its_reason() {
    let mut wrong = Vec::new();
    for path in files() {
        let name = name(&path);
        if !name.starts_with("o_") {
            continue;
        }
        let firmas = verified(&path).unwrap();
        let otherwise = OTHERWISE.iter().find(|(start, ..)| name.starts_with(start));
        let expected = otherwise.map_or((Timbre::Verificado, VALIDA), |row| (row.1, row.2));
        for documento in &firmas.documentos {
            let (timbre, firma, errors) = (documento.timbre, documento.firma, errors(documento));
            println!("{name:84} {timbre:?} {firma:?} {errors:?}");
            let clean = matches!(expected, (Timbre::Verificado, Firma::Verificada(_)));
            if (timbre, firma) != expected || clean != errors.is_empty() && otherwise.is_none() {
                wrong.push(format!("{name}: {timbre:?} {firma:?} {errors:?}"));
            }
        }
        let other = PARTS_OTHERWISE
            .iter()
            .find(|(start, ..)| name.starts_with(start));
        for parte in &firmas.partes {
            println!("{name:84}   {} {:?}", parte.ruta, parte.firma);
            let right = match other {
                Some((_, firma, _)) => parte.firma == *firma,
                None => matches!(parte.firma, Firma::Verificada(_)),
            };
            if !right {
                wrong.push(format!("{name}: {} {:?}", parte.ruta, parte.firma));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_lists_of_explanations_name_files_that_are_there() {
    let names: Vec<String> = files().iter().map(|path| name(path)).collect();
    if names.is_empty() {
        return;
    }
    let starts = OTHERWISE.iter().map(|row| (row.0, row.3));
    for (start, why) in starts.chain(PARTS_OTHERWISE.iter().map(|row| (row.0, row.2))) {
        assert!(
            names.iter().any(|name| name.starts_with(start)),
            "{start}: {why}"
        );
    }
}

#[test]
fn nothing_verifies_of_which_names_were_replaced() {
    let (mut stamps, mut signatures) = (0, 0);
    for path in files() {
        let name = name(&path);
        let Some(firmas) = verified(&path).filter(|_| name.starts_with('p')) else {
            continue;
        };
        for documento in &firmas.documentos {
            assert_ne!(documento.timbre, Timbre::Verificado, "{name}");
            assert!(!matches!(documento.firma, Firma::Verificada(_)), "{name}");
            stamps += usize::from(matches!(documento.timbre, Timbre::Fallido(_)));
            signatures += usize::from(matches!(documento.firma, Firma::Fallida(_)));
        }
        for parte in &firmas.partes {
            assert!(!matches!(parte.firma, Firma::Verificada(_)), "{name}");
        }
    }
    println!("pseudonymised: {stamps} stamps and {signatures} signatures fail");
    assert!(files().is_empty() || (stamps > 200 && signatures > 200));
}
