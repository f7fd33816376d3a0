//! Pods that serve: a queue each, service times as recorded, and what their metrics would say.

use std::collections::VecDeque;

use crate::random::Random;

/// Service times as `cargo xtask load --service-times` writes them.
const RECORDED: &str = include_str!("service_times.csv");
/// The service refuses the next one at so many in flight (`limits.max_in_flight`).
const MAX_IN_FLIGHT: usize = 1_024;
/// A model's answer: its median and 95th percentile in seconds.
const MODEL: (f64, f64) = (0.8, 2.5);
/// The quantile of the normal distribution at 95 %.
const Z95: f64 = 1.6449;

/// A kind of request.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    share: f64,
    /// Seconds at the quantiles of [`LEVELS`].
    times: [f64; 5],
    waits: bool,
}

/// The quantiles that are recorded.
const LEVELS: [f64; 5] = [0.0, 0.5, 0.95, 0.99, 1.0];

/// The recorded kinds; a line that isn't one is left out.
pub fn recorded() -> Vec<Kind> {
    read(RECORDED)
}

fn read(text: &str) -> Vec<Kind> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(kind).collect()
}

fn kind(line: &str) -> Option<Kind> {
    let mut fields = line.split(',').skip(1);
    let share = fields.next()?.parse().ok()?;
    let mut times = [0.0; 5];
    for time in times.iter_mut() {
        let micros: f64 = fields.next()?.parse().ok()?;
        *time = micros / 1e6;
    }
    let waits = fields.next()? == "model";
    Some(Kind {
        share,
        times,
        waits,
    })
}

impl Kind {
    /// Seconds of the processor on average, by the share of this kind.
    pub fn mean(&self) -> f64 {
        let pairs = LEVELS.windows(2).zip(self.times.windows(2));
        let area = pairs.map(|(levels, times)| match (levels, times) {
            ([low, high], [from, to]) => (high - low) * (from + to) / 2.0,
            _ => 0.0,
        });
        self.share * area.sum::<f64>()
    }

    /// Seconds of the processor: between two recorded quantiles on a straight line.
    fn time(&self, part: f64) -> f64 {
        for (levels, times) in LEVELS.windows(2).zip(self.times.windows(2)) {
            if let ([low, high], [from, to]) = (levels, times)
                && part <= *high
            {
                return from + (to - from) * (part - low) / (high - low);
            }
        }
        self.times.last().copied().unwrap_or(0.0)
    }
}

/// One pod: what comes waits in line for its share of a core.
struct Pod {
    ready_at: f64,
    free_at: f64,
    /// When the requests that it has will have been answered.
    ends: Vec<f64>,
}

/// One answered request, as the metrics see it.
struct Seen {
    at: f64,
    ours: f64,
}

/// All pods behind one service.
pub struct Pods {
    pods: Vec<Pod>,
    kinds: Vec<Kind>,
    random: Random,
    cores: f64,
    next: usize,
    seen: VecDeque<Seen>,
    /// Requests in flight, looked at each second.
    looks: VecDeque<(f64, f64)>,
    /// Refused, since the start.
    pub shed: u64,
}

impl Pods {
    /// So many, ready, with so much of a core each.
    pub fn new(kinds: Vec<Kind>, count: usize, cores: f64, seed: u64) -> Self {
        let pod = |_| Pod {
            ready_at: 0.0,
            free_at: 0.0,
            ends: Vec::new(),
        };
        Self {
            pods: (0..count).map(pod).collect(),
            kinds,
            random: Random::new(seed, "pods"),
            cores,
            next: 0,
            seen: VecDeque::new(),
            looks: VecDeque::new(),
            shed: 0,
        }
    }

    /// More or fewer, from `now` on; new ones serve after `start_up` seconds. The youngest go
    /// first, as Kubernetes chooses them.
    pub fn scale(&mut self, count: usize, now: f64, start_up: f64) {
        self.pods.truncate(count.max(1));
        while self.pods.len() < count {
            self.pods.push(Pod {
                ready_at: now + start_up,
                free_at: now + start_up,
                ends: Vec::new(),
            });
        }
    }

    /// There are, and those of them that serve.
    pub fn count(&self, now: f64) -> (usize, usize) {
        let ready = self.pods.iter().filter(|pod| pod.ready_at <= now).count();
        (self.pods.len(), ready)
    }

