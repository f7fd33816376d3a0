//! The figures of an evaluation: as text, and as JSON.

use std::collections::BTreeMap;

use dte::{Finding, Severity};
use serde::Serialize;

use super::corpus::File;
use super::signatures::Signatures;
use super::speed::Speed;

/// The part of a class's mutants that must be found.
const RECALL: f64 = 0.99;

/// Everything that an evaluation found.
#[derive(Serialize)]
pub struct Report {
    /// The documents.
    pub documents: Counts,
    /// The index.
    pub agreement: Agreement,
    /// The generator's cases.
    pub cases: Cases,
    /// Documents that mutants were made of.
    pub clean: usize,
    /// What the history of the others adds to the clean documents, by severity and code.
    pub reception: BTreeMap<String, usize>,
    /// The mutants.
    pub classes: Vec<ClassFigures>,
    /// Stamps and signatures, and mutants of them.
    pub signatures: Signatures,
    /// The benchmark.
    pub speed: Speed,
    /// What misses its target.
    pub missed: Vec<String>,
}

/// How much was read, and what was found in it.
#[derive(Default, Serialize)]
pub struct Counts {
    /// Files.
    pub files: usize,
    /// Files that hold no tax document.
    pub unreadable_files: usize,
    /// Documents.
    pub documents: usize,
    /// Findings by severity.
    pub severities: BTreeMap<&'static str, usize>,
    /// Findings by severity and code.
    pub codes: BTreeMap<String, usize>,
}

impl Counts {
    /// Counts what was found in a file.
    pub fn add(&mut self, findings: &[Finding]) {
        for finding in findings {
            let severity = finding.severity.as_str();
            *self.severities.entry(severity).or_default() += 1;
            *self
                .codes
                .entry(format!("{severity} {}", finding.code))
                .or_default() += 1;
        }
    }
}

/// The rules against the index, which a simple script of others made.
#[derive(Default, Serialize)]
pub struct Agreement {
    /// Remarks of the index.
    pub remarks: usize,
    /// Those that a finding of their kind answers.
    pub answered: usize,
    /// The others, with the errors that are found instead.
    pub otherwise: Vec<String>,
    /// Errors in files on which the index has no remark, by code, with the files.
    pub errors_without_remark: BTreeMap<String, Vec<String>>,
    /// Built-in documents, which are correct by construction, in which there is more than an info.
    pub false_rejections: Vec<String>,
    /// Findings in documents without an error and without a remark, by severity and code.
    pub in_clean_documents: BTreeMap<String, usize>,
}

impl Agreement {
    /// Compares a file's findings with its remarks.
    pub fn add(&mut self, file: &File, findings: &[Finding]) {
        let errors = || {
            findings
                .iter()
                .filter(|finding| finding.severity == Severity::Error)
        };
        for remark in &file.remarks {
            self.remarks += 1;
            let kinds = answers(remark);
            let answers =
                |finding: &Finding| kinds.iter().any(|start| finding.code.starts_with(start));
            if findings.iter().any(answers) {
                self.answered += 1;
            } else {
                let mut codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
                codes.dedup();
                self.otherwise
                    .push(format!("{}: {remark} → {}", file.name, codes.join(", ")));
            }
        }
        if file.built_in {
            let wrong = findings
                .iter()
                .filter(|finding| finding.severity > Severity::Info);
            self.false_rejections
                .extend(wrong.map(|finding| format!("{}: {}", file.name, finding.code)));
        } else if file.remarks.is_empty() {
            for error in errors() {
                let files = self
                    .errors_without_remark
                    .entry(error.code.to_owned())
                    .or_default();
                if files.last() != Some(&file.name) {
                    files.push(file.name.clone());
                }
            }
        }
    }

    /// Counts what is found in documents that have no error.
    pub fn warned_clean(&mut self, findings: impl Iterator<Item = (&'static str, Severity)>) {
        for (code, severity) in findings {
            let key = format!("{} {code}", severity.as_str());
            *self.in_clean_documents.entry(key).or_default() += 1;
        }
    }
}

/// Starts of the codes that answer a kind of remark.
fn answers(remark: &str) -> &'static [&'static str] {
    match remark.split(':').next().unwrap_or_default() {
        "iva" => &["DTE-IVA-CALCULO"],
        "neto" => &["DTE-NETO-CALCULO", "DTE-BOLETA-"],
        "total" => &["DTE-TOTAL-CALCULO", "DTE-BOLETA-TOTAL"],
        "noMntTotal" => &["DTE-TOTAL-AUSENTE"],
        "lineNone" => &["DTE-LINEA-MONTO-AUSENTE"],
        "rutE" => &["DTE-RUT-EMISOR-"],
        "rutR" => &["DTE-RUT-RECEPTOR-"],
        _ => &[],
    }
}

/// The generator's cases.
#[derive(Default, Serialize)]
pub struct Cases {
    /// All of them.
    pub all: usize,
    /// Those whose every total is as expected.
    pub exact: usize,
    /// The others, with the difference.
    pub wrong: Vec<String>,
}

/// The mutants of one class.
#[derive(Serialize)]
pub struct ClassFigures {
    /// The class.
    pub name: &'static str,
    /// Mutants made.
    pub made: usize,
    /// Mutants in which the rules found something new.
    pub found: usize,
    /// Some in which they didn't: type, totals and first line of the original.
    pub missed: Vec<String>,
}

