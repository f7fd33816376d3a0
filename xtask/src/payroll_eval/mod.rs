//! `cargo xtask payroll-eval`, its second half: how the `payroll` crate judges the payslips of a
//! folder, and reads the indicators and tax tables of another.

mod csv;
mod golden;
mod payslips;
mod previred;
mod report;

use std::fs;
use std::path::{Path, PathBuf};

use self::report::Report;
use crate::error::Error;
use crate::payroll_launch::Args;
use crate::run;

/// Evaluates, prints the report and writes the JSON.
///
/// # Errors
///
/// [`Error::Io`] and [`Error::Missing`] for the data and the JSON file;
/// [`Error::EvalMissed`] when a target is missed and `--strict` was given.
pub fn measure(args: &Args) -> Result<(), Error> {
    let usual = || run::root().join("../shared/data");
    let data = args.data.clone().unwrap_or_else(usual);
    let payslips = part(&data, "payslips", "EXPECTED_FINDINGS.csv");
    let previred = part(&data, "previred", "indicadores_mensuales.csv");
    if payslips.is_none() && previred.is_none() {
        return Err(Error::Missing {
            what: format!("{}: payslips/ or previred/", data.display()),
            hint: "give a folder with --data".to_owned(),
        });
    }
    let mut report = Report::default();
    if let Some(folder) = &payslips {
        payslips::evaluate(folder, &mut report)?;
        golden::evaluate(folder, previred.as_deref(), &mut report)?;
    }
    if let Some(folder) = &previred {
        previred::evaluate(folder, &mut report)?;
    }
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

/// A part of the data: a folder of its name, or the folder itself where it has the part's index.
fn part(data: &Path, name: &str, index: &str) -> Option<PathBuf> {
    let inside = data.join(name);
    if inside.is_dir() {
        return Some(inside);
    }
    data.join(index).is_file().then(|| data.to_path_buf())
}

/// The files of a folder with their texts, by name.
fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let doing = || format!("read {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(doing()))? {
        let path = entry.map_err(Error::io(doing()))?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .map(str::to_owned);
        if let (true, Some(name)) = (path.is_file(), name) {
            let bytes = fs::read(&path).map_err(Error::io(format!("read {}", path.display())))?;
            files.push((name, bytes));
        }
    }
    files.sort();
    Ok(files)
}
