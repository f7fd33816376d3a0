//! The horizontal pod autoscaler's algorithm, as Kubernetes documents it (autoscaling/v2:
//! tolerance, missing pods, policies, stabilisation).

use std::collections::VecDeque;

/// What the autoscaler is told.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Target of requests in flight, a pod.
    pub in_flight: f64,
    /// Target of the p95 of our own part of a request's time, in milliseconds.
    pub p95_ms: f64,
    /// Bounds on replicas.
    pub min: usize,
    /// See above.
    pub max: usize,
    /// What counts as on target.
    pub tolerance: f64,
    /// Growth within `up_period`: this part, or so many pods, whichever is more.
    pub up_part: f64,
    /// See above.
    pub up_pods: usize,
    /// See above, in seconds.
    pub up_period: f64,
    /// Shrinking within `down_period`, as a part.
    pub down_part: f64,
    /// See above, in seconds.
    pub down_period: f64,
    /// The highest wish of so many seconds counts when shrinking.
    pub down_window: f64,
}

/// What the autoscaler sees.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Requests in flight over all ready pods, on average of the metric's window.
    pub in_flight: f64,
    /// p95 in milliseconds; 0 without requests.
    pub p95_ms: f64,
    /// Pods that serve, and those that are there.
    pub ready: usize,
    /// See above.
    pub pods: usize,
}

/// An autoscaler with its memory.
pub struct Autoscaler {
    settings: Settings,
    wishes: VecDeque<(f64, usize)>,
    changes: VecDeque<(f64, i64)>,
}

impl Autoscaler {
    /// One that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            wishes: VecDeque::new(),
            changes: VecDeque::new(),
        }
    }

    /// The number of pods that there should be, at `now` in seconds.
    pub fn decide(&mut self, now: f64, seen: Seen) -> usize {
        let settings = self.settings;
        let wish = self
            .by_in_flight(seen)
            .max(self.by_p95(seen))
            .clamp(settings.min, settings.max);
        self.wishes.push_back((now, wish));
        let kept = now - settings.down_window;
        self.wishes.retain(|(at, _)| *at >= kept);
        let stable = self
            .wishes
            .iter()
            .map(|(_, wish)| *wish)
            .max()
            .unwrap_or(wish);
        let target = if wish > seen.pods {
            wish.min(self.ceiling(now, seen.pods))
        } else {
            stable.min(seen.pods).max(self.floor(now, seen.pods))
        };
        let change = target as i64 - seen.pods as i64;
        if change != 0 {
            self.changes.push_back((now, change));
        }
        target
    }

    /// A metric of type `Pods`: the sum over the target. Pods that aren't ready count as idle
    /// when growing, and may not turn the wish around.
    fn by_in_flight(&self, seen: Seen) -> usize {
        let ready = seen.ready.max(1) as f64;
        let ratio = seen.in_flight / ready / self.settings.in_flight;
        if (ratio - 1.0).abs() <= self.settings.tolerance {
            return seen.pods;
        }
        if ratio < 1.0 {
            return wished(seen.in_flight / self.settings.in_flight);
        }
        let pods = seen.pods.max(1) as f64;
        let cautious = seen.in_flight / pods / self.settings.in_flight;
        if cautious <= 1.0 + self.settings.tolerance {
            return seen.pods;
        }
        wished(cautious * pods)
    }

    /// A metric of type `Object`: the ready pods times the ratio.
    fn by_p95(&self, seen: Seen) -> usize {
        let ratio = seen.p95_ms / self.settings.p95_ms;
        if (ratio - 1.0).abs() <= self.settings.tolerance {
            return seen.pods;
        }
        wished(seen.ready as f64 * ratio)
    }

    fn ceiling(&mut self, now: f64, pods: usize) -> usize {
        let begun = self.before(now, self.settings.up_period, pods, 1);
        let by_part = (begun as f64 * (1.0 + self.settings.up_part)).ceil() as usize;
        by_part.max(begun + self.settings.up_pods)
    }

    fn floor(&mut self, now: f64, pods: usize) -> usize {
        let begun = self.before(now, self.settings.down_period, pods, -1);
        (begun as f64 * (1.0 - self.settings.down_part)).floor() as usize
    }

    /// The pods at the start of a policy's period, without what was changed in this direction.
    fn before(&mut self, now: f64, period: f64, pods: usize, direction: i64) -> usize {
        let longest = self.settings.up_period.max(self.settings.down_period);
        self.changes.retain(|(at, _)| *at > now - longest);
        let of = self
            .changes
            .iter()
            .filter(|(at, change)| *at > now - period && change.signum() == direction);
        let changed: i64 = of.map(|(_, change)| change).sum();
        usize::try_from(pods as i64 - changed).unwrap_or(0)
    }
}

fn wished(pods: f64) -> usize {
    // What isn't finite or is negative becomes 0, and is put within the bounds after.
    pods.ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings {
        in_flight: 50.0,
        p95_ms: 20.0,
        min: 2,
        max: 10,
        tolerance: 0.1,
        up_part: 1.0,
        up_pods: 2,
        up_period: 30.0,
        down_part: 0.25,
        down_period: 60.0,
        down_window: 300.0,
    };

    fn seen(in_flight: f64, p95_ms: f64, ready: usize, pods: usize) -> Seen {
        Seen {
            in_flight,
            p95_ms,
            ready,
            pods,
        }
    }

    #[test]
    fn it_grows_by_the_larger_wish_within_the_policy() {
        let mut scaler = Autoscaler::new(SETTINGS);
        assert_eq!(
            scaler.decide(0.0, seen(108.0, 1.0, 2, 2)),
            2,
            "within the tolerance"
        );
        assert_eq!(scaler.decide(15.0, seen(190.0, 1.0, 2, 2)), 4);
        assert_eq!(
            scaler.decide(20.0, seen(999.0, 200.0, 4, 4)),
            4,
            "two more in 30 s, or twice"
        );
        assert_eq!(scaler.decide(50.0, seen(10.0, 200.0, 4, 4)), 8);
        assert_eq!(
            scaler.decide(90.0, seen(9_999.0, 200.0, 8, 8)),
            10,
            "the bound"
        );
    }

    #[test]
    fn pods_that_are_starting_hold_it_back() {
        let mut scaler = Autoscaler::new(SETTINGS);
        assert_eq!(scaler.decide(0.0, seen(190.0, 1.0, 2, 4)), 4);
    }

    #[test]
    fn it_shrinks_slowly_and_only_after_the_window() {
        let mut scaler = Autoscaler::new(SETTINGS);
        assert_eq!(scaler.decide(0.0, seen(380.0, 1.0, 8, 8)), 8);
        assert_eq!(
            scaler.decide(290.0, seen(10.0, 1.0, 8, 8)),
            8,
            "eight were wished for"
        );
        assert_eq!(
            scaler.decide(310.0, seen(10.0, 1.0, 8, 8)),
            6,
            "a quarter in a minute"
        );
        assert_eq!(scaler.decide(325.0, seen(10.0, 1.0, 6, 6)), 6);
        assert_eq!(scaler.decide(380.0, seen(10.0, 1.0, 6, 6)), 4);
    }

    #[test]
    fn no_requests_are_no_reason_for_less_than_the_least() {
        let mut scaler = Autoscaler::new(SETTINGS);
        assert_eq!(scaler.decide(0.0, seen(0.0, 0.0, 2, 2)), 2);
        assert_eq!(scaler.decide(15.0, seen(f64::NAN, f64::NAN, 0, 2)), 2);
    }
}
