//! No more findings than anybody reads, however many documents a request holds.

use std::cmp::Reverse;

use crate::report::{Finding, Report};
use findings::Severity;

/// The most findings that are told one by one: two full reports.
pub(super) const MAX_TOLD: usize = 1_000;

/// The code of the finding that stands for those that are not told.
pub const OMITTED_CODE: &str = "SERVICIO-HALLAZGOS-OMITIDOS";

/// The reports of the documents of one request, in their order, with 1,000 findings together
/// at the most. Where there are more, the last finding counts them, and is as bad as the worst
/// of them, so that the recommendation stays what it was.
///
/// Each report is taken when it is needed and cut at once: an envelope of 2,000 wrong
/// documents takes no more memory than its findings that are told.
#[must_use]
pub fn bounded(reports: impl IntoIterator<Item = Report>) -> Vec<Report> {
    let mut room = MAX_TOLD;
    let mut omitted = Omitted::default();
    let mut told: Vec<Report> = reports
        .into_iter()
        .map(|mut report| {
            if report.findings.len() > room {
                // The worst stay; of one severity, the first.
                report
                    .findings
                    .sort_by_key(|finding| Reverse(finding.severity));
                omitted.count(report.findings.drain(room..));
                report.findings.shrink_to_fit();
            }
            room -= report.findings.len();
            report
        })
        .collect();
    if let (Some(finding), Some(last)) = (omitted.finding(), told.last_mut()) {
        last.findings.push(finding);
    }
    told
}

/// What is not told.
#[derive(Default)]
struct Omitted {
    findings: usize,
    worst: Option<Severity>,
}

impl Omitted {
    fn count(&mut self, findings: impl Iterator<Item = Finding>) {
        for finding in findings {
            self.findings += 1;
            self.worst = self.worst.max(Some(finding.severity));
        }
    }

    fn finding(&self) -> Option<Finding> {
        let severity = self.worst?;
        let message = format!(
            "Hay {} observaciones más que no se detallan. Corrija las informadas y valide de nuevo.",
            self.findings
        );
        Some(Finding {
            code: OMITTED_CODE,
            severity,
            message,
            path: String::new(),
            expected: None,
            actual: None,
            difference: None,
            sii_code: None,
        })
    }
}
