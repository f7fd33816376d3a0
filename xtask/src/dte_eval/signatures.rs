//! Stamps and signatures: what verifies of the documents and why the rest doesn't, and mutants
//! of what does.
//!
//! Mutants are made of intact files only: those of the folder in which everything verifies, and
//! the built-in documents, stamped and signed with keys of this program. The latter can also be
//! made wrong before they are signed.

mod remade;
mod tampered;

use std::collections::{BTreeMap, BTreeSet};

use dte::casos::Limpio;
use dte::casos::taller::{IDK, Llave, Papel, Sobre, archivo};
use dte::firma::{Firma, Firmas, Timbre, Trust, verify};
use dte::{Context, Finding, Limits, Severity};
use serde::Serialize;

use super::corpus::Corpus;
use super::report::ClassFigures;

/// What the stamps and signatures of a folder came to.
#[derive(Serialize)]
pub struct Signatures {
    /// How many of each verdict: `stamp verified`, `signature failed: Contenido`, …
    pub verdicts: BTreeMap<String, usize>,
    /// One for each file that doesn't verify as a whole.
    pub files: Vec<FileVerdict>,
    /// Intact files that mutants were made of: of the folder, and built in.
    pub bases: (usize, usize),
    /// Errors and warnings in intact files, which should be none.
    pub false_alarms: Vec<String>,
    /// The mutants.
    pub classes: Vec<ClassFigures>,
}

/// A file in which something doesn't verify.
#[derive(Serialize)]
pub struct FileVerdict {
    /// Its name.
    pub name: String,
    /// How many of its documents, envelopes and parts have each verdict.
    pub verdicts: BTreeMap<String, usize>,
    /// The codes of what is an error in it.
    pub errors: BTreeSet<&'static str>,
}

/// A file in which everything verifies.
pub struct Base {
    /// Its name.
    pub name: String,
    /// Its bytes, each as the character of that number: text that is changed byte by byte.
    pub text: String,
    /// What it is made of, where this program made it.
    pub made: Option<Papel>,
    known: BTreeSet<(&'static str, String)>,
}

impl Base {
    /// The file, changed.
    pub fn bytes(text: &str) -> Vec<u8> {
        dte::casos::taller::latin1(text)
    }
}

/// A class of broken stamps, signatures or covers.
pub struct Class {
    /// Its name.
    pub name: &'static str,
    /// Codes, one of which must be found.
    pub codes: &'static [&'static str],
    /// Makes a mutant; `None` where the file has nothing that could be wrong in this way.
    pub mutate: fn(&Base) -> Option<Vec<u8>>,
}

/// Verifies every file, and makes the mutants of those that are intact and of the built-in ones.
pub fn evaluate(corpus: &Corpus, limpios: &[Limpio], context: &Context<'_>) -> Signatures {
    let trust = trust();
    let mut signatures = Signatures {
        verdicts: BTreeMap::new(),
        files: Vec::new(),
        bases: (0, 0),
        false_alarms: Vec::new(),
        classes: Vec::new(),
    };
    let mut bases = Vec::new();
    for file in corpus.files.iter().filter(|file| !file.built_in) {
        let Ok(firmas) = verify(&file.bytes, &Limits::default(), &trust, context) else {
            continue;
        };
        let verdicts = verdicts(&firmas);
        for (verdict, count) in &verdicts {
            *signatures.verdicts.entry(verdict.clone()).or_default() += count;
        }
        let findings = findings(firmas);
        let errors: BTreeSet<_> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.code)
            .collect();
        if errors.is_empty() && verdicts.keys().all(|verdict| verdict.contains("verified")) {
            bases.push(Base {
                name: file.name.clone(),
                text: file.bytes.iter().copied().map(char::from).collect(),
                made: None,
                known: known(findings),
            });
        } else {
            signatures.files.push(FileVerdict {
                name: file.name.clone(),
                verdicts,
                errors,
            });
        }
    }
    signatures.bases.0 = bases.len();
    bases.extend(limpios.iter().filter_map(|limpio| {
        let (base, alarms) = built_in(limpio.nombre, limpio.cuerpo, &trust, context)?;
        signatures.false_alarms.extend(alarms);
        Some(base)
    }));
    signatures.bases.1 = bases.len() - signatures.bases.0;
    signatures.classes = tampered::CLASSES
        .iter()
        .chain(remade::CLASSES)
        .map(|class| one_class(class, &bases, &trust, context))
        .collect();
    signatures
}

/// The key that signs the built-in CAFs.
fn trust() -> Trust {
    match Llave::sii().publica() {
        Some(llave) => Trust::new().with_sii_key(IDK, llave),
        None => Trust::new(),
    }
}

