//! The figures as a table for a person, fit for a note.

use super::figures::{Figures, RouteFigures};
use super::objectives::Verdict;

/// Prints everything.
pub fn print(figures: &Figures, verdicts: &[Verdict]) {
    let machine = &figures.machine;
    println!(
        "\n{}: {:.0} requests/s for {:.0} s; {}\n{}, {} cores, load average {:.1} before; commit {}\n",
        figures.scenario,
        figures.rate,
        figures.seconds,
        figures.cores,
        machine.cpu,
        machine.cores,
        machine.load_average,
        machine.commit
    );
    routes(&figures.routes);
    rates(figures);
    saturation(figures);
    trends(figures);
    for comparison in &figures.prometheus {
        println!(
            "prometheus  {:<44} ours {:>9.3}  theirs {:>9}  {:>5.1} % off",
            comparison.what,
            comparison.ours,
            comparison
                .theirs
                .map_or_else(|| "-".to_owned(), |value| format!("{value:.3}")),
            comparison.off_percent().unwrap_or(f64::NAN)
        );
    }
    if !verdicts.is_empty() {
        println!();
    }
    for verdict in verdicts {
        let word = if verdict.met { "met   " } else { "MISSED" };
        println!("{word}  {:<56} {}", verdict.what, verdict.is);
    }
}

fn routes(routes: &[RouteFigures]) {
    println!(
        "{:<26} {:>9} {:>7} {:>7} {:>6} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "",
        "answered",
        "shed",
        "failed",
        "hits",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "max ms",
        "first p99"
    );
    for route in routes {
        let hits = match route.kept {
            0 => "-".to_owned(),
            kept => format!("{:.0} %", route.hits as f64 / kept as f64 * 100.0),
        };
        println!(
            "{:<26} {:>9} {:>7} {:>7} {hits:>6} {:>8.2} {:>8.2} {:>8.2} {:>8.1} {:>9.2}",
            route.name,
            route.accepted,
            route.shed,
            route.failed(),
            route.p50_ms,
            route.p95_ms,
            route.p99_ms,
            route.max_ms,
            route.first_p99_ms
        );
        for (failure, count) in &route.failures {
            println!("{:<20}   {failure}: {count}", "");
        }
    }
}

fn rates(figures: &Figures) {
    println!();
    for route in &figures.routes {
        if let Some(added) = figures.added_p99_ms(route.name) {
            let bare = figures.over_proxy_p99_ms(route.name);
            println!(
                "{:<24} p99 over the model's own: {added:.2} ms, over that by bare hyper: {}",
                route.name,
                bare.map_or_else(|| "-".to_owned(), |bare| format!("{bare:.2} ms"))
            );
        }
    }
    let rate = &figures.hit_rate;
    let told = |rate: Option<f64>| {
        rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.2} %", rate * 100.0))
    };
    println!(
        "hit rate: implied {}, by the answers {}, by the service {}, by its log {}",
        told(Some(rate.implied)),
        told(Some(rate.answers)),
        told(rate.service),
        told(rate.log)
    );
    println!(
        "generator: arrivals late by {:.2} ms at p50, {:.2} at p99; {} unsent",
        figures.lag_p50_ms, figures.lag_p99_ms, figures.unsent
    );
    let shares = figures.processor.keys().filter_map(|name| {
        let cores = figures.cores_of(name)?;
        Some(format!("{name} {:.0} %", cores * 100.0))
    });
    println!("of one core: {}", shares.collect::<Vec<_>>().join(", "));
}

fn saturation(figures: &Figures) {
    if !figures.capacities.is_empty() {
        println!(
            "\n{:<20} {:>12} {:>26}",
            "", "requests/s", "of bare hyper, same bytes"
        );
    }
    for capacity in &figures.capacities {
        println!(
            "{:<20} {:>12.0} {:>26.2}",
            capacity.name, capacity.per_second, capacity.of_hello
        );
    }
    if let Some(over) = &figures.overload {
        println!(
            "\nsaturation {:.0}/s; at twice that: {:.0}/s answered well, p99 {:.1} ms (normal {:.1} ms), \
             {} shed ({} without Retry-After, p99 {:.1} ms), {} failed; recovered after {}",
            over.saturation,
            over.goodput,
            over.p99_ms,
            over.normal_p99_ms,
            over.shed,
            over.untold,
            over.shed_p99_ms,
            over.failed,
            over.recovery_seconds
                .map_or_else(|| "never".to_owned(), |seconds| format!("{seconds:.2} s"))
        );
    }
}

fn trends(figures: &Figures) {
    if !figures.trends.is_empty() {
        println!(
            "\n{:<22} {:>8} {:>10} {:>10} {:>12} {:>10} {:>10}",
            "after the warm-up", "samples", "early", "late", "a minute", "rise", "bound"
        );
    }
    for trend in &figures.trends {
        println!(
            "{:<22} {:>8} {:>10.1} {:>10.1} {:>12.3} {:>10.2} {:>10.2}  {}",
            trend.name,
            trend.samples,
            trend.early,
            trend.late,
            trend.per_minute,
            trend.rise,
            trend.bound,
            if trend.is_flat() { "flat" } else { "RISES" }
        );
    }
    let mut by_event = std::collections::BTreeMap::<_, usize>::new();
    for event in &figures.events {
        *by_event
            .entry((event.what, event.outcome.as_str()))
            .or_default() += 1;
    }
    for ((what, outcome), times) in by_event {
        println!("{what}: {outcome} ({times} times)");
    }
}
