//! The report: one page with everything in it, for light and dark, without scripts.

use std::collections::BTreeMap;

use super::figures::{Figures, RouteFigures};
use super::objectives::Verdict;
use super::record::Point;
use super::svg::{self, Frame, Line, Scale, escaped};
use super::watch::Sample;

const STYLE: &str = include_str!("report.css");
/// Bars of the histogram for each factor of ten.
const BARS_PER_TEN: f64 = 10.0;

/// The whole page.
pub fn page(figures: &Figures, verdicts: &[Verdict]) -> String {
    let title = format!("ai-service under load: {}", figures.scenario);
    let machine = &figures.machine;
    let about = format!(
        "{:.0} requests/s for {:.0} s on {} ({} cores, {}); {}; load average {:.1} before; commit {}",
        figures.rate,
        figures.seconds,
        machine.began,
        machine.cores,
        machine.cpu,
        figures.cores,
        machine.load_average,
        machine.commit
    );
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body><main><h1>{title}</h1>\
         <p>{about}</p>\n{}{}{}{}</main></body></html>\n",
        objectives(verdicts),
        routes(figures),
        plots(figures),
        more(figures),
        title = escaped(&title),
        about = escaped(&about)
    )
}

fn objectives(verdicts: &[Verdict]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let rows = verdicts.iter().map(|verdict| {
        let word = if verdict.met { "met" } else { "missed" };
        vec![verdict.what.clone(), verdict.is.clone(), word.to_owned()]
    });
    section("Objectives", &table(&["objective", "measured", ""], rows))
}

fn routes(figures: &Figures) -> String {
    let heads = [
        "kind",
        "answered",
        "shed",
        "failed",
        "hits",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "first byte p99 ms",
    ];
    let rows = figures.routes.iter().map(|route| {
        let hits = match route.kept {
            0 => "–".to_owned(),
            kept => format!("{:.1} %", route.hits as f64 / kept as f64 * 100.0),
        };
        vec![
            route.name.to_owned(),
            route.accepted.to_string(),
            route.shed.to_string(),
            route.failed().to_string(),
            hits,
            format!("{:.2}", route.p50_ms),
            format!("{:.2}", route.p95_ms),
            format!("{:.2}", route.p99_ms),
            format!("{:.1}", route.max_ms),
            format!("{:.2}", route.first_p99_ms),
        ]
    });
    let note = "<p>Latency counts from the moment at which a request was to be sent. \
                <em>…-itself</em> is the model's stand-in, asked by the generator what the service \
                asks it.</p>";
    section("By kind of request", &(table(&heads, rows) + note))
}

fn plots(figures: &Figures) -> String {
    let marks: Vec<(f64, &str)> = figures
        .events
        .iter()
        .map(|event| (event.at, event.what))
        .collect();
    let frame = |title, y, scale| Frame {
        title,
        x: "seconds",
        y,
        scale,
    };
    let latency: Vec<Line> = figures
        .routes
        .iter()
        .filter(|route| !route.points.is_empty())
        .map(|route| Line {
            name: route.name.to_owned(),
            points: over_time(figures, &route.points, |point| point.p99_ms),
        })
        .collect();
    let all = sums(figures);
    let line = |name: &str, value: fn(&Point) -> f64| Line {
        name: name.to_owned(),
        points: over_time(figures, &all, value),
    };
    let per_second = |lines: Vec<Line>| -> Vec<Line> {
        lines
            .into_iter()
            .map(|line| Line {
                points: line
                    .points
                    .iter()
                    .map(|(at, count)| (*at, count / figures.window))
                    .collect(),
                ..line
            })
            .collect()
    };
    let throughput = per_second(vec![line("answered", |point| point.accepted as f64)]);
    let errors = per_second(vec![
        line("shed", |point| point.shed as f64),
        line("failed", |point| point.failed as f64),
    ]);
    let hits = [line("hit rate", |point| match point.kept {
        0 => f64::NAN,
        kept => point.hits as f64 / kept as f64 * 100.0,
    })];
    let mut text = svg::lines(
        &frame("Latency over time, p99", "ms", Scale::Log),
        &latency,
        &marks,
    );
    text += &svg::bars(
        &Frame {
            title: "Latency histogram, all answers",
            x: "ms, up to",
            y: "answers",
            scale: Scale::Log,
        },
        &histogram(&figures.routes),
    );
    text += &svg::lines(
        &frame("Throughput", "answers/s", Scale::Linear),
        &throughput,
        &marks,
    );
    text += &svg::lines(
        &frame("Errors", "per second", Scale::Linear),
        &errors,
        &marks,
    );
    text += &svg::lines(&frame("Cache", "% hits", Scale::Linear), &hits, &marks);
    text += &held(figures, &marks);
    section("Over time", &text)
}

/// What the service held, where it was looked at.
fn held(figures: &Figures, marks: &[(f64, &str)]) -> String {
    if figures.samples.is_empty() {
        return String::new();
    }
    let plot = |title, name: &str, unit, value: fn(&Sample) -> f64| {
        let points = figures.samples.iter();
        let line = Line {
            name: name.to_owned(),
            points: points.map(|sample| (sample.at, value(sample))).collect(),
        };
        let frame = Frame {
            title,
            x: "seconds",
            y: unit,
            scale: Scale::Linear,
        };
        svg::lines(&frame, &[line], marks)
    };
    plot(
        "Memory of the service",
        "resident memory",
        "MiB",
        |sample| sample.rss_mib,
    ) + &plot("Open descriptors", "descriptors", "descriptors", |sample| {
        sample.descriptors
    })
}