impl ClassFigures {
    /// A class of which none is made yet.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            made: 0,
            found: 0,
            missed: Vec::new(),
        }
    }

    fn enough(&self) -> bool {
        self.made > 0 && self.found as f64 >= self.made as f64 * RECALL
    }
}

impl Report {
    /// Lists what misses its target.
    pub fn judge(&mut self) {
        let mut missed = Vec::new();
        for class in self.all_classes().filter(|class| !class.enough()) {
            missed.push(format!(
                "mutants {}: {} of {}",
                class.name, class.found, class.made
            ));
        }
        let alarms = self.signatures.false_alarms.iter();
        missed.extend(alarms.map(|alarm| format!("false alarm in a signed document: {alarm}")));
        let rejected = self.agreement.false_rejections.iter();
        missed.extend(rejected.map(|file| format!("false rejection: {file}")));
        if self.cases.exact < self.cases.all {
            missed.push(format!("cases: {} of {}", self.cases.exact, self.cases.all));
        }
        missed.extend(self.speed.missed());
        self.missed = missed;
    }

    fn all_classes(&self) -> impl Iterator<Item = &ClassFigures> {
        self.classes.iter().chain(&self.signatures.classes)
    }

    /// The report for a person.
    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        self.documents(&mut lines);
        self.recall(&mut lines);
        lines.extend(self.speed.lines());
        lines.push(String::new());
        if self.missed.is_empty() {
            lines.push("every target is met".to_owned());
        } else {
            lines.push("missed targets:".to_owned());
            lines.extend(self.missed.iter().map(|missed| format!("  {missed}")));
        }
        lines.join("\n")
    }

    fn documents(&self, lines: &mut Vec<String>) {
        let (counts, agreement) = (&self.documents, &self.agreement);
        lines.push(format!(
            "{} documents in {} files ({} files hold none); {:?}",
            counts.documents, counts.files, counts.unreadable_files, counts.severities
        ));
        lines.extend(
            counts
                .codes
                .iter()
                .map(|(code, count)| format!("  {count:>4}  {code}")),
        );
        lines.push(format!(
            "index: {} of {} remarks answered by a finding of their kind; the others:",
            agreement.answered, agreement.remarks
        ));
        lines.extend(agreement.otherwise.iter().map(|line| format!("  {line}")));
        lines.push("errors in files without a remark:".to_owned());
        lines.extend(
            agreement
                .errors_without_remark
                .iter()
                .map(|(code, files)| format!("  {code}: {}", files.join(" "))),
        );
        lines.push(format!("findings in the {} clean documents:", self.clean));
        let clean = agreement.in_clean_documents.iter();
        lines.extend(clean.map(|(code, count)| format!("  {count:>4}  {code}")));
        lines.push("the same, received, with all the others as history:".to_owned());
        let reception = self.reception.iter();
        lines.extend(reception.map(|(code, count)| format!("  {count:>4}  {code}")));
        lines.push(format!(
            "cases: {} of {} exact",
            self.cases.exact, self.cases.all
        ));
        lines.extend(self.cases.wrong.iter().map(|wrong| format!("  {wrong}")));
    }

    fn recall(&self, lines: &mut Vec<String>) {
        lines.extend(self.signatures.lines());
        let made: usize = self.all_classes().map(|class| class.made).sum();
        let found: usize = self.all_classes().map(|class| class.found).sum();
        let classes = self.all_classes().filter(|class| class.made > 0);
        lines.push(format!(
            "mutants: {found} of {made} found, in {} classes:",
            classes.count()
        ));
        for class in self.all_classes() {
            let mark = if class.enough() { " " } else { "!" };
            lines.push(format!(
                "{mark} {:<28} {:>5} of {:>5}",
                class.name, class.found, class.made
            ));
            lines.extend(
                class
                    .missed
                    .iter()
                    .map(|missed| format!("      e.g. {missed}")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_needs_ninety_nine_in_a_hundred() {
        let class = |found, made| ClassFigures {
            made,
            found,
            ..ClassFigures::new("x")
        };
        assert!(class(1, 1).enough() && class(99, 100).enough());
        assert!(!class(98, 100).enough() && !class(9, 10).enough());
        // A class that makes no mutant shows nothing.
        assert!(!class(0, 0).enough());
    }

    #[test]
    fn a_remark_is_answered_by_its_kind() {
        let file = |remarks: &[&str]| File {
            name: "a.xml".to_owned(),
            bytes: Vec::new(),
            remarks: remarks.iter().map(|remark| (*remark).to_owned()).collect(),
            built_in: false,
        };
        let finding = Finding {
            code: "DTE-IVA-CALCULO",
            severity: Severity::Error,
            message: String::new(),
            path: String::new(),
            expected: None,
            actual: None,
            difference: None,
            sii_code: None,
        };
        let mut agreement = Agreement::default();
        agreement.add(
            &file(&["iva:1!=2", "neto:1!=2"]),
            std::slice::from_ref(&finding),
        );
        agreement.add(&file(&[]), &[finding]);
        assert_eq!((agreement.remarks, agreement.answered), (2, 1));
        assert_eq!(agreement.otherwise, ["a.xml: neto:1!=2 → DTE-IVA-CALCULO"]);
        assert_eq!(
            agreement.errors_without_remark["DTE-IVA-CALCULO"],
            ["a.xml"]
        );
    }
}
