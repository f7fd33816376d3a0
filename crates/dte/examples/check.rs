//! `cargo run -p dte --example check -- [--json] FILE…`: what is wrong with these tax documents?
//!
//! `-` is the standard input. Rules, stamps, signatures and the cover of an envelope are looked
//! at. With `--json`, one line for each document, and one with `error` for a file that can't be
//! read. Exits 0 where every document may be sent, 1 where one has an
//! error or can't be read, 2 where no file was given.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program speaks on stdout"
)]

use std::io::{self, Read as _};
use std::process::ExitCode;

use dte::firma::{Firma, FirmaParte, Firmas, Timbre, Trust, verify_reading};
use dte::{
    Context, Documento, Ficha, Finding, Limits, Recommendation, Report, Severity, read_xml,
    validate,
};

fn main() -> ExitCode {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let all = files.len();
    files.retain(|argument| argument != "--json");
    let print: fn(&str, &Outcome) = if files.len() < all { json } else { readable };
    if files.is_empty() {
        println!("Uso: check [--json] ARCHIVO…   («-» es la entrada estándar)");
        return ExitCode::from(2);
    }
    let mut good = true;
    for file in &files {
        for outcome in check(file) {
            good &= outcome.good();
            print(file, &outcome);
        }
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What became of a document, or of a file that holds none.
enum Outcome {
    Judged(Box<Documento>, Report, Verdicts),
    Unread(String),
}

/// What became of a document's stamp and signature, and of its envelope's.
struct Verdicts {
    stamp: String,
    signature: String,
    parts: Vec<(String, String)>,
}

impl Verdicts {
    /// Those of one of the file's documents; the envelope's go with the first.
    fn of(firmas: Option<&Firmas>, index: usize) -> Self {
        const UNKNOWN: &str = "no se pudo verificar";
        let documento = firmas.and_then(|firmas| firmas.documentos.get(index));
        let parts = firmas.filter(|_| index == 0).map(|firmas| &firmas.partes);
        let one = |parte: &FirmaParte| (parte.ruta.clone(), signature(parte.firma));
        Self {
            stamp: documento.map_or(UNKNOWN.to_owned(), |firma| stamp(firma.timbre)),
            signature: documento.map_or(UNKNOWN.to_owned(), |firma| signature(firma.firma)),
            parts: parts.into_iter().flatten().map(one).collect(),
        }
    }
}

fn stamp(timbre: Timbre) -> String {
    match timbre {
        Timbre::Ausente => "no tiene".to_owned(),
        Timbre::Verificado => "válido".to_owned(),
        Timbre::Fallido(_) => "no es válido".to_owned(),
    }
}

fn signature(firma: Firma) -> String {
    match firma {
        Firma::Ausente => "no tiene".to_owned(),
        Firma::Verificada(_) => "válida".to_owned(),
        Firma::Fallida(_) => "no es válida".to_owned(),
    }
}

impl Outcome {
    fn good(&self) -> bool {
        match self {
            Self::Judged(_, report, _) => report.recommendation() != Recommendation::Reject,
            Self::Unread(_) => false,
        }
    }
}

/// The whole use of the library: bytes in, reports out.
fn check(file: &str) -> Vec<Outcome> {
    let limits = Limits::default();
    let bytes = match bytes(file, &limits) {
        Ok(bytes) => bytes,
        Err(error) => return vec![Outcome::Unread(format!("no se pudo abrir: {error}"))],
    };
    let context = Context::emission(jiff::Zoned::now().date());
    let reading = match read_xml(&bytes, &limits) {
        Ok(reading) => reading,
        Err(error) => return vec![Outcome::Unread(error.user_message())],
    };
    // What is read with tolerance may have no form that could have been signed.
    let firmas = verify_reading(&bytes, &reading, &limits, &Trust::new(), &context).ok();
    let context = context.with_envelope(&reading.documentos);
    let judged = reading.documentos.iter().enumerate();
    judged
        .map(|(index, documento)| {
            let mut report = validate(documento, &context);
            if let Some(firmas) = &firmas {
                let own = firmas.documentos.get(index).map(|firma| &firma.findings);
                let envelope = Some(&firmas.findings).filter(|_| index == 0);
                let more = own.into_iter().chain(envelope).flatten();
                report.findings.extend(more.cloned());
            }
            report
                .findings
                .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
            let verdicts = Verdicts::of(firmas.as_ref(), index);
            Outcome::Judged(Box::new(documento.clone()), report, verdicts)
        })
        .collect()
}

/// One byte more than the reader accepts is enough for it to refuse.
fn bytes(file: &str, limits: &Limits) -> io::Result<Vec<u8>> {
    let most = u64::try_from(limits.bytes.saturating_add(1)).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    if file == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?
            .take(most)
            .read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn json(file: &str, outcome: &Outcome) {
    let line = match outcome {
        Outcome::Judged(documento, report, verdicts) => {
            let id_doc = &documento.encabezado.id_doc;
            serde_json::json!({
                "file": file,
                "tipo": id_doc.tipo_dte.valor(),
                "folio": id_doc.folio.valor(),
                "timbre": verdicts.stamp,
                "firma": verdicts.signature,
                "sobre": verdicts.parts.iter().map(|(part, firma)| {
                    serde_json::json!({ "parte": part, "firma": firma })
                }).collect::<Vec<_>>(),
                "report": report,
            })
        }
        Outcome::Unread(error) => serde_json::json!({ "file": file, "error": error }),
    };
    println!("{line}");
}

fn readable(file: &str, outcome: &Outcome) {
    let (documento, report, verdicts) = match outcome {
        Outcome::Judged(documento, report, verdicts) => (documento, report, verdicts),
        Outcome::Unread(error) => {
            println!("{file}: {error}\n");
            return;
        }
    };
    let nombre = documento
        .tipo()
        .map_or("documento de tipo desconocido", |tipo| tipo.nombre());
    let folio = documento.encabezado.id_doc.folio.valor();
    let folio = folio.map_or_else(|| "sin folio".to_owned(), |folio| format!("N° {folio}"));
    let veredicto = match report.recommendation() {
        Recommendation::Send => "se puede enviar",
        Recommendation::Review => "conviene revisarlo",
        Recommendation::Reject => "no se debe enviar",
    };
    println!("{file}\n  {nombre} {folio}: {veredicto}");
    println!(
        "  timbre: {}; firma: {}",
        verdicts.stamp, verdicts.signature
    );
    for (part, firma) in &verdicts.parts {
        println!("  firma de {part}: {firma}");
    }
    report.findings.iter().for_each(one);
    println!();
}

fn one(finding: &Finding) {
    let sii = finding
        .sii_code
        .map(|code| format!(", SII {code}"))
        .unwrap_or_default();
    let gravedad = match finding.severity {
        Severity::Error => "ERROR",
        Severity::Warning => "ADVERTENCIA",
        Severity::Info => "nota",
    };
    println!(
        "  {gravedad}: {}\n      {} ({}{sii}), en {}",
        finding.message,
        finding.code,
        finding.level().as_str(),
        finding.path
    );
    if let Some(ficha) = Ficha::de(finding.code) {
        println!("      Qué hacer: {}", ficha.remedio);
    }
}
