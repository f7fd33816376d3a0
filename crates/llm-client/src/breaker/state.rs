//! The breaker as a machine: what happened and when goes in, what to do comes out. No I/O, no
//! clock of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::window::Window;
use super::{BreakerConfig, Limit, Verdict};

/// Where the breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Calls go through.
    Closed,
    /// None does, until then.
    Open { until: Instant },
    /// One call finds out; `probing` while it is under way.
    HalfOpen { probing: bool },
}

/// A change that is counted and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transition {
    /// To open, for so long.
    Opened { cause: Cause, wait: Duration },
    /// To half-open.
    HalfOpened,
    /// To closed.
    Closed { cause: Cause },
    /// The gate shut, for so long.
    Gated { limit: Limit, wait: Duration },
    /// The gate is open again.
    Ungated,
}

/// What made it change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The share of failures in the window.
    Failures,
    /// The probe.
    Probe,
    /// Another replica, by way of the store.
    Shared,
    /// An operator.
    Operator,
}

/// What a call may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Go.
    Go(Permit),
    /// The gate is shut for so long.
    Gated { limit: Limit, wait: Duration },
    /// The breaker is open; asking again is worth it after so long.
    Refused { wait: Duration },
}

/// A call under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Permit {
    pub(super) probe: bool,
    generation: u64,
}

/// What other replicas know, as of the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shared {
    /// The store answers: who probes is agreed there.
    pub(super) connected: bool,
    /// This replica may probe until then.
    pub(super) granted_until: Option<Instant>,
    /// A call was refused for want of the grant.
    pub(super) wants_grant: bool,
    /// Opened or closed here, and not told yet.
    pub(super) untold: Option<Told>,
    /// The gate shut here, and not told yet.
    pub(super) gate_untold: bool,
}

/// What there is to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Opened,
    Closed,
}

/// The machine.
#[derive(Debug)]
pub(super) struct State {
    config: BreakerConfig,
    phase: Phase,
    /// Grows with every change of phase: a call that began before doesn't count after.
    generation: u64,
    window: Window,
    /// Openings in a row without a probe that succeeded.
    streak: u32,
    gate: Option<(Limit, Instant)>,
    pub(super) shared: Shared,
}

