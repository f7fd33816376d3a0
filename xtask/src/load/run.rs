//! A run from its start to its report.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime;

use super::arrivals::{Phase, length};
use super::faults::{self, Event};
use super::figures::{Figures, HitRate, RouteFigures, hit_rate, mean_rate};
use super::launch::{Args, Scenario};
use super::objectives::Objectives;
use super::press::{Pressed, press};
use super::prometheus::Prometheus;
use super::record::{Recorder, millis};
use super::saturation::{self, NORMAL, Step};
use super::stage::Stage;
use super::traffic::{self, Kind};
use super::trend::{Bound, Trend};
use super::watch::{self, Sample, Watch, Watched};
use super::{html, service_times, table};
use crate::bench::machine::Machine;
use crate::error::Error;

/// Between two points of a plot.
const WINDOW: Duration = Duration::from_secs(1);
/// Windows of a plot; longer runs have longer windows.
const WINDOWS: u32 = 600;
/// The rate of a soak, and of whatever presses somebody else's service, where none is given.
const USUAL_RATE: f64 = 200.0;
/// The part of a soak that fills caches and pools before anything must be flat.
const WARM_UP: f64 = 1.0 / 3.0;
/// Bursts of a scenario of that shape, over the calm rate.
const BURSTS: [f64; 4] = [2.0, 4.0, 6.0, 8.0];

/// Presses, prints, writes, judges.
///
/// # Errors
///
/// [`Error::Bench`] when something can't be measured, [`Error::TargetsMissed`] when an objective
/// is missed, [`Error::Io`] when a report can't be written.
pub fn measure(args: &Args) -> Result<(), Error> {
    // Lean: one thread has the connections, another lets the requests go.
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Error::io("start a runtime"))?;
    let objectives = args
        .objectives
        .as_deref()
        .map(Objectives::read)
        .transpose()?;
    let figures = runtime.block_on(run(args))?;
    let verdicts = match &objectives {
        Some(objectives) => objectives.judge(&figures)?,
        None => Vec::new(),
    };
    table::print(&figures, &verdicts);
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&figures).unwrap_or_default();
        fs::write(file, text).map_err(Error::io(format!("write {}", file.display())))?;
    }
    if let Some(file) = &args.report {
        let page = html::page(&figures, &verdicts);
        fs::write(file, page).map_err(Error::io(format!("write {}", file.display())))?;
        println!("\nreport: {}", file.display());
    }
    match verdicts.iter().filter(|verdict| !verdict.met).count() {
        0 => Ok(()),
        missed => Err(Error::TargetsMissed(missed)),
    }
}

async fn run(args: &Args) -> Result<Figures, Error> {
    let machine = Machine::describe();
    let stage = Stage::set(args).await?;
    println!("    {}", stage.cores());
    let mut kinds = traffic::kinds(args.scenario, &stage.goal);
    traffic::warm_up(&kinds).await?;
    if let (Some(file), Some(service)) = (&args.service_times, &stage.service) {
        println!("    service times");
        let text = service_times::record(&kinds, service.id()).await?;
        fs::write(file, text).map_err(Error::io(format!("write {}", file.display())))?;
    }
    if args.scenario == Scenario::Saturation {
        return saturate(args, stage, kinds, machine).await;
    }
    let kinds_alone = Arc::new(kinds);
    let (rate, steps) = rate(args, &kinds_alone).await?;
    kinds = Arc::into_inner(kinds_alone).unwrap_or_default();
    let mut proxy = None;
    if let Some(model) = stage.goal.model {
        let between = proxy.insert(stage.proxy(model).await?);
        kinds.extend(traffic::yardsticks(model, between.address).await?);
    }
    let mut figures = pressed(args, stage, kinds, rate, machine).await?;
    drop(proxy);
    figures.steps = steps;
    Ok(figures)
}

/// The rate that is given, or 60 % of what the steps find.
async fn rate(args: &Args, kinds: &Arc<Vec<Kind>>) -> Result<(f64, Vec<Step>), Error> {
    match (args.rate, args.scenario) {
        (Some(rate), _) => Ok((rate, Vec::new())),
        (None, Scenario::Soak) => Ok((USUAL_RATE, Vec::new())),
        (None, _) if args.url.is_some() => Ok((USUAL_RATE, Vec::new())),
        (None, Scenario::Burst) => {
            // The calm between the bursts, so that the largest of them is within saturation.
            let (saturation, steps) = saturation::steps(kinds, args.seed).await?;
            Ok((saturation * NORMAL / 8.0, steps))
        }
        (None, _) => {
            let (saturation, steps) = saturation::steps(kinds, args.seed).await?;
            println!("    saturation: {saturation:.0}/s");
            Ok((saturation * NORMAL, steps))
        }
    }
}

