//! The machine, moment by moment.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

struct Run {
    state: State,
    start: Instant,
    now: Instant,
    out: Vec<Transition>,
}

impl Run {
    fn new() -> Self {
        let start = Instant::now();
        let config = BreakerConfig {
            min_calls: 4,
            ..BreakerConfig::default()
        };
        Self {
            state: State::new(config, start),
            start,
            now: start,
            out: Vec::new(),
        }
    }

    /// Goes to so many seconds after the start.
    fn at(&mut self, seconds: u64) -> &mut Self {
        self.now = self.start + SECOND * u32::try_from(seconds).unwrap();
        self
    }

    fn admit(&mut self) -> Admission {
        self.state.admit(self.now, &mut self.out)
    }

    fn permit(&mut self) -> Permit {
        match self.admit() {
            Admission::Go(permit) => permit,
            refused => unreachable!("{refused:?}"),
        }
    }

    fn end(&mut self, permit: Permit, verdict: Option<Verdict>) {
        self.state.ended(permit, verdict, self.now, &mut self.out);
    }

    fn calls(&mut self, count: usize, verdict: Verdict) -> &mut Self {
        for _ in 0..count {
            let permit = self.permit();
            self.end(permit, Some(verdict));
        }
        self
    }

    fn is_refused(&mut self) -> bool {
        matches!(self.admit(), Admission::Refused { .. })
    }

    fn transitions(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.out)
    }
}

fn opened(seconds: u64, cause: Cause) -> Transition {
    Transition::Opened {
        cause,
        wait: Duration::from_secs(seconds),
    }
}

const RATE: Verdict = Verdict::Limited {
    limit: Limit::Rate,
    wait: SECOND,
};

#[test]
fn it_opens_at_its_share_of_failures_over_enough_calls() {
    let mut run = Run::new();
    run.calls(3, Verdict::Broken);
    assert_eq!(run.transitions(), [], "too few calls to tell");
    run.calls(1, Verdict::Broken);
    assert_eq!(run.transitions(), [opened(5, Cause::Failures)]);
    assert_eq!(run.admit(), Admission::Refused { wait: 5 * SECOND });

    let mut run = Run::new();
    run.calls(5, Verdict::Answered).calls(4, Verdict::Broken);
    assert_eq!(run.transitions(), []);
    run.calls(1, Verdict::Broken);
    assert_eq!(run.transitions(), [opened(5, Cause::Failures)]);
}

#[test]
fn what_is_no_failure_of_the_providers_never_opens_it() {
    let mut run = Run::new();
    run.calls(100, Verdict::Unknown);
    let waitless = Verdict::Limited {
        limit: Limit::Rate,
        wait: Duration::ZERO,
    };
    run.calls(100, waitless);
    let permit = run.permit();
    run.end(permit, None);
    assert_eq!(run.transitions(), []);
    assert_eq!(run.state.phase(), Phase::Closed);
}

#[test]
fn failures_out_of_the_window_are_forgotten() {
    let mut run = Run::new();
    run.calls(3, Verdict::Broken);
    run.at(31).calls(3, Verdict::Broken);
    assert_eq!(run.transitions(), []);
}

#[test]
fn a_single_probe_finds_out() {
    let mut run = Run::new();
    run.calls(4, Verdict::Broken).transitions();
    let probe = run.at(5).permit();
    assert!(probe.probe);
    assert!(run.is_refused() && run.is_refused(), "one at a time");
    run.end(probe, Some(Verdict::Answered));
    let closed = Transition::Closed {
        cause: Cause::Probe,
    };
    assert_eq!(run.transitions(), [Transition::HalfOpened, closed]);
    run.calls(3, Verdict::Broken);
    assert_eq!(run.transitions(), [], "it has forgotten what was before");
}

#[test]
fn a_probe_that_fails_opens_it_for_twice_as_long_up_to_a_limit() {
    let mut run = Run::new();
    run.calls(4, Verdict::Broken).transitions();
    let mut at = 0;
    for (waited, next) in [(5, 10), (10, 20), (20, 40), (40, 60), (60, 60)] {
        at += waited;
        let probe = run.at(at).permit();
        run.end(probe, Some(Verdict::Broken));
        let expected = [Transition::HalfOpened, opened(next, Cause::Probe)];
        assert_eq!(run.transitions(), expected);
    }
}

