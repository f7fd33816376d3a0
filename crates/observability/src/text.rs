//! Prometheus' text format, for what the exporter behind the façade can't show.

use std::fmt::Write as _;

use crate::catalogue;

/// Begins a metric of the catalogue: its help and its kind.
pub(crate) fn family(out: &mut String, name: &str) {
    if let Some(metric) = catalogue::find(name) {
        let (help, kind) = (metric.help, metric.kind.as_str());
        // Writing into a string can't fail.
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }
}

/// One sample. Labels are this workspace's own words: nothing in them needs escaping.
pub(crate) fn sample(out: &mut String, name: &str, labels: &[(&str, &str)], value: f64) {
    out.push_str(name);
    for (index, (label, value)) in labels.iter().enumerate() {
        let before = if index == 0 { '{' } else { ',' };
        let _ = write!(out, "{before}{label}=\"{value}\"");
    }
    if !labels.is_empty() {
        out.push('}');
    }
    let _ = if value == f64::INFINITY {
        writeln!(out, " +Inf")
    } else {
        writeln!(out, " {value}")
    };
}

/// A metric of a single sample.
pub(crate) fn single(out: &mut String, name: &str, value: f64) {
    family(out, name);
    sample(out, name, &[], value);
    out.push('\n');
}