/// The phases of a scenario at this rate of the service's own kinds.
fn phases(scenario: Scenario, rate: f64, span: Duration) -> Vec<Phase> {
    let phase = |name, factor, span| Phase {
        name,
        rate: rate * factor,
        span,
    };
    match scenario {
        Scenario::Burst => BURSTS
            .into_iter()
            .flat_map(|factor| {
                [
                    phase("calm", 1.0, span.mul_f64(0.15)),
                    phase("burst", factor, span.mul_f64(0.1)),
                ]
            })
            .collect(),
        _ => vec![phase(scenario.name(), 1.0, span)],
    }
}

async fn pressed(
    args: &Args,
    mut stage: Stage,
    kinds: Vec<Kind>,
    rate: f64,
    machine: Machine,
) -> Result<Figures, Error> {
    let shares: f64 = kinds.iter().map(|kind| kind.share).sum();
    let own: f64 = kinds
        .iter()
        .filter(|kind| !kind.yardstick)
        .map(|kind| kind.share)
        .sum();
    let phases = phases(args.scenario, rate * shares / own.max(1e-9), args.duration);
    let length = length(&phases);
    let window = WINDOW.max(length / WINDOWS);
    let recorder = Arc::new(Recorder::new(kinds.len(), phases.len(), window));
    let kinds = Arc::new(kinds);
    let prometheus = match args.prometheus {
        true => Some(Prometheus::start(&stage.goal).await?),
        false => None,
    };
    let before = lookups(&stage).await;
    let watch = Watch::start(stage.processes(), stage.goal.admin(), &stage.goal.key);
    let timetable = faults::timetable(args.scenario, args.trouble, length);
    let happening = faults::happen(timetable, stage.redis.take(), stage.goal.clone());
    println!(
        "    {}: {rate:.0}/s for {:.0} s",
        args.scenario.name(),
        length.as_secs_f64()
    );
    let begun = Instant::now();
    let pressing = press(&kinds, &phases, args.seed, &recorder);
    let (pressed, (events, redis)) = tokio::join!(pressing, happening);
    let pressed = pressed?;
    let seconds = begun.elapsed().as_secs_f64();
    let watched = watch.stop();
    stage.redis = redis;
    let routes = RouteFigures::all(&kinds, &recorder);
    let mut figures = assembled(args, &stage, machine, routes, &pressed, watched, seconds);
    figures.rate = mean_rate(&phases) * own / shares.max(1e-9);
    figures.window = window.as_secs_f64();
    figures.trends = trends(args.scenario, &figures.samples, seconds);
    figures.events = events;
    figures.hit_rate.service = change(before, lookups(&stage).await);
    figures.hit_rate.log = log(&stage, args.scenario);
    if let Some(prometheus) = prometheus {
        figures.prometheus = prometheus.compare(&figures.routes, seconds).await?;
        let (answered, empty) = prometheus.dashboards().await?;
        println!(
            "    dashboards: {answered} queries with an answer, {} without",
            empty.len()
        );
        empty
            .iter()
            .for_each(|query| println!("      no answer: {query}"));
    }
    Ok(figures)
}

async fn saturate(
    args: &Args,
    stage: Stage,
    kinds: Vec<Kind>,
    machine: Machine,
) -> Result<Figures, Error> {
    let capacities = match args.rate {
        Some(_) => Vec::new(),
        None => saturation::capacities(&kinds, &stage).await?,
    };
    let kinds = Arc::new(kinds);
    let (found, steps) = match args.rate {
        Some(known) => (known, Vec::new()),
        None => saturation::steps(&kinds, args.seed).await?,
    };
    println!("    saturation: {found:.0}/s; now 60 %, twice as much, and back");
    let watch = Watch::start(stage.processes(), stage.goal.admin(), &stage.goal.key);
    let begun = Instant::now();
    let (overload, recorder, phases) = saturation::overload(&kinds, found, args.seed).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let watched = watch.stop();
    let routes = RouteFigures::all(&kinds, &recorder);
    let pressed = Pressed {
        lag: crate::bench::generator::histogram(),
        unsent: 0,
    };
    let mut figures = assembled(args, &stage, machine, routes, &pressed, watched, seconds);
    figures.rate = mean_rate(&phases);
    figures.window = recorder.window().as_secs_f64();
    figures.capacities = capacities;
    figures.steps = steps;
    figures.overload = Some(overload);
    Ok(figures)
}

