//! The figures as a table for a person, fit for a note.

use super::figures::{Figures, RouteFigures};
use super::objectives::Verdict;
use super::traffic::name;

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
            comparison.theirs.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}")),
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

/// Service times by kind for the simulation of scaling: name, share, microseconds at least, at
/// p50, p95 and p99 and at p99.9 (the most is the machine's, not ours), and whether a model is
/// waited for. What waits for a model counts what is left without the model's own time.
pub fn service_times(figures: &Figures) -> String {
    let mut text = format!(
        "# Recorded by `cargo xtask load --scenario {} --rate {:.0} --service-times` on {}, commit {}:\n\
         # kind, share, microseconds (min, p50, p95, p99, p99.9), what it waits for\n",
        figures.scenario, figures.rate, figures.machine.cpu, figures.machine.commit
    );
    let own = || figures.routes.iter().filter(|route| !route.yardstick && route.accepted > 0);
    let all: u64 = own().map(|route| route.accepted).sum();
    for route in own() {
        let over = match route.name {
            name::STREAM => Some(name::MODEL_STREAM),
            name::MISS | "chat-message" => Some(name::MODEL),
            _ => None,
        };
        let model = over.and_then(|over| figures.route(over));
        let at = |quantile: f64| {
            let of = |route: &RouteFigures| route.sum.latency.value_at_quantile(quantile);
            of(route).saturating_sub(model.map_or(0, of)) as f64 / 1e3
        };
        // A difference of two quantiles need not grow with them.
        let mut highest = 1.0_f64;
        let times = [0.0, 0.5, 0.95, 0.99, 0.999].map(|quantile| {
            highest = highest.max(at(quantile));
            format!("{highest:.0}")
        });
        let waits = if over.is_some() { "model" } else { "nobody" };
        let share = route.accepted as f64 / all.max(1) as f64;
        text += &format!("{},{share:.9},{},{waits}\n", route.name, times.join(","));
    }
    text
}

fn routes(routes: &[RouteFigures]) {
    println!(
        "{:<20} {:>9} {:>7} {:>7} {:>6} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "", "answered", "shed", "failed", "hits", "p50 ms", "p95 ms", "p99 ms", "max ms", "first p99"
    );
    for route in routes {
        let hits = match route.kept {
            0 => "-".to_owned(),
            kept => format!("{:.0} %", route.hits as f64 / kept as f64 * 100.0),
        };
        println!(
            "{:<20} {:>9} {:>7} {:>7} {hits:>6} {:>8.2} {:>8.2} {:>8.2} {:>8.1} {:>9.2}",
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
            println!("{:<24} p99 over the model's own: {added:.2} ms", route.name);
        }
    }
    let rate = &figures.hit_rate;
    let told = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| format!("{:.2} %", rate * 100.0));
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
        println!("\n{:<20} {:>12} {:>26}", "", "requests/s", "of bare hyper, same bytes");
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
        *by_event.entry((event.what, event.outcome.as_str())).or_default() += 1;
    }
    for ((what, outcome), times) in by_event {
        println!("{what}: {outcome} ({times} times)");
    }
}
