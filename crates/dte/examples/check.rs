//! `cargo run -p dte --example check -- [--json] FILE…`: what is wrong with these tax documents?
//!
//! `-` is the standard input. With `--json`, one line for each document, and one with `error`
//! for a file that can't be read. Exits 0 where every document may be sent, 1 where one has an
//! error or can't be read, 2 where no file was given.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program speaks on stdout"
)]

use std::io::{self, Read as _};
use std::process::ExitCode;

use dte::{Context, Documento, Ficha, Finding, Limits, Recommendation, Report, read_xml, validate};

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
    Judged(Box<Documento>, Report),
    Unread(String),
}

impl Outcome {
    fn good(&self) -> bool {
        match self {
            Self::Judged(_, report) => report.recommendation() != Recommendation::Reject,
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
    match read_xml(&bytes, &limits) {
        Ok(reading) => reading
            .documentos
            .into_iter()
            .map(|documento| {
                let report = validate(&documento, &context);
                Outcome::Judged(Box::new(documento), report)
            })
            .collect(),
        Err(error) => vec![Outcome::Unread(error.user_message())],
    }
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
        Outcome::Judged(documento, report) => {
            let id_doc = &documento.encabezado.id_doc;
            serde_json::json!({
                "file": file,
                "tipo": id_doc.tipo_dte.valor(),
                "folio": id_doc.folio.valor(),
                "report": report,
            })
        }
        Outcome::Unread(error) => serde_json::json!({ "file": file, "error": error }),
    };
    println!("{line}");
}

fn readable(file: &str, outcome: &Outcome) {
    let (documento, report) = match outcome {
        Outcome::Judged(documento, report) => (documento, report),
        Outcome::Unread(error) => {
            println!("{file}: {error}");
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
    println!("{file}: {nombre} {folio}: {veredicto}");
    for finding in &report.findings {
        one(finding);
    }
}

fn one(finding: &Finding) {
    let sii = finding
        .sii_code
        .map(|code| format!(", SII {code}"))
        .unwrap_or_default();
    println!(
        "  {:7} {} ({}{sii})\n          {}\n          en {}",
        finding.severity.as_str(),
        finding.code,
        finding.level().as_str(),
        finding.message,
        finding.path
    );
    if let Some(ficha) = Ficha::de(finding.code) {
        println!("          → {}", ficha.remedio);
    }
}