/// A built-in document in its envelope, and what is found in it all the same.
fn built_in(
    name: &str,
    body: &str,
    trust: &Trust,
    context: &Context<'_>,
) -> Option<(Base, Vec<String>)> {
    let made = Papel::desde(body)?;
    let bytes = archivo(&Sobre::de(std::slice::from_ref(&made))?.xml());
    let firmas = verify(&bytes, &Limits::default(), trust, context).ok()?;
    let findings = findings(firmas);
    let alarms = findings
        .iter()
        .map(|finding| format!("{name}: {} {}", finding.severity.as_str(), finding.code))
        .collect();
    let base = Base {
        name: name.to_owned(),
        text: bytes.iter().copied().map(char::from).collect(),
        made: Some(made),
        known: known(findings),
    };
    Some((base, alarms))
}

fn findings(firmas: Firmas) -> Vec<Finding> {
    let documents = firmas.documentos.into_iter();
    let mut all: Vec<Finding> = documents.flat_map(|document| document.findings).collect();
    all.extend(firmas.findings);
    all
}

fn known(findings: Vec<Finding>) -> BTreeSet<(&'static str, String)> {
    let found = findings.into_iter();
    found.map(|finding| (finding.code, finding.path)).collect()
}

fn verdicts(firmas: &Firmas) -> BTreeMap<String, usize> {
    let signature = |what: &str, firma: Firma| match firma {
        Firma::Ausente => format!("{what} absent"),
        Firma::Verificada(_) => format!("{what} verified"),
        Firma::Fallida(reason) => format!("{what} failed: {reason:?}"),
    };
    let mut verdicts = BTreeMap::new();
    let mut count = |verdict: String| *verdicts.entry(verdict).or_default() += 1;
    for document in &firmas.documentos {
        count(match document.timbre {
            Timbre::Ausente => "stamp absent".to_owned(),
            Timbre::Verificado => "stamp verified".to_owned(),
            Timbre::Fallido(reason) => format!("stamp failed: {reason:?}"),
        });
        count(signature("signature", document.firma));
    }
    for part in &firmas.partes {
        count(signature("envelope or part", part.firma));
    }
    verdicts
}

fn one_class(class: &Class, bases: &[Base], trust: &Trust, context: &Context<'_>) -> ClassFigures {
    let mut figures = ClassFigures::new(class.name);
    for base in bases {
        let Some(mutant) = (class.mutate)(base) else {
            continue;
        };
        figures.made += 1;
        let found = verify(&mutant, &Limits::default(), trust, context);
        let right = found.is_ok_and(|firmas| {
            findings(firmas).into_iter().any(|finding| {
                class.codes.contains(&finding.code)
                    && !base.known.contains(&(finding.code, finding.path))
            })
        });
        if right {
            figures.found += 1;
        } else if figures.missed.len() < 3 {
            figures.missed.push(base.name.clone());
        }
    }
    figures
}

impl Signatures {
    /// The figures for a person.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec!["stamps and signatures of the folder:".to_owned()];
        let verdicts = self.verdicts.iter();
        lines.extend(verdicts.map(|(verdict, count)| format!("  {count:>4}  {verdict}")));
        lines.push("files in which not everything verifies:".to_owned());
        for file in &self.files {
            let verdicts: Vec<String> = file
                .verdicts
                .iter()
                .map(|(verdict, count)| format!("{count} {verdict}"))
                .collect();
            let errors: Vec<&str> = file.errors.iter().copied().collect();
            lines.push(format!(
                "  {}: {} ({})",
                file.name,
                verdicts.join(", "),
                errors.join(" ")
            ));
        }
        lines.push(format!(
            "mutants of stamps, signatures and covers are made of {} intact files of the folder and {} built-in ones",
            self.bases.0, self.bases.1
        ));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dte::casos::LIMPIOS;
    use jiff::civil::date;

    #[test]
    fn every_class_is_made_of_built_in_documents_and_found() {
        let corpus = Corpus::built_in();
        let context = Context::emission(date(2026, 11, 22));
        let wanted = ["33_mixta", "39_mixta", "112_anula"];
        let limpios = LIMPIOS.iter().copied();
        let some: Vec<Limpio> = limpios
            .filter(|limpio| wanted.contains(&limpio.nombre))
            .collect();
        let signatures = evaluate(&corpus, &some, &context);
        assert_eq!(signatures.false_alarms, Vec::<String>::new());
        assert_eq!(signatures.bases, (0, wanted.len()));
        for class in &signatures.classes {
            assert!(class.made > 0, "{}", class.name);
            assert_eq!(class.made, class.found, "{} {:?}", class.name, class.missed);
        }
        assert!(signatures.classes.len() >= 45);
    }
}
