//! What a run came to, as it is printed, written and judged.

use std::collections::BTreeMap;

use serde::Serialize;

use super::arrivals::Phase;
use super::faults::Event;
use super::prometheus::Comparison;
use super::record::{Point, Recorder, Sum, millis};
use super::saturation::{Capacity, Overload, Step};
use super::traffic::{Kind, name};
use super::trend::Trend;
use super::watch::Sample;
use crate::bench::client::Kept;
use crate::bench::machine::Machine;

/// All of it.
#[derive(Serialize)]
pub struct Figures {
    /// The scenario's name.
    pub scenario: &'static str,
    /// Where it ran.
    pub machine: Machine,
    /// Who had which cores.
    pub cores: String,
    /// Requests a second that were intended, without yardsticks.
    pub rate: f64,
    /// How long, in seconds.
    pub seconds: f64,
    /// By kind of request.
    pub routes: Vec<RouteFigures>,
    /// How late the generator let arrivals go: the median and one of a hundred, in ms.
    pub lag_p50_ms: f64,
    /// See above.
    pub lag_p99_ms: f64,
    /// Arrivals that the generator couldn't send.
    pub unsent: u64,
    /// What the hit rate should be, and what the answers, the service and its log say.
    pub hit_rate: HitRate,
    /// Seconds of the processor, by process.
    pub processor: BTreeMap<&'static str, f64>,
    /// Looks at the service.
    pub samples: Vec<Sample>,
    /// What must not grow, in a soak.
    pub trends: Vec<Trend>,
    /// What went wrong meanwhile.
    pub events: Vec<Event>,
    /// Steps to saturation, where there were any.
    pub steps: Vec<Step>,
    /// Capacities by kind, beside a bare server.
    pub capacities: Vec<Capacity>,
    /// Twice saturation, and back.
    pub overload: Option<Overload>,
    /// What Prometheus says of the same.
    pub prometheus: Vec<Comparison>,
    /// The length of a window of the points, in seconds.
    pub window: f64,
}

/// A hit rate by four accounts, of the operations that say where their answers are from.
#[derive(Serialize, Default)]
pub struct HitRate {
    /// By the shares of what was sent.
    pub implied: f64,
    /// By the answers.
    pub answers: f64,
    /// By the service's metrics; absent where it doesn't tell.
    pub service: Option<f64>,
    /// By its log, request by request; absent where the service isn't ours.
    pub log: Option<f64>,
}

/// One kind of request.
#[derive(Serialize)]
pub struct RouteFigures {
    /// Its name.
    pub name: &'static str,
    /// Whether it went to the model's stand-in itself.
    pub yardstick: bool,
    /// Answers as they should be.
    pub accepted: u64,
    /// 429 and 503, and those of them that didn't say when to come again.
    pub shed: u64,
    /// See above.
    pub untold: u64,
    /// Failures by kind.
    pub failures: BTreeMap<String, u64>,
    /// Latencies in milliseconds from the intended time.
    pub p50_ms: f64,
    /// See above.
    pub p95_ms: f64,
    /// See above.
    pub p99_ms: f64,
    /// See above.
    pub max_ms: f64,
    /// To the first byte of the body.
    pub first_p50_ms: f64,
    /// See above.
    pub first_p99_ms: f64,
    /// Answers that `X-Cache` calls hits, and those with an `X-Cache`.
    pub hits: u64,
    /// See above.
    pub kept: u64,
    /// Over time.
    #[serde(skip)]
    pub points: Vec<Point>,
    /// All latencies.
    #[serde(skip)]
    pub sum: Sum,
}

impl RouteFigures {
    /// Of all kinds, over all phases.
    pub fn all(kinds: &[Kind], recorder: &Recorder) -> Vec<Self> {
        let each = kinds.iter().enumerate();
        each.map(|(place, kind)| {
            let (phases, points) = recorder.take(place);
            let mut sum = Sum::new();
            for phase in &phases {
                sum.add(phase);
            }
            Self::new(kind, sum, points)
        })
        .collect()
    }

