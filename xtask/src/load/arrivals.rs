//! When requests arrive, and of which kind: drawn beforehand from a seed.

use std::time::Duration;

use crate::random::Random;

/// A time of one rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phase {
    /// Its name in the report.
    pub name: &'static str,
    /// Requests a second, yardsticks included.
    pub rate: f64,
    /// How long.
    pub span: Duration,
}

/// One arrival.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// The time, from the start.
    pub at: Duration,
    /// The phase, by its place.
    pub phase: usize,
    /// The kind of request, by its place among the shares.
    pub route: usize,
}

/// Independent arrivals (a Poisson process) through phases, each of a kind drawn by its share.
pub struct Arrivals {
    phases: Vec<Phase>,
    /// Sums of the shares up to each kind.
    shares: Vec<f64>,
    random: Random,
    phase: usize,
    /// Seconds from the start of the phase, and of all.
    within: f64,
    begun: f64,
}

impl Arrivals {
    /// Through `phases`, of kinds with these shares.
    pub fn new(phases: &[Phase], shares: &[f64], seed: u64) -> Self {
        let sums = shares.iter().scan(0.0, |sum, share| {
            *sum += share;
            Some(*sum)
        });
        Self {
            phases: phases.to_vec(),
            shares: sums.collect(),
            random: Random::new(seed, "arrivals"),
            phase: 0,
            within: 0.0,
            begun: 0.0,
        }
    }

    fn kind(&mut self) -> usize {
        let total = self.shares.last().copied().unwrap_or(0.0);
        let drawn = self.random.part() * total;
        let last = self.shares.len().saturating_sub(1);
        self.shares.partition_point(|sum| *sum <= drawn).min(last)
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let phase = *self.phases.get(self.phase)?;
            // The part is below 1, so that the logarithm is finite.
            let gap = -(1.0 - self.random.part()).ln() / phase.rate.max(1e-6);
            self.within += gap;
            let span = phase.span.as_secs_f64();
            if self.within < span {
                return Some(Arrival {
                    at: Duration::from_secs_f64(self.begun + self.within),
                    phase: self.phase,
                    route: self.kind(),
                });
            }
            self.phase += 1;
            self.begun += span;
            // What is memoryless may begin anew.
            self.within = 0.0;
        }
    }
}

/// The length of all phases.
pub fn length(phases: &[Phase]) -> Duration {
    phases.iter().map(|phase| phase.span).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHASES: [Phase; 2] = [
        Phase {
            name: "calm",
            rate: 1_000.0,
            span: Duration::from_secs(10),
        },
        Phase {
            name: "burst",
            rate: 5_000.0,
            span: Duration::from_secs(10),
        },
    ];

    #[test]
    fn rates_and_shares_are_kept() {
        let all: Vec<Arrival> = Arrivals::new(&PHASES, &[0.5, 0.0, 1.5], 7).collect();
        let of = |phase| all.iter().filter(|arrival| arrival.phase == phase).count();
        assert!((9_700..10_300).contains(&of(0)), "{}", of(0));
        assert!((49_300..50_700).contains(&of(1)), "{}", of(1));
        let kind = |route| all.iter().filter(|arrival| arrival.route == route).count();
        let part = kind(0) as f64 / all.len() as f64;
        assert!((part - 0.25).abs() < 0.01 && kind(1) == 0, "{part}");
        assert!(all.windows(2).all(|pair| pair[0].at <= pair[1].at));
        assert!(all.iter().all(|arrival| arrival.at < length(&PHASES)));
    }

    #[test]
    fn the_same_seed_makes_the_same_arrivals() {
        let draw = |seed| {
            Arrivals::new(&PHASES, &[1.0], seed)
                .take(50)
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn no_phases_and_no_kinds_are_no_loop() {
        assert_eq!(Arrivals::new(&[], &[1.0], 1).next(), None);
        let arrival = Arrivals::new(&PHASES, &[], 1).next();
        assert_eq!(arrival.map(|arrival| arrival.route), Some(0));
    }
}
