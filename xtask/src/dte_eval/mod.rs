//! `cargo xtask dte-eval`, its second half: how well and how fast the `dte` crate judges the
//! documents of a folder, the mutants that are made of them, and a generator's cases.

mod body;
mod corpus;
mod evaluate;
mod mutants;
mod report;
mod signatures;
mod speed;

use std::fs;

use dte::casos::LIMPIOS;

use self::corpus::Corpus;
use self::report::Report;
use self::speed::Speed;
use crate::error::Error;
use crate::eval_launch::Args;
use crate::run;

/// Evaluates, prints the report and writes the JSON.
///
/// # Errors
///
/// [`Error::Io`] and [`Error::Missing`] for the data and the JSON file;
/// [`Error::EvalMissed`] when a target is missed and `--strict` was given.
pub fn measure(args: &Args) -> Result<(), Error> {
    let usual = run::root().join("../shared/data");
    // A clone has no collected documents; the built-in ones are of every type.
    let corpus = match &args.data {
        Some(folder) => Corpus::read(folder)?,
        None if usual.is_dir() => Corpus::read(&usual)?,
        None => Corpus::built_in(),
    };
    let context = dte::Context::emission(jiff::Zoned::now().date());
    let documents = evaluate::documents(&corpus, &context);
    let mut report = Report {
        cases: evaluate::cases(&corpus),
        clean: documents.clean.len(),
        reception: evaluate::reception(&documents.clean, context.today),
        signatures: signatures::evaluate(&corpus, LIMPIOS, &context),
        classes: evaluate::mutants(&documents.clean, &context, args.seed),
        documents: documents.counts,
        agreement: documents.agreement,
        speed: Speed::measure(&corpus, &context),
        missed: Vec::new(),
    };
    report.judge();
    println!("{}", report.text());
    if let Some(path) = &args.json {
        let json = serde_json::to_string_pretty(&report)
            .map_err(std::io::Error::other)
            .map_err(Error::io("write the figures as JSON"))?;
        fs::write(path, json).map_err(Error::io(format!("write {}", path.display())))?;
    }
    if args.strict && !report.missed.is_empty() {
        return Err(Error::EvalMissed(report.missed.len()));
    }
    Ok(())
}