fn over_time(figures: &Figures, points: &[Point], value: fn(&Point) -> f64) -> Vec<(f64, f64)> {
    points
        .iter()
        .map(|point| (point.window as f64 * figures.window, value(point)))
        .filter(|(_, value)| value.is_finite())
        .collect()
}

/// All kinds of the service together, by window.
fn sums(figures: &Figures) -> Vec<Point> {
    let mut all: BTreeMap<usize, Point> = BTreeMap::new();
    for route in figures.routes.iter().filter(|route| !route.yardstick) {
        for point in &route.points {
            let sum = all.entry(point.window).or_default();
            sum.window = point.window;
            sum.accepted += point.accepted;
            sum.shed += point.shed;
            sum.failed += point.failed;
            if route.is_looked_up() {
                sum.kept += point.kept;
                sum.hits += point.hits;
            }
        }
    }
    all.into_values().collect()
}

/// Answers by latency, in bars that grow with it.
fn histogram(routes: &[RouteFigures]) -> Vec<(String, f64)> {
    let mut bars: BTreeMap<i32, f64> = BTreeMap::new();
    for route in routes.iter().filter(|route| !route.yardstick) {
        for value in route.sum.latency.iter_recorded() {
            let ms = value.value_iterated_to().max(1) as f64 / 1e6;
            let bar = (ms.log10() * BARS_PER_TEN).floor() as i32;
            *bars.entry(bar).or_default() += value.count_at_value() as f64;
        }
    }
    let (Some(first), Some(last)) = (
        bars.keys().next().copied(),
        bars.keys().next_back().copied(),
    ) else {
        return Vec::new();
    };
    let up_to = |bar: i32| svg::short(10_f64.powf(f64::from(bar + 1) / BARS_PER_TEN));
    (first..=last)
        .map(|bar| (up_to(bar), bars.get(&bar).copied().unwrap_or(0.0)))
        .collect()
}

fn more(figures: &Figures) -> String {
    let rate = &figures.hit_rate;
    let percent = |part: Option<f64>| {
        part.map_or_else(|| "–".to_owned(), |part| format!("{:.2} %", part * 100.0))
    };
    let hit_rate = vec![vec![
        percent(Some(rate.implied)),
        percent(Some(rate.answers)),
        percent(rate.service),
        percent(rate.log),
    ]];
    let heads = ["implied", "by the answers", "by the service", "by its log"];
    let mut text = section("Hit rate", &table(&heads, hit_rate));
    if !figures.trends.is_empty() {
        let rows = figures.trends.iter().map(|trend| {
            vec![
                trend.name.to_owned(),
                format!("{:.1}", trend.early),
                format!("{:.1}", trend.late),
                format!("{:.3}", trend.per_minute),
                format!("{:.2}", trend.rise),
                format!("{:.2}", trend.bound),
            ]
        });
        let heads = [
            "after the warm-up",
            "early",
            "late",
            "a minute",
            "rise",
            "bound",
        ];
        text += &section("What must not grow", &table(&heads, rows));
    }
    if !figures.steps.is_empty() {
        let rows = figures.steps.iter().map(|step| {
            vec![
                format!("{:.0}", step.rate),
                format!("{:.0}", step.seconds),
                format!("{:.0}", step.answered),
                format!("{:.1}", step.p99_ms),
                step.errors.to_string(),
                if step.borne { "borne" } else { "not borne" }.to_owned(),
            ]
        });
        let heads = [
            "requests/s",
            "seconds",
            "answered/s",
            "p99 ms",
            "errors",
            "",
        ];
        text += &section("Steps to saturation", &table(&heads, rows));
    }
    if !figures.capacities.is_empty() {
        let rows = figures.capacities.iter().map(|capacity| {
            vec![
                capacity.name.clone(),
                format!("{:.0}", capacity.per_second),
                format!("{:.2}", capacity.of_hello),
            ]
        });
        let heads = ["kind", "requests/s", "of bare hyper, same bytes"];
        text += &section("Capacities", &table(&heads, rows));
    }
    if !figures.prometheus.is_empty() {
        let rows = figures.prometheus.iter().map(|one| {
            let theirs = one
                .theirs
                .map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
            let off = one
                .off_percent()
                .map_or_else(|| "–".to_owned(), |off| format!("{off:.1}"));
            vec![one.what.clone(), format!("{:.3}", one.ours), theirs, off]
        });
        let heads = ["figure", "generator", "Prometheus", "% off"];
        text += &section("Beside Prometheus", &table(&heads, rows));
    }
    text
}

fn section(title: &str, body: &str) -> String {
    format!("<section><h2>{}</h2>{body}</section>\n", escaped(title))
}

fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let cells = |cells: Vec<String>| -> String {
        cells
            .iter()
            .map(|cell| format!("<td>{}</td>", escaped(cell)))
            .collect()
    };
    let head: String = heads
        .iter()
        .map(|head| format!("<th>{}</th>", escaped(head)))
        .collect();
    let body: String = rows
        .into_iter()
        .map(|row| {
            let class = match row.last().map(String::as_str) {
                Some("met") => " class=\"met\"",
                Some("missed" | "not borne") => " class=\"missed\"",
                _ => "",
            };
            format!("<tr{class}>{}</tr>", cells(row))
        })
        .collect();
    format!(
        "<div class=\"wide\"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
}

#[cfg(test)]
mod tests;
