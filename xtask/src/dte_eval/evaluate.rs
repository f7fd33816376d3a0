//! What the rules find in the documents, in the cases and in the mutants.

use std::collections::{BTreeMap, BTreeSet};

use dte::casos::CasoDeGenerador;
use dte::{Anterior, Context, Documento, Finding, Limits, Severity, TipoDte, read_xml, validate};

use super::body::{bodies, first};
use super::corpus::{Corpus, File, text};
use super::mutants::{CLASSES, Class, Knowledge, Subject};
use super::report::{Agreement, Cases, ClassFigures, Counts};
use crate::random::Random;

/// A document without an error, as its own XML.
pub struct Clean {
    /// The body's XML.
    pub body: String,
    /// The same, read.
    pub document: Documento,
    kind: TipoDte,
    /// What is found in it all the same.
    known: BTreeMap<(&'static str, String), Severity>,
}

/// What the documents came to.
pub struct Documents {
    /// By severity and code.
    pub counts: Counts,
    /// Against the index.
    pub agreement: Agreement,
    /// Those to make mutants of, each situation once.
    pub clean: Vec<Clean>,
}

/// Reads and judges every document.
pub fn documents(corpus: &Corpus, context: &Context<'_>) -> Documents {
    let mut documents = Documents {
        counts: Counts::default(),
        agreement: Agreement::default(),
        clean: Vec::new(),
    };
    let mut situations = BTreeSet::new();
    for file in &corpus.files {
        documents.counts.files += 1;
        let found: Vec<Finding> = match read_xml(&file.bytes, &Limits::default()) {
            Ok(reading) => {
                let judged = &reading.documentos;
                documents.counts.documents += judged.len();
                let context = context.with_envelope(judged);
                let findings = judged.iter().map(|document| validate(document, &context));
                findings.flat_map(|report| report.findings).collect()
            }
            Err(_) => {
                documents.counts.unreadable_files += 1;
                continue;
            }
        };
        documents.counts.add(&found);
        documents.agreement.add(file, &found);
        if file.remarks.is_empty() {
            documents
                .clean
                .extend(clean(file, context, &mut situations));
        }
    }
    for clean in &documents.clean {
        documents.agreement.warned_clean(
            clean
                .known
                .iter()
                .map(|((code, _), severity)| (*code, *severity)),
        );
    }
    documents
}

/// The file's documents without an error. Copies of one situation count once.
fn clean(file: &File, context: &Context<'_>, situations: &mut BTreeSet<String>) -> Vec<Clean> {
    let text = text(&file.bytes);
    bodies(&text)
        .into_iter()
        .filter_map(|body| {
            let document = read(body)?;
            let findings = validate(&document, context).findings;
            let sound = findings
                .iter()
                .all(|finding| finding.severity < Severity::Error);
            let kind = document.tipo().filter(|_| sound)?;
            situations.insert(situation(body)).then(|| Clean {
                body: body.to_owned(),
                document,
                kind,
                known: known(findings),
            })
        })
        .collect()
}

/// What makes two documents the same situation, whoever they are from and whenever.
fn situation(body: &str) -> String {
    let tags = [
        "TipoDTE", "MntNeto", "MntExe", "IVA", "MntTotal", "CodRef", "NmbItem", "PrcItem",
    ];
    let parts: Vec<&str> = tags
        .iter()
        .map(|tag| first(body, tag).unwrap_or_default())
        .collect();
    format!("{} {}", parts.join("|"), body.matches("<Detalle>").count())
}

/// What is found in each clean document, received, with all the others as history.
pub fn reception(clean: &[Clean], today: jiff::civil::Date) -> BTreeMap<String, usize> {
    let entries: Vec<Anterior> = clean
        .iter()
        .filter_map(|one| Anterior::desde(&one.document))
        .collect();
    let mut counts = BTreeMap::new();
    for one in clean {
        let own = Anterior::desde(&one.document);
        let others: Vec<Anterior> = entries
            .iter()
            .filter(|entry| Some(*entry) != own.as_ref())
            .cloned()
            .collect();
        let context = Context::reception(today).with_history(&others);
        for finding in validate(&one.document, &context).findings {
            if !one.known.contains_key(&(finding.code, finding.path)) {
                let key = format!("{} {}", finding.severity.as_str(), finding.code);
                *counts.entry(key).or_default() += 1;
            }
        }
    }
    counts
}

fn read(body: &str) -> Option<Documento> {
    let reading = read_xml(body.as_bytes(), &Limits::default()).ok()?;
    let mut documents = reading.documentos.into_iter();
    documents.next().filter(|_| documents.len() == 0)
}

fn known(findings: Vec<Finding>) -> BTreeMap<(&'static str, String), Severity> {
    findings
        .into_iter()
        .map(|finding| ((finding.code, finding.path), finding.severity))
        .collect()
}

/// Completes every case of the generator.
pub fn cases(corpus: &Corpus) -> Cases {
    let mut cases = Cases::default();
    for (name, yaml) in &corpus.cases {
        cases.all += 1;
        let value: Option<serde_json::Value> = serde_saphyr::from_str(yaml).ok();
        let case = value.as_ref().and_then(CasoDeGenerador::leer);
        let wrong = match case.map(|case| case.comparar()) {
            None => "can't be read".to_owned(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(differences)) if differences.is_empty() => {
                cases.exact += 1;
                continue;
            }
            Some(Ok(differences)) => differences
                .iter()
                .map(|d| format!("{} {} instead of {}", d.campo, d.calculado, d.esperado))
                .collect::<Vec<_>>()
                .join(", "),
        };
        cases.wrong.push(format!("{name}: {wrong}"));
    }
    cases
}

/// Makes the mutants of every class, and counts those in which the rules find something new.
pub fn mutants(clean: &[Clean], context: &Context<'_>, seed: u64) -> Vec<ClassFigures> {
    CLASSES
        .iter()
        .map(|class| one_class(class, clean, context, seed))
        .collect()
}

fn one_class(class: &Class, clean: &[Clean], context: &Context<'_>, seed: u64) -> ClassFigures {
    let mut random = Random::new(seed, class.name);
    let mut figures = ClassFigures::new(class.name);
    for original in clean {
        let subject = Subject {
            body: &original.body,
            kind: original.kind.codigo(),
        };
        let Some(mutant) = (class.mutate)(&subject, &mut random) else {
            continue;
        };
        let Some(history) = history(class.knowledge, original) else {
            continue;
        };
        figures.made += 1;
        if found(class, original, &mutant, &context.with_history(&history)) {
            figures.found += 1;
        } else if figures.missed.len() < 3 {
            figures.missed.push(situation(&original.body));
        }
    }
    figures
}

fn found(class: &Class, original: &Clean, mutant: &str, context: &Context<'_>) -> bool {
    let Ok(reading) = read_xml(mutant.as_bytes(), &Limits::default()) else {
        return true;
    };
    let judged = reading.documentos.iter();
    let mut findings = judged.flat_map(|document| validate(document, context).findings);
    findings.any(|finding| {
        let counts = class.codes.is_empty()
            || class
                .codes
                .iter()
                .any(|start| finding.code.starts_with(start));
        let before = original.known.get(&(finding.code, finding.path));
        counts && before.is_none_or(|before| finding.severity > *before)
    })
}

/// What the rules are told besides the mutant; `None` where that can't be made.
fn history(knowledge: Knowledge, original: &Clean) -> Option<Vec<Anterior>> {
    let itself = || Anterior::desde(&original.document);
    match knowledge {
        Knowledge::None => Some(Vec::new()),
        Knowledge::Itself => Some(vec![itself()?]),
        Knowledge::OtherOriginal => {
            let mut annulled = itself()?;
            let corrected = annulled.corrige.first().copied()?;
            (annulled.tipo, annulled.folio) = (corrected.tipo, corrected.folio);
            annulled.total = annulled.total.checked_add(annulled.total)?;
            annulled.corrige.clear();
            (annulled.total != original.document.encabezado.totales.mnt_total.valor()?)
                .then(|| vec![annulled])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const INVOICE: &str = "<Documento ID=\"a\"><Encabezado><IdDoc><TipoDTE>33</TipoDTE><Folio>9</Folio>\
        <FchEmis>2026-11-20</FchEmis></IdDoc><Emisor><RUTEmisor>76192083-9</RUTEmisor>\
        <RznSoc>Andamios Ficticios SpA</RznSoc><GiroEmis>Arriendo</GiroEmis><Acteco>773001</Acteco>\
        <DirOrigen>Calle Uno 1</DirOrigen><CmnaOrigen>Talca</CmnaOrigen></Emisor><Receptor>\
        <RUTRecep>60803000-K</RUTRecep><RznSocRecep>Obras Imaginarias</RznSocRecep>\
        <GiroRecep>Obras</GiroRecep><DirRecep>Calle Dos 2</DirRecep><CmnaRecep>Talca</CmnaRecep>\
        </Receptor><Totales><MntNeto>1000</MntNeto><TasaIVA>19</TasaIVA><IVA>190</IVA>\
        <MntTotal>1190</MntTotal></Totales></Encabezado><Detalle><NroLinDet>1</NroLinDet>\
        <NmbItem>Perno</NmbItem><QtyItem>1</QtyItem><PrcItem>1000</PrcItem>\
        <MontoItem>1000</MontoItem></Detalle></Documento>";

    fn corpus() -> Corpus {
        let file = |name: &str, bytes: &str| File {
            name: name.to_owned(),
            bytes: bytes.as_bytes().to_vec(),
            remarks: Vec::new(),
            built_in: false,
        };
        Corpus {
            files: vec![
                file("a.xml", INVOICE),
                file("b.xml", INVOICE),
                file("c.xml", "<x/>"),
            ],
            cases: vec![(
                "uno.yaml".to_owned(),
                "Encabezado:\n  IdDoc:\n    TipoDTE: 33\nDetalle:\n- QtyItem: 1\n  PrcItem: 100\n\
                 Test:\n  ExpectedValues:\n    Encabezado:\n      Totales:\n        MntTotal: 119\n"
                    .to_owned(),
            )],
        }
    }

    #[test]
    fn a_situation_counts_once_and_its_mutants_are_found() {
        let context = Context::emission(date(2026, 11, 22));
        let documents = documents(&corpus(), &context);
        assert_eq!(
            (documents.counts.files, documents.counts.unreadable_files),
            (3, 1)
        );
        assert_eq!(documents.clean.len(), 1);
        let figures = mutants(&documents.clean, &context, 1);
        for name in ["iva-100", "total-1", "rut-emisor-dv", "folio-repetido"] {
            let class = figures.iter().find(|figures| figures.name == name).unwrap();
            assert_eq!((class.made, class.found), (1, 1), "{name}");
        }
        assert_eq!(figures.len(), CLASSES.len());
        assert_eq!(reception(&documents.clean, context.today), BTreeMap::new());
    }

    /// What a clone without the collected documents evaluates.
    #[test]
    fn every_class_is_made_of_the_built_in_documents_and_found() {
        let context = Context::emission(date(2026, 11, 22));
        let documents = documents(&Corpus::built_in(), &context);
        assert_eq!(documents.agreement.false_rejections, Vec::<String>::new());
        for class in mutants(&documents.clean, &context, 1) {
            assert!(class.made > 0, "{}", class.name);
            assert_eq!(class.made, class.found, "{} {:?}", class.name, class.missed);
        }
    }

    #[test]
    fn cases_are_completed() {
        let cases = cases(&corpus());
        assert_eq!((cases.all, cases.exact), (1, 1));
        assert!(cases.wrong.is_empty());
    }
}
