//! How much the service takes: capacities beside a bare server, steps to saturation, twice that,
//! and back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::arrivals::Phase;
use super::figures::phase_sum;
use super::press::press;
use super::record::{Point, Recorder, millis};
use super::stage::Stage;
use super::traffic::{Kind, Lane, Source};
use crate::bench::client::{Cache, Expectation};
use crate::bench::generator::{self, Load};
use crate::bench::targets::get;
use crate::bench::template::Template;
use crate::error::Error;

/// The first step, and the factor to the next, until one fails; then halvings of the gap.
const FIRST_RATE: f64 = 250.0;
const FACTOR: f64 = 1.5;
const HALVINGS: u32 = 3;
const MAX_RATE: f64 = 200_000.0;
/// On the way up.
const STEP: Duration = Duration::from_secs(3);
/// Of what is found: over three seconds a service bears more than it can do, as the line that
/// grows meanwhile is short.
const LASTING: Duration = Duration::from_secs(10);
/// What a step must keep to count: everything answered, one of a hundred within this.
const STEP_P99_MS: f64 = 100.0;
/// The part of saturation that counts as normal.
pub const NORMAL: f64 = 0.6;
/// Around and at twice saturation.
const CALM: Duration = Duration::from_secs(10);
const OVERLOAD: Duration = Duration::from_secs(15);
/// The precision of the recovery's time.
const WINDOW: Duration = Duration::from_millis(250);
/// How long a capacity is measured, and how often, in turns.
const CAPACITY: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
const CONNECTIONS: usize = 32;

/// A step.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Requests a second that were intended.
    pub rate: f64,
    /// For how long, in seconds.
    pub seconds: f64,
    /// Answers a second as they should be.
    pub answered: f64,
    /// Their 99th percentile in milliseconds.
    pub p99_ms: f64,
    /// What was refused or failed.
    pub errors: u64,
    /// Whether it was borne.
    pub borne: bool,
}

/// What one kind of request comes to when every connection asks again at once.
#[derive(Clone, Debug, Serialize)]
pub struct Capacity {
    /// The kind.
    pub name: String,
    /// Requests a second: the best round.
    pub per_second: f64,
    /// The part of the bare server's, at the same request.
    pub of_hello: f64,
}

/// Twice saturation, and back.
#[derive(Clone, Debug, Serialize)]
pub struct Overload {
    /// Requests a second that count as saturation.
    pub saturation: f64,
    /// p99 in milliseconds at 60 %, and of what is accepted at twice as much.
    pub normal_p99_ms: f64,
    /// See above.
    pub p99_ms: f64,
    /// Answers a second meanwhile.
    pub goodput: f64,
    /// Refusals, those of them without `Retry-After`, and the p99 of their latency.
    pub shed: u64,
    /// See above.
    pub untold: u64,
    /// See above.
    pub shed_p99_ms: f64,
    /// Whatever else went wrong.
    pub failed: u64,
    /// Seconds from the end of the overload until latencies are normal and nothing is refused;
    /// absent where that never came.
    pub recovery_seconds: Option<f64>,
}

/// Rates up to what isn't borne any more, for [`STEP`]; between the last two, for [`LASTING`], the
/// highest that is borne: the saturation.
///
/// # Errors
///
/// Where answers are missing, or not even the first step is borne.
pub async fn steps(kinds: &Arc<Vec<Kind>>, seed: u64) -> Result<(f64, Vec<Step>), Error> {
    let (mut borne, mut rate, mut steps) = (0.0, FIRST_RATE, Vec::new());
    let failed = loop {
        let step = step(kinds, rate, STEP, seed).await?;
        let holds = step.borne;
        steps.push(step);
        if !holds {
            break rate;
        }
        borne = rate;
        rate *= FACTOR;
        if rate > MAX_RATE {
            break rate;
        }
    };
    let mut gap = (borne, failed);
    loop {
        if gap.0 < FIRST_RATE {
            let first = steps.first();
            return Err(Error::Bench(format!(
                "not even the first step is borne: {first:?}"
            )));
        }
        let lasting = step(kinds, gap.0, LASTING, seed).await?;
        let holds = lasting.borne;
        steps.push(lasting);
        if holds {
            break;
        }
        gap = (gap.0 / FACTOR, gap.0);
    }
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(gap.0, gap.1);
        let step = step(kinds, middle, LASTING, seed).await?;
        match step.borne {
            true => gap.0 = middle,
            false => gap.1 = middle,
        }
        steps.push(step);
    }
    Ok((gap.0, steps))
}

