//! How fast the readers and the rules are, on one core.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use dte::casos::taller::{Papel, archivo};
use dte::firma::{Firma, Timbre, Trust, verify, verify_reading};
use dte::{Context, Documento, Limits, RULES, read_xml, validate};
use serde::Serialize;

use super::corpus::Corpus;

/// Each measurement goes on for at least so long.
const LENGTH: Duration = Duration::from_millis(700);
/// All rules over an invoice of ten lines, median, at most.
const TEN_LINES_US: f64 = 100.0;
/// The same read, judged and verified, stamped and signed, median, at most.
const SIGNED_US: f64 = 1_500.0;
/// Calls of which the median is taken.
const CALLS: usize = 5_001;
/// The same for a signed document, which takes hundreds of times as long.
const SIGNED_CALLS: usize = 1_001;

/// The figures.
#[derive(Serialize)]
pub struct Speed {
    /// Reading the files, in megabytes a second.
    pub read_mb_per_second: f64,
    /// All rules over the documents that were read.
    pub documents_per_second: f64,
    /// All rules over an invoice of ten lines, median, in microseconds.
    pub ten_lines_us: f64,
    /// Reading, all rules, stamp and signature of the same invoice, median, in microseconds.
    pub signed_us: f64,
    /// So many of these in a second.
    pub signed_per_second: f64,
    /// Each rule alone over the documents, slowest first: nanoseconds a document, with the
    /// sums that every rule is given.
    pub rules: Vec<RuleTime>,
}

/// One rule's time.
#[derive(Serialize)]
pub struct RuleTime {
    /// The rule.
    pub name: &'static str,
    /// Nanoseconds a document.
    pub nanoseconds: f64,
}

impl Speed {
    /// Measures.
    pub fn measure(corpus: &Corpus, context: &Context<'_>) -> Self {
        let limits = Limits::default();
        let bytes: usize = corpus.files.iter().map(|file| file.bytes.len()).sum();
        let reading = seconds_each(|| {
            for file in &corpus.files {
                let _ = black_box(read_xml(black_box(&file.bytes), &limits));
            }
        });
        let documents: Vec<Documento> = corpus
            .files
            .iter()
            .filter_map(|file| read_xml(&file.bytes, &limits).ok())
            .flat_map(|reading| reading.documentos)
            .collect();
        let count = documents.len().max(1) as f64;
        let judging = seconds_each(|| {
            for document in &documents {
                black_box(validate(black_box(document), context));
            }
        });
        let mut rules: Vec<RuleTime> = RULES
            .iter()
            .map(|rule| {
                let seconds = seconds_each(|| {
                    for document in &documents {
                        black_box(rule.check_alone(black_box(document), context));
                    }
                });
                RuleTime {
                    name: rule.name,
                    nanoseconds: seconds / count * 1e9,
                }
            })
            .collect();
        rules.sort_by(|a, b| b.nanoseconds.total_cmp(&a.nanoseconds));
        let signed_us = signed(context);
        Self {
            signed_us,
            signed_per_second: 1e6 / signed_us,
            read_mb_per_second: bytes as f64 / reading / 1e6,
            documents_per_second: count / judging,
            ten_lines_us: ten_lines(context),
            rules,
        }
    }

    /// What misses its target.
    pub fn missed(&self) -> Vec<String> {
        let figures = [
            ("ten lines", self.ten_lines_us, TEN_LINES_US),
            ("ten lines, signed", self.signed_us, SIGNED_US),
        ];
        let late = figures.into_iter().filter(|(_, us, most)| us > most);
        late.map(|(what, us, most)| format!("{what}: {us:.1} µs, at most {most}"))
            .collect()
    }

    /// The figures for a person.
    pub fn lines(&self) -> Vec<String> {
        let slowest = self.rules.first().map_or("none", |rule| rule.name);
        let mut lines = vec![format!(
            "speed: reading {:.0} MB/s; {:.0} documents/s with all rules; ten lines in {:.1} µs; slowest rule: {slowest}",
            self.read_mb_per_second, self.documents_per_second, self.ten_lines_us
        )];
        lines.push(format!(
            "with stamp and signature: {:.0} documents/s on one core; ten lines in {:.0} µs",
            self.signed_per_second, self.signed_us
        ));
        let slow = self.rules.iter().take(5);
        lines.extend(slow.map(|rule| format!("  {:>8.0} ns  {}", rule.nanoseconds, rule.name)));
        lines
    }
}

