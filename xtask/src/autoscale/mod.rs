//! `cargo xtask autoscale`: how many replicas there would be, second by second, with the
//! autoscaler of `deploy/kubernetes` in front of service times that were recorded.
//!
//! A simulation of single events: arrivals in bursts, a queue at each pod, metrics as Prometheus
//! and its adapter have them (with their windows and lags), the autoscaler's own algorithm.

mod hpa;
mod pods;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use self::hpa::{Autoscaler, Seen, Settings};
use self::pods::Pods;
use crate::error::Error;
use crate::random::Random;

/// Seconds that the autoscaler lets pass between two decisions, and what a metric is old by:
/// half a scrape, the scrape's end, the adapter's own relisting.
const SYNC: f64 = 15.0;
const LAG: f64 = 20.0;
/// From the decision until a pod serves: scheduling, an image that is there, start, readiness.
const START_UP: f64 = 20.0;
/// Windows of the two metrics, in seconds, as `adapter-values.yaml` has them.
const IN_FLIGHT_WINDOW: f64 = 60.0;
const P95_WINDOW: f64 = 120.0;
/// The part of a core that a pod is sure of (`resources.requests.cpu`).
const CORES: f64 = 0.5;
/// The chosen thresholds, for `deploy/kubernetes`.
const CHOSEN: (f64, f64) = (CHOSEN_IN_FLIGHT, CHOSEN_P95_MS);
const CHOSEN_IN_FLIGHT: f64 = 50.0;
const CHOSEN_P95_MS: f64 = 20.0;
/// What is compared: requests in flight a pod, and milliseconds of p95.
const THRESHOLDS: [(f64, f64); 9] = [
    (25.0, 8.0),
    (50.0, 8.0),
    (50.0, 12.0),
    CHOSEN,
    (50.0, 50.0),
    (100.0, 8.0),
    (100.0, 20.0),
    (50.0, f64::INFINITY),
    (f64::INFINITY, 8.0),
];
/// The day in half an hour: from a second on, this part of the peak.
const COURSE: [(f64, f64); 7] = [
    (0.0, 0.10),
    (240.0, 0.40),
    (540.0, 1.00),
    (900.0, 0.30),
    (1_100.0, 0.80),
    (1_220.0, 0.15),
    (1_800.0, 0.0),
];

/// What `cargo xtask autoscale` takes.
#[derive(clap::Args)]
pub struct Args {
    /// Requests a second at the peak
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    peak: u32,
    /// The seed of arrivals and service times
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the chosen thresholds' course, a line for each 15 s, to this CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// One decision's moment.
struct Moment {
    at: f64,
    rate: f64,
    pods: usize,
    ready: usize,
    needed: usize,
    in_flight: f64,
    p95_ms: f64,
    shed: u64,
}

/// A course under one pair of thresholds.
struct Outcome {
    moments: Vec<Moment>,
    requests: u64,
    shed: u64,
}

impl Outcome {
    /// Pod-minutes below and above what the load needs, of ready pods and of all.
    fn off(&self) -> (f64, f64) {
        let minutes = SYNC / 60.0;
        let sum = |value: fn(&Moment) -> usize| -> f64 {
            self.moments
                .iter()
                .map(|moment| value(moment) as f64 * minutes)
                .sum()
        };
        let under = sum(|moment| moment.needed.saturating_sub(moment.ready));
        (
            under,
            sum(|moment| moment.pods.saturating_sub(moment.needed)),
        )
    }

    fn highest(&self) -> usize {
        self.moments
            .iter()
            .map(|moment| moment.pods)
            .max()
            .unwrap_or(0)
    }