    fn new(kind: &Kind, sum: Sum, points: Vec<Point>) -> Self {
        let of = |quantile| millis(sum.latency.value_at_quantile(quantile));
        let kept = sum.kept.iter().filter(|(kept, _)| **kept != Kept::Silent);
        Self {
            name: kind.name,
            yardstick: kind.yardstick,
            accepted: sum.latency.len(),
            shed: sum.refusals.len(),
            untold: sum.untold,
            failures: sum
                .failures
                .iter()
                .map(|(failure, count)| (failure.to_string(), *count))
                .collect(),
            p50_ms: of(0.5),
            p95_ms: of(0.95),
            p99_ms: of(0.99),
            max_ms: millis(sum.latency.max()),
            first_p50_ms: millis(sum.first.value_at_quantile(0.5)),
            first_p99_ms: millis(sum.first.value_at_quantile(0.99)),
            hits: sum.kept.get(&Kept::Hit).copied().unwrap_or(0),
            kept: kept.map(|(_, count)| count).sum(),
            points,
            sum,
        }
    }

    /// Failures of all kinds.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// Whether its hits and misses count: the chat's streams tell nothing, so that none of the
    /// chat's do.
    pub fn is_looked_up(&self) -> bool {
        self.kept > 0 && !self.name.starts_with("chat")
    }
}

impl Figures {
    /// A kind's figures.
    pub fn route(&self, name: &str) -> Option<&RouteFigures> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// The service's answers that weren't as they should be, with what couldn't be sent. That the
    /// stand-in itself fails, as it is told to in a soak, is no error of the service.
    pub fn errors(&self) -> u64 {
        let ours = || self.routes.iter().filter(|route| !route.yardstick);
        let failed: u64 = ours().map(RouteFigures::failed).sum();
        let shed: u64 = ours().map(|route| route.shed).sum();
        failed + shed + self.unsent
    }

    /// The part of one core that a process took.
    pub fn cores_of(&self, process: &str) -> Option<f64> {
        let seconds = self.processor.get(process)?;
        (self.seconds > 0.0).then(|| seconds / self.seconds)
    }

    /// What the service adds to the stand-in's own latency, at one call of a hundred, in ms.
    pub fn added_p99_ms(&self, route: &str) -> Option<f64> {
        match route {
            name::MISS => self.p99_over(route, name::MODEL, false),
            name::STREAM => self.p99_over(route, name::MODEL_STREAM, true),
            _ => None,
        }
    }

    /// The same beside bare hyper between generator and stand-in: what is left when the way
    /// through a process on the service's cores is taken off.
    pub fn over_proxy_p99_ms(&self, route: &str) -> Option<f64> {
        match route {
            name::MISS => self.p99_over(route, name::PROXY, false),
            name::STREAM => self.p99_over(route, name::PROXY_STREAM, true),
            _ => None,
        }
    }

    fn p99_over(&self, route: &str, over: &str, first: bool) -> Option<f64> {
        let (of, over) = (self.route(route)?, self.route(over)?);
        if of.accepted == 0 || over.accepted == 0 {
            return None;
        }
        Some(match first {
            true => of.first_p99_ms - over.first_p99_ms,
            false => of.p99_ms - over.p99_ms,
        })
    }
}

/// The hit rate that the answers tell, and the one that what was sent implies.
pub fn hit_rate(routes: &[RouteFigures]) -> (f64, f64) {
    let looked_up = || routes.iter().filter(|route| route.is_looked_up());
    let sent: u64 = looked_up().map(|route| route.kept).sum();
    let implied = looked_up().filter(|route| route.name.ends_with("-cached"));
    let implied: u64 = implied.map(|route| route.kept).sum();
    let hits: u64 = looked_up().map(|route| route.hits).sum();
    let part = |count: u64| count as f64 / sent.max(1) as f64;
    (part(implied), part(hits))
}

/// The sum over all kinds that aren't yardsticks, of one phase.
pub fn phase_sum(kinds: &[Kind], recorder: &Recorder, phase: usize) -> Sum {
    let mut sum = Sum::new();
    for (place, kind) in kinds.iter().enumerate() {
        if !kind.yardstick
            && let Some(part) = recorder.take(place).0.get(phase)
        {
            sum.add(part);
        }
    }
    sum
}

/// Requests a second through all phases, on average.
pub fn mean_rate(phases: &[Phase]) -> f64 {
    let seconds: f64 = phases.iter().map(|phase| phase.span.as_secs_f64()).sum();
    let requests = phases
        .iter()
        .map(|phase| phase.rate * phase.span.as_secs_f64());
    requests.sum::<f64>() / seconds.max(1e-9)
}