/// The time of one call, from as many as fit into [`LENGTH`].
fn seconds_each(mut call: impl FnMut()) -> f64 {
    call();
    let (began, mut calls) = (Instant::now(), 0_u32);
    while began.elapsed() < LENGTH {
        call();
        calls += 1;
    }
    began.elapsed().as_secs_f64() / f64::from(calls.max(1))
}

fn ten_lines(context: &Context<'_>) -> f64 {
    let xml = invoice(10);
    let Ok(reading) = read_xml(xml.as_bytes(), &Limits::default()) else {
        return f64::INFINITY;
    };
    median_us(CALLS, || {
        for document in &reading.documentos {
            drop(black_box(validate(black_box(document), context)));
        }
    })
}

/// The whole way of a signed file: bytes in, all findings out.
fn signed(context: &Context<'_>) -> f64 {
    let Some(bytes) = Papel::desde(&invoice(10)).map(|paper| archivo(&paper.dte())) else {
        return f64::INFINITY;
    };
    let (limits, trust) = (Limits::default(), Trust::new());
    if !verifies(&bytes, context) {
        return f64::INFINITY;
    }
    median_us(SIGNED_CALLS, || {
        if let Ok(reading) = read_xml(black_box(&bytes), &limits) {
            for document in &reading.documentos {
                drop(black_box(validate(document, context)));
            }
            let verified = verify_reading(&bytes, &reading, &limits, &trust, context);
            drop(black_box(verified));
        }
    })
}

/// What doesn't verify may be fast for that.
fn verifies(bytes: &[u8], context: &Context<'_>) -> bool {
    verify(bytes, &Limits::default(), &Trust::new(), context).is_ok_and(|firmas| {
        firmas.documentos.iter().all(|document| {
            document.timbre == Timbre::Verificado && matches!(document.firma, Firma::Verificada(_))
        })
    })
}

fn median_us(calls: usize, mut call: impl FnMut()) -> f64 {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let began = Instant::now();
        call();
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times
        .get(calls / 2)
        .map_or(f64::INFINITY, |median| median.as_secs_f64() * 1e6)
}

/// An invoice of made-up companies, sound in every figure.
fn invoice(lines: u32) -> String {
    let net = 1_000 * lines;
    let vat = net * 19 / 100;
    let mut xml = format!(
        "<Documento ID=\"F1T33\"><Encabezado><IdDoc><TipoDTE>33</TipoDTE><Folio>1</Folio>\
         <FchEmis>2026-06-02</FchEmis></IdDoc><Emisor><RUTEmisor>76192083-9</RUTEmisor>\
         <RznSoc>Andamios Ficticios SpA</RznSoc><GiroEmis>Arriendo</GiroEmis><Acteco>773001</Acteco>\
         <DirOrigen>Calle Uno 1</DirOrigen><CmnaOrigen>Talca</CmnaOrigen></Emisor><Receptor>\
         <RUTRecep>60803000-K</RUTRecep><RznSocRecep>Obras Imaginarias</RznSocRecep>\
         <GiroRecep>Obras</GiroRecep><DirRecep>Calle Dos 2</DirRecep><CmnaRecep>Talca</CmnaRecep>\
         </Receptor><Totales><MntNeto>{net}</MntNeto><TasaIVA>19</TasaIVA><IVA>{vat}</IVA>\
         <MntTotal>{}</MntTotal></Totales></Encabezado>",
        net + vat
    );
    for number in 1..=lines {
        // Writing to a String can't fail.
        let _ = write!(
            xml,
            "<Detalle><NroLinDet>{number}</NroLinDet><NmbItem>Perno {number}</NmbItem>\
             <QtyItem>4</QtyItem><PrcItem>250</PrcItem><MontoItem>1000</MontoItem></Detalle>"
        );
    }
    xml.push_str("</Documento>");
    xml
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_measured_invoice_is_sound() {
        let reading = read_xml(invoice(10).as_bytes(), &Limits::default()).unwrap();
        let context = Context::emission(date(2026, 11, 22));
        assert_eq!(validate(&reading.documentos[0], &context).findings, []);
        assert_eq!(reading.documentos[0].detalle.len(), 10);
        let paper = Papel::desde(&invoice(10)).unwrap();
        assert!(verifies(&archivo(&paper.dte()), &context));
        assert!(!verifies(invoice(10).as_bytes(), &context));
    }
}