    /// Changes of direction: up after down, and down after up.
    fn turns(&self) -> usize {
        let mut last = 0_i8;
        let mut turns = 0;
        for (before, after) in self.moments.iter().zip(self.moments.iter().skip(1)) {
            let way = match after.pods.cmp(&before.pods) {
                std::cmp::Ordering::Less => -1,
                std::cmp::Ordering::Equal => continue,
                std::cmp::Ordering::Greater => 1,
            };
            turns += usize::from(last != 0 && way != last);
            last = way;
        }
        turns
    }
}

/// Simulates all pairs of thresholds and prints them, and the chosen pair's course.
///
/// # Errors
///
/// [`Error::Io`] when the CSV can't be written.
pub fn run(args: &Args) -> Result<(), Error> {
    let peak = f64::from(args.peak);
    println!(
        "peak {peak:.0}/s, pods of {CORES} cores that serve {START_UP:.0} s after they are wished \
         for, metrics {LAG:.0} s old\n\n{:>9} {:>8} {:>9} {:>9} {:>8} {:>8} {:>7} {:>8}",
        "in flight", "p95 ms", "under", "over", "highest", "turns", "shed %", "p95 max"
    );
    for (in_flight, p95_ms) in THRESHOLDS {
        let outcome = simulate(settings(in_flight, p95_ms), peak, args.seed);
        let (under, over) = outcome.off();
        let slowest = outcome
            .moments
            .iter()
            .map(|moment| moment.p95_ms)
            .fold(0.0, f64::max);
        println!(
            "{in_flight:>9} {p95_ms:>8} {under:>9.1} {over:>9.1} {:>8} {:>8} {:>7.2} {slowest:>8.1}{}",
            outcome.highest(),
            outcome.turns(),
            outcome.shed as f64 / outcome.requests.max(1) as f64 * 100.0,
            if (in_flight, p95_ms) == CHOSEN {
                "  chosen"
            } else {
                ""
            }
        );
    }
    println!("under, over: pod-minutes of ready pods below, and of all above, what the load needs");
    let chosen = simulate(settings(CHOSEN.0, CHOSEN.1), peak, args.seed);
    course(&chosen);
    if let Some(file) = &args.csv {
        fs::write(file, csv(&chosen)).map_err(Error::io(format!("write {}", file.display())))?;
    }
    Ok(())
}

fn settings(in_flight: f64, p95_ms: f64) -> Settings {
    Settings {
        in_flight,
        p95_ms,
        min: 2,
        max: 10,
        tolerance: 0.1,
        up_part: 1.0,
        up_pods: 2,
        up_period: 30.0,
        down_part: 0.25,
        down_period: 60.0,
        down_window: 300.0,
    }
}

/// The part of the peak at a second.
fn part(at: f64) -> f64 {
    let begun = COURSE.iter().rev().find(|(from, _)| *from <= at);
    begun.map_or(0.0, |(_, part)| *part)
}

/// Requests a second that a pod serves with 60 % of its share of a core and of its places: what
/// "needed" means.
fn per_pod(kinds: &[pods::Kind]) -> f64 {
    let mean: f64 = kinds.iter().map(pods::Kind::mean).sum();
    0.6 * CORES / mean.max(1e-9)
}

fn simulate(settings: Settings, peak: f64, seed: u64) -> Outcome {
    let kinds = pods::recorded();
    let per_pod = per_pod(&kinds);
    let mut pods = Pods::new(kinds, settings.min, CORES, seed);
    let mut scaler = Autoscaler::new(settings);
    let mut random = Random::new(seed, "arrivals");
    let end = COURSE.last().map_or(0.0, |(end, _)| *end);
    let (mut now, mut next_look, mut next_sync) = (0.0, 1.0, SYNC);
    let mut outcome = Outcome {
        moments: Vec::new(),
        requests: 0,
        shed: 0,
    };
    while now < end {
        let rate = (peak * part(now)).max(1e-3);
        now += -(1.0 - random.part()).ln() / rate;
        while next_look <= now.min(end) {
            pods.look(next_look, P95_WINDOW + LAG);
            if next_look >= next_sync {
                let moment = decide(&mut pods, &mut scaler, next_look, peak, per_pod);
                outcome.moments.push(moment);
                next_sync += SYNC;
            }
            next_look += 1.0;
        }
        if now < end {
            pods.arrive(now);
            outcome.requests += 1;
        }
    }
    outcome.shed = pods.shed;
    outcome
}

fn decide(pods: &mut Pods, scaler: &mut Autoscaler, now: f64, peak: f64, per_pod: f64) -> Moment {
    let known = now - LAG;
    let (count, ready) = pods.count(now);
    let seen = Seen {
        in_flight: pods.in_flight(known, IN_FLIGHT_WINDOW),
        p95_ms: pods.p95_ms(known, P95_WINDOW),
        ready,
        pods: count,
    };
    let rate = peak * part(now);
    let moment = Moment {
        at: now,
        rate,
        pods: count,
        ready,
        needed: ((rate / per_pod).ceil() as usize).clamp(2, 10),
        in_flight: seen.in_flight / ready.max(1) as f64,
        p95_ms: pods.p95_ms(now, SYNC),
        shed: pods.shed,
    };
    pods.scale(scaler.decide(now, seen), now, START_UP);
    moment
}

fn course(outcome: &Outcome) {
    println!(
        "\nthe chosen thresholds over time\n{:>7} {:>9} {:>6} {:>6} {:>7} {:>13} {:>8} {:>9}",
        "s", "arrive/s", "pods", "ready", "needed", "in flight/pod", "p95 ms", "shed"
    );
    for moment in outcome.moments.iter().step_by(4) {
        println!(
            "{:>7.0} {:>9.0} {:>6} {:>6} {:>7} {:>13.1} {:>8.2} {:>9}  {}",
            moment.at,
            moment.rate,
            moment.pods,
            moment.ready,
            moment.needed,
            moment.in_flight,
            moment.p95_ms,
            moment.shed,
            "#".repeat(moment.ready)
        );
    }
}

fn csv(outcome: &Outcome) -> String {
    let mut text = "seconds,rate,pods,ready,needed,in_flight_per_pod,p95_ms,shed\n".to_owned();
    for moment in &outcome.moments {
        // Writing into a string can't fail.
        let _ = writeln!(
            text,
            "{:.0},{:.1},{},{},{},{:.2},{:.3},{}",
            moment.at,
            moment.rate,
            moment.pods,
            moment.ready,
            moment.needed,
            moment.in_flight,
            moment.p95_ms,
            moment.shed
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_load_makes_more_pods_and_less_load_fewer() {
        let outcome = simulate(settings(CHOSEN.0, CHOSEN.1), 5_000.0, 1);
        let at = |second: f64| {
            let moment = outcome
                .moments
                .iter()
                .rev()
                .find(|moment| moment.at <= second);
            moment.map_or(0, |moment| moment.pods)
        };
        assert_eq!(at(200.0), 2);
        assert!(at(850.0) > at(200.0), "{}", at(850.0));
        assert!(at(1_799.0) < outcome.highest());
        assert_eq!(csv(&outcome).lines().count(), outcome.moments.len() + 1);
    }

    #[test]
    fn without_a_threshold_nothing_scales() {
        let outcome = simulate(settings(f64::INFINITY, f64::INFINITY), 50.0, 1);
        assert_eq!((outcome.highest(), outcome.turns()), (2, 0));
    }
}
