//! `cargo run -p dte --example check -- FILE…`: what is wrong with these tax documents?
//!
//! Exits 0 where every document may be sent, 1 where one has an error or can't be read.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program speaks on stdout"
)]

use std::process::ExitCode;

use dte::{Context, Documento, Limits, Recommendation, Report, read_xml, validate};

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        println!("Uso: check ARCHIVO…");
        return ExitCode::from(2);
    }
    let good = files.iter().filter(|file| check(file)).count();
    if good == files.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The whole use of the library: bytes in, reports out.
fn check(file: &str) -> bool {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            println!("{file}: no se pudo abrir: {error}");
            return false;
        }
    };
    let context = Context::emission(jiff::Zoned::now().date());
    match read_xml(&bytes, &Limits::default()) {
        Ok(reading) => reading
            .documentos
            .iter()
            .map(|documento| print(file, documento, &validate(documento, &context)))
            .fold(true, |all, one| all & one),
        Err(error) => {
            println!("{file}: {}", error.user_message());
            false
        }
    }
}

fn print(file: &str, documento: &Documento, report: &Report) -> bool {
    let nombre = documento
        .tipo()
        .map_or("documento de tipo desconocido", |tipo| tipo.nombre());
    let folio = documento.encabezado.id_doc.folio.valor();
    let folio = folio.map_or_else(|| "sin folio".to_owned(), |folio| format!("N° {folio}"));
    let recommendation = report.recommendation();
    let veredicto = match recommendation {
        Recommendation::Send => "se puede enviar",
        Recommendation::Review => "conviene revisarlo",
        Recommendation::Reject => "no se debe enviar",
    };
    println!("{file}: {nombre} {folio}: {veredicto}");
    for finding in &report.findings {
        let (severity, code) = (finding.severity.as_str(), finding.code);
        println!(
            "  {severity:7} {code}\n          {}\n          en {}",
            finding.message, finding.path
        );
    }
    recommendation != Recommendation::Reject
}
