//! `cargo run -p payroll --example payslip -- [--json] FILE…`: what is wrong with these payslips?
//!
//! `-` is the standard input. With `--json`, one line for each payslip, and one with `error` for
//! a file that can't be read. Exits 0 where every payslip may be paid, 1 where one has an error
//! or can't be read, 2 where no file was given. The indicators are the built-in ones.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program speaks on stdout"
)]

use std::io::{self, Read as _};
use std::process::ExitCode;

use payroll::{
    Liquidacion, MAX_JSON_BYTES, RULES, Recommendation, Report, integrados, read_json, validate,
};

fn main() -> ExitCode {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let all = files.len();
    files.retain(|argument| argument != "--json");
    let json = files.len() < all;
    if files.is_empty() {
        println!("Uso: check [--json] ARCHIVO…   («-» es la entrada estándar)");
        return ExitCode::from(2);
    }
    let mut good = true;
    for file in &files {
        match check(file) {
            Ok((payslip, report)) => {
                good &= report.recommendation() != Recommendation::Reject;
                if json {
                    let periodo = payslip.periodo.map(|periodo| periodo.to_string());
                    println!(
                        "{}",
                        serde_json::json!({"file": file, "period": periodo, "report": report})
                    );
                } else {
                    readable(file, &payslip, &report);
                }
            }
            Err(error) => {
                good = false;
                if json {
                    println!("{}", serde_json::json!({"file": file, "error": error}));
                } else {
                    println!("{file}: {error}");
                }
            }
        }
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The whole use of the library: text in, report out.
fn check(file: &str) -> Result<(Liquidacion, Report), String> {
    let text = text(file).map_err(|error| format!("no se pudo abrir: {error}"))?;
    let payslip = read_json(&text).map_err(|error| error.user_message())?;
    let indicators = payslip.periodo.and_then(integrados);
    let report = validate(&payslip, indicators.as_ref());
    Ok((payslip, report))
}

/// One byte more than the reader accepts is enough for it to refuse.
fn text(file: &str) -> io::Result<String> {
    let most = u64::try_from(MAX_JSON_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut text = String::new();
    if file == "-" {
        io::stdin().lock().take(most).read_to_string(&mut text)?;
    } else {
        std::fs::File::open(file)?
            .take(most)
            .read_to_string(&mut text)?;
    }
    Ok(text)
}

fn readable(file: &str, payslip: &Liquidacion, report: &Report) {
    let verdict = match report.recommendation() {
        Recommendation::Approve => "se puede pagar",
        Recommendation::Review => "conviene revisarla",
        Recommendation::Reject => "no se debe pagar",
    };
    let month = payslip
        .periodo
        .map_or_else(|| "sin mes".to_owned(), |periodo| periodo.to_string());
    println!(
        "{file}: liquidación de {month}: {verdict} (confianza {})",
        report.confidence()
    );
    for finding in &report.findings {
        println!(
            "  {:7} {}\n          {}\n          en {}",
            finding.severity.as_str(),
            finding.code,
            finding.message,
            finding.path
        );
        let mut codes = RULES.iter().flat_map(|rule| rule.codes);
        if let Some(code) = codes.find(|code| code.code == finding.code) {
            println!("          → {}", code.remedio);
        }
    }
}
