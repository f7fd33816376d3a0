//! What was measured, and the targets.

use std::fmt::Write as _;

use serde::Serialize;

/// All figures.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Payslips that were judged.
    pub payslips: usize,
    /// Findings that were expected.
    pub expected: Vec<Line>,
    /// Errors and warnings that nobody expected.
    pub unexpected: Vec<Line>,
    /// Figures of golden cases.
    pub golden: Vec<Line>,
    /// Pages and files of indicators.
    pub pages: Vec<Line>,
    /// Figures of the CSV against what was read, and against what is built in.
    pub figures: Vec<Line>,
    /// Tax tables.
    pub tables: Vec<Line>,
    /// Targets that were missed.
    pub missed: Vec<String>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub struct Line {
    /// The file, or the month.
    pub place: String,
    /// What was found there.
    pub what: String,
    /// Whether it is as it should be.
    pub good: bool,
}

impl Line {
    /// A line.
    pub fn new(place: impl Into<String>, what: impl Into<String>, good: bool) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
            good,
        }
    }
}

impl Report {
    fn parts(&self) -> [(&'static str, &[Line]); 5] {
        [
            ("expected findings with their figure", &self.expected),
            ("golden figures exact to the peso", &self.golden),
            ("pages and files read, wrong ones refused", &self.pages),
            ("months equal to the CSV", &self.figures),
            ("tax tables reproduced to the cent", &self.tables),
        ]
    }

    /// Every part is to be whole. What nobody expected is listed, and no target.
    pub fn judge(&mut self) {
        let missed = self.parts().into_iter().filter_map(|(name, lines)| {
            let bad = lines.iter().filter(|line| !line.good).count();
            (bad > 0).then(|| format!("{name}: {bad} of {} missed", lines.len()))
        });
        self.missed = missed.collect();
    }

    /// The report for a person.
    pub fn text(&self) -> String {
        let mut text = format!("payslips judged: {}\n", self.payslips);
        for (name, lines) in self.parts() {
            let good = lines.iter().filter(|line| line.good).count();
            let _ = writeln!(text, "\n{name}: {good} / {}", lines.len());
            for line in lines {
                let mark = if line.good { "ok  " } else { "MISS" };
                let _ = writeln!(text, "  {mark} {}: {}", line.place, line.what);
            }
        }
        let _ = writeln!(
            text,
            "\nerrors and warnings that nobody expected: {}",
            self.unexpected.len()
        );
        for line in &self.unexpected {
            let _ = writeln!(text, "       {}: {}", line.place, line.what);
        }
        if self.missed.is_empty() {
            text.push_str("\nall targets met");
        } else {
            let _ = write!(text, "\nMISSED: {}", self.missed.join("; "));
        }
        text
    }
}