    /// A request comes.
    pub fn arrive(&mut self, now: f64) {
        let (_, ready) = self.count(now);
        let drawn = self.random.part() * self.kinds.iter().map(|kind| kind.share).sum::<f64>();
        let mut sum = 0.0;
        let found = self.kinds.iter().find(|kind| {
            sum += kind.share;
            drawn < sum
        });
        let Some(kind) = found.or(self.kinds.last()) else {
            return;
        };
        let work = kind.time(self.random.part()) / self.cores;
        let upstream = if kind.waits {
            lognormal(&mut self.random)
        } else {
            0.0
        };
        self.next = (self.next + 1) % ready.max(1);
        // New pods stand at the end, so that the first `ready` are those that serve.
        let Some(pod) = self.pods.get_mut(self.next) else {
            return;
        };
        if pod.ends.len() >= MAX_IN_FLIGHT {
            pod.ends.retain(|end| *end > now);
        }
        if pod.ends.len() >= MAX_IN_FLIGHT {
            self.shed += 1;
            return;
        }
        let wait = (pod.free_at - now).max(0.0);
        pod.free_at = now + wait + work;
        pod.ends.push(now + wait + work + upstream);
        self.seen.push_back(Seen {
            at: now,
            ours: wait + work,
        });
    }

    /// Looks at requests in flight, and forgets what no metric asks for.
    pub fn look(&mut self, now: f64, longest_window: f64) {
        let mut in_flight = 0.0;
        for pod in &mut self.pods {
            pod.ends.retain(|end| *end > now);
            in_flight += pod.ends.len() as f64;
        }
        self.looks.push_back((now, in_flight));
        while self
            .looks
            .front()
            .is_some_and(|(at, _)| *at < now - longest_window)
        {
            self.looks.pop_front();
        }
        while self
            .seen
            .front()
            .is_some_and(|seen| seen.at < now - longest_window)
        {
            self.seen.pop_front();
        }
    }

    /// Requests in flight on average of the `window` seconds before `until`.
    pub fn in_flight(&self, until: f64, window: f64) -> f64 {
        let within = self
            .looks
            .iter()
            .filter(|(at, _)| *at <= until && *at > until - window);
        let (mut sum, mut count) = (0.0, 0.0);
        for (_, look) in within {
            sum += look;
            count += 1.0;
        }
        if count > 0.0 { sum / count } else { 0.0 }
    }

    /// p95 of our own time in milliseconds within the `window` seconds before `until`; 0 of none.
    pub fn p95_ms(&self, until: f64, window: f64) -> f64 {
        let within = self
            .seen
            .iter()
            .filter(|seen| seen.at <= until && seen.at > until - window);
        let mut times: Vec<f64> = within.map(|seen| seen.ours).collect();
        let place = times.len() * 95 / 100;
        if times.is_empty() {
            return 0.0;
        }
        let (_, p95, _) = times.select_nth_unstable_by(place, f64::total_cmp);
        *p95 * 1e3
    }
}

/// A model's time, in seconds: the logarithm is normal (Box and Muller).
fn lognormal(random: &mut Random) -> f64 {
    let (radius, angle) = (1.0 - random.part(), random.part());
    let normal = (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos();
    let (median, p95) = MODEL;
    median * (normal * (p95 / median).ln() / Z95).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_kinds_are_sound() {
        let kinds = recorded();
        assert!(kinds.len() >= 8, "{kinds:?}");
        let sum: f64 = kinds.iter().map(|kind| kind.share).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        assert!(
            kinds
                .iter()
                .all(|kind| kind.times.is_sorted() && kind.times[1] > 0.0)
        );
        assert!(kinds.iter().any(|kind| kind.waits));
    }

    #[test]
    fn times_lie_between_their_quantiles() {
        let kind = &read("x,1,10,20,110,510,1010,none\n# a remark\nnonsense\n")[0];
        for (part, micros) in [
            (0.0, 10.0),
            (0.5, 20.0),
            (0.95, 110.0),
            (1.0, 1010.0),
            (0.25, 15.0),
        ] {
            assert!((kind.time(part) * 1e6 - micros).abs() < 1e-6, "{part}");
        }
        assert_eq!(read("x,1,10\n"), []);
    }

    #[test]
    fn a_pod_that_has_too_much_sheds_and_more_pods_do_not() {
        let shed = |count| {
            let kinds = read("x,1,1000,1000,1000,1000,1000,none\n");
            let mut pods = Pods::new(kinds, count, 1.0, 1);
            for at in 0..4_000_u32 {
                pods.arrive(f64::from(at) * 0.0005);
            }
            pods.look(2.0, 60.0);
            (pods.shed, pods.p95_ms(2.0, 60.0))
        };
        // Twice of what one can: half of it is refused once 1,024 wait for about a second.
        let (one, slow) = shed(1);
        assert!((950..1_050).contains(&one), "{one}");
        assert!((950.0..1_050.0).contains(&slow), "{slow}");
        let (three, fast) = shed(3);
        assert!(three == 0 && (0.9..1.1).contains(&fast), "{three} {fast}");
    }

    #[test]
    fn a_model_is_as_slow_as_it_is_said_to_be() {
        let mut random = Random::new(1, "test");
        let mut all: Vec<f64> = (0..20_000).map(|_| lognormal(&mut random)).collect();
        all.sort_by(f64::total_cmp);
        assert!((all[10_000] - 0.8).abs() < 0.03 && (all[19_000] - 2.5).abs() < 0.15);
    }
}