fn assembled(
    args: &Args,
    stage: &Stage,
    machine: Machine,
    routes: Vec<RouteFigures>,
    pressed: &Pressed,
    watched: Watched,
    seconds: f64,
) -> Figures {
    let (implied, answers) = hit_rate(&routes);
    Figures {
        scenario: args.scenario.name(),
        machine,
        cores: stage.cores(),
        rate: 0.0,
        seconds,
        routes,
        lag_p50_ms: millis(pressed.lag.value_at_quantile(0.5)),
        lag_p99_ms: millis(pressed.lag.value_at_quantile(0.99)),
        unsent: pressed.unsent,
        hit_rate: HitRate {
            implied,
            answers,
            ..HitRate::default()
        },
        processor: watched.processor,
        samples: watched.samples,
        trends: Vec::new(),
        events: Vec::<Event>::new(),
        steps: Vec::new(),
        capacities: Vec::new(),
        overload: None,
        prometheus: Vec::new(),
        window: 1.0,
    }
}

async fn lookups(stage: &Stage) -> Option<(f64, f64)> {
    let figures = watch::Figures::ask(stage.goal.admin(), &stage.goal.key).await?;
    Some(figures.lookups())
}

/// The hit rate between two looks.
fn change(before: Option<(f64, f64)>, after: Option<(f64, f64)>) -> Option<f64> {
    let (before, after) = (before?, after?);
    let all = after.1 - before.1;
    (all > 0.0).then(|| (after.0 - before.0) / all)
}

/// The hit rate by the log of a soak: of all since the start, the few of the warm-up with them.
fn log(stage: &Stage, scenario: Scenario) -> Option<f64> {
    let service = stage
        .service
        .as_ref()
        .filter(|_| scenario == Scenario::Soak)?;
    let (hits, all) = watch::lookups_of_log(&service.log()).ok()?;
    (all > 0).then(|| hits as f64 / all as f64)
}

/// What must not grow. Memory may by a tenth and 4 MiB, which an allocator's arenas do in waves;
/// tasks and descriptors by as many as connections that a wave of requests opens.
fn trends(scenario: Scenario, samples: &[Sample], seconds: f64) -> Vec<Trend> {
    if scenario != Scenario::Soak {
        return Vec::new();
    }
    let series = |value: fn(&Sample) -> Option<f64>| -> Vec<(f64, f64)> {
        let of = |sample: &Sample| Some((sample.at, value(sample)?));
        samples.iter().filter_map(of).collect()
    };
    let bound = |part, whole| Bound { part, whole };
    let warm_up = seconds * WARM_UP;
    let memory = series(|sample| Some(sample.rss_mib));
    let descriptors = series(|sample| Some(sample.descriptors));
    let threads = series(|sample| Some(sample.threads));
    let tasks = series(|sample| sample.tasks);
    [
        Trend::new("memory, MiB", &memory, warm_up, bound(0.10, 4.0)),
        Trend::new("descriptors", &descriptors, warm_up, bound(0.10, 16.0)),
        Trend::new("threads", &threads, warm_up, bound(0.10, 4.0)),
        Trend::new("tasks", &tasks, warm_up, bound(0.10, 32.0)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_grow_and_take_the_time_that_is_given() {
        let span = Duration::from_secs(100);
        let phases = phases(Scenario::Burst, 10.0, span);
        assert_eq!(length(&phases), span);
        let rates: Vec<f64> = phases.iter().map(|phase| phase.rate).collect();
        assert_eq!(rates, [10.0, 20.0, 10.0, 40.0, 10.0, 60.0, 10.0, 80.0]);
    }

    #[test]
    fn a_hit_rate_is_that_of_the_time_between_two_looks() {
        assert_eq!(change(Some((10.0, 20.0)), Some((40.0, 60.0))), Some(0.75));
        assert_eq!(change(Some((10.0, 20.0)), Some((10.0, 20.0))), None);
        assert_eq!(change(None, Some((1.0, 2.0))), None);
    }
}