impl State {
    pub(super) fn new(config: BreakerConfig, now: Instant) -> Self {
        Self {
            config,
            phase: Phase::Closed,
            generation: 0,
            window: Window::new(config.window, now),
            streak: 0,
            gate: None,
            shared: Shared::default(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn gate(&self, now: Instant) -> Option<(Limit, Duration)> {
        let (limit, until) = self.gate?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then_some((limit, left))
    }

    /// A call wants to go.
    pub(super) fn admit(&mut self, now: Instant, out: &mut Vec<Transition>) -> Admission {
        if let Some((limit, wait)) = self.gate(now) {
            return Admission::Gated { limit, wait };
        }
        if self.gate.take().is_some() {
            out.push(Transition::Ungated);
        }
        match self.phase {
            Phase::Closed => self.go(false),
            Phase::Open { until } if now < until => Admission::Refused { wait: until - now },
            Phase::Open { .. } if !self.may_probe(now) => {
                self.shared.wants_grant = true;
                let wait = self.config.probe_wait;
                Admission::Refused { wait }
            }
            Phase::Open { .. } => {
                self.enter(Phase::HalfOpen { probing: true });
                out.push(Transition::HalfOpened);
                self.go(true)
            }
            Phase::HalfOpen { probing: true } => {
                let wait = self.config.probe_wait;
                Admission::Refused { wait }
            }
            Phase::HalfOpen { probing: false } => {
                self.phase = Phase::HalfOpen { probing: true };
                self.go(true)
            }
        }
    }

    fn go(&self, probe: bool) -> Admission {
        Admission::Go(Permit {
            probe,
            generation: self.generation,
        })
    }

    /// Alone, or with the store away, a replica decides for itself.
    fn may_probe(&self, now: Instant) -> bool {
        !self.shared.connected || self.shared.granted_until.is_some_and(|until| now < until)
    }

    /// The first event of a call's stream has come: for a probe that is enough.
    pub(super) fn answered(&mut self, permit: Permit, out: &mut Vec<Transition>) {
        if permit.generation == self.generation && permit.probe {
            self.close(Cause::Probe, out);
            self.shared.untold = Some(Told::Closed);
        }
    }

    /// A call has ended, or was given up (`None`).
    pub(super) fn ended(
        &mut self,
        permit: Permit,
        verdict: Option<Verdict>,
        now: Instant,
        out: &mut Vec<Transition>,
    ) {
        if let Some(Verdict::Limited { limit, wait }) = verdict {
            self.shut_gate(limit, wait, now, out);
        }
        if permit.generation != self.generation {
            return;
        }
        match verdict {
            None | Some(Verdict::Unknown) if permit.probe => {
                self.phase = Phase::HalfOpen { probing: false };
            }
            None | Some(Verdict::Unknown) => {}
            Some(Verdict::Broken) if permit.probe => self.open(Cause::Probe, now, out),
            Some(Verdict::Broken) => {
                self.window.record(false, now);
                self.trip_if_due(now, out);
            }
            // A limit is an answer too: whoever counts is alive.
            Some(Verdict::Answered | Verdict::Limited { .. }) if permit.probe => {
                self.answered(permit, out);
            }
            Some(Verdict::Answered) => self.window.record(true, now),
            Some(Verdict::Limited { .. }) => {}
        }
    }

    fn trip_if_due(&mut self, now: Instant, out: &mut Vec<Transition>) {
        let counts = self.window.counts(now);
        let all = counts.good + counts.bad;
        let due = counts.bad.saturating_mul(100) >= all.saturating_mul(self.config.percent());
        if all >= u64::from(self.config.min_calls) && due {
            self.open(Cause::Failures, now, out);
        }
    }

    fn open(&mut self, cause: Cause, now: Instant, out: &mut Vec<Transition>) {
        let doubled = 1_u32.checked_shl(self.streak.min(16)).unwrap_or(u32::MAX);
        let wait = self
            .config
            .open_for
            .saturating_mul(doubled)
            .min(self.config.longest_open);
        self.streak = self.streak.saturating_add(1);
        self.shared.untold = Some(Told::Opened);
        self.open_for(wait, cause, now, out);
    }

    fn open_for(&mut self, wait: Duration, cause: Cause, now: Instant, out: &mut Vec<Transition>) {
        self.enter(Phase::Open { until: now + wait });
        self.shared.granted_until = None;
        self.shared.wants_grant = false;
        out.push(Transition::Opened { cause, wait });
    }

    fn close(&mut self, cause: Cause, out: &mut Vec<Transition>) {
        self.enter(Phase::Closed);
        self.window.clear();
        self.streak = 0;
        self.shared.granted_until = None;
        self.shared.wants_grant = false;
        out.push(Transition::Closed { cause });
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
    }

    fn shut_gate(&mut self, limit: Limit, wait: Duration, now: Instant, out: &mut Vec<Transition>) {
        let wait = wait.min(self.config.longest_gate);
        if wait.is_zero() {
            return;
        }
        let was_shut = self.gate(now);
        if was_shut.is_none_or(|(_, left)| left < wait) {
            self.gate = Some((limit, now + wait));
            self.shared.gate_untold = true;
        }
        if was_shut.is_none() {
            out.push(Transition::Gated { limit, wait });
        }
    }

    /// Another replica's breaker is open for so long.
    pub(super) fn opened_elsewhere(
        &mut self,
        wait: Duration,
        now: Instant,
        out: &mut Vec<Transition>,
    ) {
        let wait = wait.min(self.config.longest_open);
        match self.phase {
            Phase::Closed => {
                self.streak = self.streak.saturating_add(1);
                self.open_for(wait, Cause::Shared, now, out);
            }
            Phase::Open { until } if until < now + wait => {
                // Past its time it can only be a probe that failed.
                self.streak = self.streak.saturating_add(u32::from(until <= now));
                self.phase = Phase::Open { until: now + wait };
            }
            Phase::Open { .. } | Phase::HalfOpen { .. } => {}
        }
    }

    /// Another replica's probe succeeded.
    pub(super) fn closed_elsewhere(&mut self, out: &mut Vec<Transition>) {
        if self.phase != Phase::Closed {
            self.close(Cause::Shared, out);
        }
    }

    /// An operator knows better: calls go through again, here and on the other replicas. A gate
    /// stays, as it is the provider's own word.
    pub(super) fn reset(&mut self, out: &mut Vec<Transition>) -> bool {
        if self.phase == Phase::Closed {
            return false;
        }
        self.close(Cause::Operator, out);
        self.shared.untold = Some(Told::Closed);
        true
    }

    /// Another replica's gate is shut for so long.
    pub(super) fn gated_elsewhere(
        &mut self,
        limit: Limit,
        wait: Duration,
        now: Instant,
        out: &mut Vec<Transition>,
    ) {
        self.shut_gate(limit, wait, now, out);
        self.shared.gate_untold = false;
    }
}

#[cfg(test)]
mod tests;