async fn step(kinds: &Arc<Vec<Kind>>, rate: f64, span: Duration, seed: u64) -> Result<Step, Error> {
    let phases = [Phase {
        name: "step",
        rate,
        span,
    }];
    let recorder = Arc::new(Recorder::new(kinds.len(), 1, span));
    let pressed = press(kinds, &phases, seed, &recorder).await?;
    let sum = phase_sum(kinds, &recorder, 0);
    let answered = sum.latency.len() as f64 / span.as_secs_f64();
    let errors = sum.failed() + sum.refusals.len() + pressed.unsent;
    let p99_ms = millis(sum.latency.value_at_quantile(0.99));
    let step = Step {
        rate,
        seconds: span.as_secs_f64(),
        answered,
        p99_ms,
        errors,
        borne: errors == 0 && p99_ms <= STEP_P99_MS,
    };
    println!(
        "    step {rate:>8.0}/s for {:>2.0} s: {answered:>8.0}/s answered, p99 {p99_ms:>7.1} ms, {errors} errors{}",
        step.seconds,
        if step.borne { "" } else { "  not borne" }
    );
    Ok(step)
}

/// Normal, twice saturation, normal again, without a pause.
///
/// # Errors
///
/// Where answers are missing.
pub async fn overload(
    kinds: &Arc<Vec<Kind>>,
    saturation: f64,
    seed: u64,
) -> Result<(Overload, Arc<Recorder>, Vec<Phase>), Error> {
    let phase = |name, part, span| Phase {
        name,
        rate: saturation * part,
        span,
    };
    let phases = vec![
        phase("normal", NORMAL, CALM),
        phase("twice saturation", 2.0, OVERLOAD),
        phase("back to normal", NORMAL, CALM),
    ];
    let recorder = Arc::new(Recorder::new(kinds.len(), phases.len(), WINDOW));
    press(kinds, &phases, seed, &recorder).await?;
    let normal = phase_sum(kinds, &recorder, 0);
    let over = phase_sum(kinds, &recorder, 1);
    let normal_p99_ms = millis(normal.latency.value_at_quantile(0.99));
    let all: Vec<Vec<Point>> = (0..kinds.len()).map(|kind| recorder.take(kind).1).collect();
    let relieved = (CALM + OVERLOAD).as_secs_f64();
    let overload = Overload {
        saturation,
        normal_p99_ms,
        p99_ms: millis(over.latency.value_at_quantile(0.99)),
        goodput: over.latency.len() as f64 / OVERLOAD.as_secs_f64(),
        shed: over.refusals.len(),
        untold: over.untold,
        shed_p99_ms: millis(over.refusals.value_at_quantile(0.99)),
        failed: over.failed(),
        recovery_seconds: recovery(&all, relieved, 3.0 * normal_p99_ms),
    };
    Ok((overload, recorder, phases))
}

/// Seconds from `relieved` until the last window in which something was refused, failed, or was
/// slower at its median than `limit_ms`. A window holds few requests of a kind, so that the
/// median is what can be told. `None` where the last window is still one of them.
fn recovery(kinds: &[Vec<Point>], relieved: f64, limit_ms: f64) -> Option<f64> {
    let mut troubled: BTreeMap<usize, bool> = BTreeMap::new();
    for point in kinds.iter().flatten() {
        let trouble = point.shed + point.failed > 0 || slow(point, kinds, limit_ms);
        *troubled.entry(point.window).or_default() |= trouble;
    }
    let end = |window: usize| (window + 1) as f64 * WINDOW.as_secs_f64();
    let last = troubled.keys().next_back()?;
    let worst = troubled.iter().rev().find(|(_, trouble)| **trouble);
    match worst {
        Some((window, _)) if window == last => None,
        Some((window, _)) => Some((end(*window) - relieved).max(0.0)),
        None => Some(0.0),
    }
}