#[test]
fn a_probe_without_a_verdict_leaves_the_place_to_the_next() {
    for verdict in [None, Some(Verdict::Unknown)] {
        let mut run = Run::new();
        run.calls(4, Verdict::Broken);
        let probe = run.at(5).permit();
        run.end(probe, verdict);
        let next = run.permit();
        assert!(next.probe && run.is_refused());
        run.end(next, Some(RATE));
        assert_eq!(run.state.phase(), Phase::Closed, "a limit is an answer");
    }
}

#[test]
fn a_probes_first_event_is_enough_and_its_end_counts_no_more() {
    let mut run = Run::new();
    run.calls(4, Verdict::Broken);
    let probe = run.at(5).permit();
    run.state.answered(probe, &mut run.out);
    assert_eq!(run.state.phase(), Phase::Closed);
    run.end(probe, Some(Verdict::Broken));
    assert_eq!(run.state.phase(), Phase::Closed);
}

#[test]
fn calls_that_began_before_a_change_do_not_count_after_it() {
    let mut run = Run::new();
    let early: Vec<_> = (0..20).map(|_| run.permit()).collect();
    run.calls(4, Verdict::Broken);
    let probe = run.at(5).permit();
    for permit in &early {
        run.end(*permit, Some(Verdict::Answered));
    }
    assert_eq!(run.state.phase(), Phase::HalfOpen { probing: true });
    run.end(probe, Some(Verdict::Answered));
    for permit in early {
        run.end(permit, Some(Verdict::Broken));
    }
    assert_eq!(run.state.phase(), Phase::Closed);
}

#[test]
fn a_limit_shuts_the_gate_until_its_time_and_leaves_the_breaker_closed() {
    let mut run = Run::new();
    run.calls(1, RATE);
    let limit = Limit::Rate;
    assert_eq!(
        run.admit(),
        Admission::Gated {
            limit,
            wait: SECOND
        }
    );
    run.at(1).calls(1, Verdict::Answered);
    let gated = Transition::Gated {
        limit,
        wait: SECOND,
    };
    assert_eq!(run.transitions(), [gated, Transition::Ungated]);
    // A later limit lengthens, a shorter one doesn't shorten, none is longer than allowed.
    let early: Vec<_> = (0..3).map(|_| run.permit()).collect();
    for (permit, seconds) in early.into_iter().zip([30, 10, 3600]) {
        let wait = Duration::from_secs(seconds);
        let limit = Limit::Spend;
        run.end(permit, Some(Verdict::Limited { limit, wait }));
    }
    assert_eq!(run.transitions().len(), 1, "it shut once");
    let limit = Limit::Spend;
    assert_eq!(
        run.admit(),
        Admission::Gated {
            limit,
            wait: 60 * SECOND
        }
    );
}

#[test]
fn shared_by_replicas_a_probe_needs_the_grant() {
    let mut run = Run::new();
    run.state.shared.connected = true;
    run.calls(4, Verdict::Broken);
    assert_eq!(run.state.shared.untold, Some(Told::Opened));
    run.at(6);
    assert!(run.is_refused());
    assert!(run.state.shared.wants_grant);
    run.state.shared.granted_until = Some(run.now + SECOND);
    run.at(7);
    assert!(run.is_refused(), "the grant is over");
    run.state.shared.granted_until = Some(run.now + SECOND);
    assert!(run.permit().probe);
    // With the store away it decides for itself.
    let mut run = Run::new();
    run.calls(4, Verdict::Broken);
    run.state.shared.connected = true;
    assert!(run.at(6).is_refused());
    run.state.shared.connected = false;
    assert!(run.permit().probe);
}

#[test]
fn what_happens_elsewhere_happens_here() {
    let mut run = Run::new();
    let now = run.now;
    run.state.opened_elsewhere(3 * SECOND, now, &mut run.out);
    run.state.opened_elsewhere(4 * SECOND, now, &mut run.out);
    assert_eq!(run.admit(), Admission::Refused { wait: 4 * SECOND });
    run.state.closed_elsewhere(&mut run.out);
    run.state.closed_elsewhere(&mut run.out);
    let closed = Transition::Closed {
        cause: Cause::Shared,
    };
    assert_eq!(run.transitions(), [opened(3, Cause::Shared), closed]);
    assert_eq!(run.state.shared.untold, None, "others know it already");
    run.state
        .gated_elsewhere(Limit::Spend, SECOND, now, &mut run.out);
    assert!(matches!(run.admit(), Admission::Gated { .. }));
    assert!(!run.state.shared.gate_untold);
}
