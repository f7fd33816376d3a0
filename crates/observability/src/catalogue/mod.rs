//! The catalogue: every metric that the service shows, as data.
//!
//! `docs/metrics.md` is written from it, the recorder takes its help texts and buckets from it,
//! and a test holds what the running service shows against it. A metric is added here first.

mod cache;
mod chat;
mod http;
mod llm;
mod process;
mod sii;
mod store;
mod telemetry;
mod words;

/// What a metric measures, as Prometheus knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises; its name ends in `_total`.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts in buckets, with a sum.
    Histogram,
}

impl Kind {
    /// The word of Prometheus' text format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What a metric's values are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Tokens of a language model.
    Tokens,
    /// US dollars.
    Dollars,
    /// 10⁻⁹ US dollars: counters are whole numbers.
    NanoDollars,
    /// 10⁻¹² US dollars.
    PicoDollars,
    /// A share, from 0 to 1.
    Ratio,
    /// 0 for no and 1 for yes, or a state by its number.
    State,
}

impl Unit {
    /// As the documentation has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Tokens => "tokens",
            Self::Dollars => "US dollars",
            Self::NanoDollars => "10⁻⁹ US dollars",
            Self::PicoDollars => "10⁻¹² US dollars",
            Self::Ratio => "ratio",
            Self::State => "state",
        }
    }
}

/// The values that a label can have: never ids, never a user's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// These.
    Words(&'static [&'static str]),
    /// Values that code or configuration name: what they are, and how many at most.
    Bounded {
        /// What they are.
        what: &'static str,
        /// How many there can be.
        max: usize,
    },
}

impl Values {
    /// How many there can be.
    #[must_use]
    pub const fn max(&self) -> usize {
        match self {
            Self::Words(words) => words.len(),
            Self::Bounded { max, .. } => *max,
        }
    }
}

/// A label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// As the code names it; Prometheus sees `_` for every dot.
    pub name: &'static str,
    /// What it can be.
    pub values: Values,
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// As the code names it.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What its values are.
    pub unit: Unit,
    /// Its labels.
    pub labels: &'static [Label],
    /// One line for whoever reads it.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets, rising; empty for the other kinds.
    pub buckets: &'static [f64],
    /// When it is there at all.
    pub shown: Shown,
}

/// When a metric has a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// From the start.
    Always,
    /// From the first time that it happens.
    Used,
    /// Where that part is configured.
    With(&'static str),
}

impl Metric {
    /// The name that Prometheus sees: `_` for every dot.
    #[must_use]
    pub fn exposed(&self) -> String {
        self.name.replace('.', "_")
    }

    /// How many series there can be, buckets not counted.
    #[must_use]
    pub fn max_series(&self) -> usize {
        let counts = self.labels.iter().map(|label| label.values.max());
        counts.fold(1, usize::saturating_mul)
    }

    const fn new(name: &'static str, kind: Kind, unit: Unit, help: &'static str) -> Self {
        Self {
            name,
            kind,
            unit,
            labels: &[],
            help,
            buckets: &[],
            shown: Shown::Used,
        }
    }

    const fn counter(name: &'static str, unit: Unit, help: &'static str) -> Self {
        Self::new(name, Kind::Counter, unit, help)
    }

    const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Self {
        Self::new(name, Kind::Gauge, unit, help)
    }

    const fn histogram(
        name: &'static str,
        unit: Unit,
        buckets: &'static [f64],
        help: &'static str,
    ) -> Self {
        let mut metric = Self::new(name, Kind::Histogram, unit, help);
        metric.buckets = buckets;
        metric
    }

    const fn labels(mut self, labels: &'static [Label]) -> Self {
        self.labels = labels;
        self
    }

    const fn always(mut self) -> Self {
        self.shown = Shown::Always;
        self
    }

    const fn with(mut self, part: &'static str) -> Self {
        self.shown = Shown::With(part);
        self
    }
}

/// Metrics of one part of the service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// What part.
    pub title: &'static str,
    /// Its metrics.
    pub metrics: &'static [Metric],
}

/// Every metric, by area.
pub static CATALOGUE: [Area; 8] = [
    http::AREA,
    cache::AREA,
    llm::AREA,
    store::AREA,
    chat::AREA,
    sii::AREA,
    process::AREA,
    telemetry::AREA,
];

/// Every metric.
pub fn metrics() -> impl Iterator<Item = &'static Metric> {
    CATALOGUE.iter().flat_map(|area| area.metrics)
}

/// The metric that the code or Prometheus knows by this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    metrics().find(|metric| metric.name == name || metric.exposed() == name)
}

#[cfg(test)]
mod tests;