/// Whether a window's median is over the limit and over twice its kind's own normal one: a kind
/// that waits for a model is slow by nature.
fn slow(point: &Point, kinds: &[Vec<Point>], limit_ms: f64) -> bool {
    let own = kinds.iter().find(|points| points.contains(point));
    let first = own.and_then(|points| points.first());
    let natural = first.map_or(0.0, |first| first.p50_ms);
    point.accepted > 0 && point.p50_ms > limit_ms.max(2.0 * natural)
}

/// Each quick kind as fast as it goes, beside a bare server that is sent the same.
///
/// # Errors
///
/// Where a server can't be reached.
pub async fn capacities(kinds: &[Kind], stage: &Stage) -> Result<Vec<Capacity>, Error> {
    let hello = stage.hello(512).await?;
    let mut courses = Vec::new();
    for kind in kinds.iter().filter(|kind| kind.lane != Lane::Stream) {
        let expected = Expectation {
            status: 200,
            cache: Cache::Any,
        };
        let load = |address| {
            Arc::new(Load {
                address,
                template: template(&kind.source),
                expected,
                connections: CONNECTIONS,
            })
        };
        courses.push((kind.name, load(kind.address), load(hello.address)));
    }
    let bare = Arc::new(Load {
        address: hello.address,
        template: Template::fixed(get("/")),
        expected: Expectation {
            status: 200,
            cache: Cache::Any,
        },
        connections: CONNECTIONS,
    });
    let mut best: Vec<(f64, f64)> = vec![(0.0, 0.0); courses.len()];
    let mut bare_best = 0.0_f64;
    for round in 1..=ROUNDS {
        println!("    capacities, round {round} of {ROUNDS}");
        bare_best = bare_best.max(per_second(&bare).await?);
        for ((_, own, hello), best) in courses.iter().zip(&mut best) {
            best.0 = best.0.max(per_second(own).await?);
            best.1 = best.1.max(per_second(hello).await?);
        }
    }
    hello.stop().await?;
    let mut all = vec![Capacity {
        name: "bare hyper".to_owned(),
        per_second: bare_best,
        of_hello: 1.0,
    }];
    all.extend(
        courses
            .iter()
            .zip(best)
            .map(|((name, ..), (own, hello))| Capacity {
                name: (*name).to_owned(),
                per_second: own,
                of_hello: own / hello.max(1.0),
            }),
    );
    Ok(all)
}

fn template(source: &Source) -> Template {
    match source {
        Source::Turns(requests, _) => {
            Template::fixed(requests.first().cloned().unwrap_or_default())
        }
        Source::Numbered(template) => Template::numbered(template.copy()),
    }
}

async fn per_second(load: &Arc<Load>) -> Result<f64, Error> {
    let tally = generator::saturate(load, CAPACITY).await?;
    Ok(tally.completed as f64 / CAPACITY.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(window: usize, p50_ms: f64, shed: u64) -> Point {
        Point {
            window,
            accepted: 10,
            shed,
            p50_ms,
            ..Point::default()
        }
    }

    #[test]
    fn recovery_is_the_end_of_the_last_trouble() {
        let quiet = vec![(0..20).map(|window| point(window, 1.0, 0)).collect()];
        assert_eq!(recovery(&quiet, 2.0, 5.0), Some(0.0));
        let mut shed = quiet.clone();
        shed[0][10] = point(10, 1.0, 3);
        assert_eq!(recovery(&shed, 2.0, 5.0), Some(0.75));
        shed[0][12] = point(12, 9.0, 0);
        assert_eq!(recovery(&shed, 2.0, 5.0), Some(1.25));
        shed[0][19] = point(19, 9.0, 0);
        assert_eq!(recovery(&shed, 2.0, 5.0), None);
        assert_eq!(recovery(&[], 2.0, 5.0), None);
    }

    #[test]
    fn what_waits_for_a_model_is_slow_by_nature() {
        let slow = vec![(0..20).map(|window| point(window, 25.0, 0)).collect()];
        assert_eq!(recovery(&slow, 2.0, 5.0), Some(0.0));
    }
}
