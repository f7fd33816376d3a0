//! What all connections of one mock share.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::HeaderMap;

use crate::{
    answer::Answer,
    config::Config,
    faults::{Fault, FaultRule, FaultTable, TableError},
    pace::{Pace, parse_rate},
    prompt_cache::PromptCache,
    random::{Sequence, unit},
    rate::RateWindow,
    stats::Counters,
};

/// Most scripted answers that wait.
const MAX_ANSWERS: usize = 1_000;

/// What can be changed while the mock runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) pace: Pace,
    pub(crate) answer_tokens: u32,
}

/// A mock's state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) counters: Arc<Counters>,
    pub(crate) cache: PromptCache,
    pub(crate) rate: RateWindow,
    pub(crate) random: Sequence,
    manner: Mutex<Manner>,
    faults: Mutex<FaultTable>,
    answers: Mutex<VecDeque<Answer>>,
}

impl State {
    pub(crate) fn new(config: Config) -> Result<Self, TableError> {
        let mut faults = FaultTable::default();
        for rule in &config.faults {
            faults.add(rule.clone())?;
        }
        Ok(Self {
            counters: Arc::new(Counters::new(config.kept_requests)),
            cache: PromptCache::new(config.max_prefixes),
            rate: RateWindow::default(),
            random: Sequence::new(config.seed),
            manner: Mutex::new(Manner {
                pace: config.pace,
                answer_tokens: config.answer_tokens,
            }),
            faults: Mutex::new(faults),
            answers: Mutex::default(),
            config,
        })
    }

    /// The manner of this request's answer: the server's, changed by the request's headers.
    pub(crate) fn manner(&self, headers: &HeaderMap) -> Result<Manner, String> {
        let mut manner = *lock(&self.manner);
        let text = |name: &str| {
            headers
                .get(name)
                .map(|value| value.to_str().unwrap_or_default())
        };
        if let Some(delay) = text("x-mock-latency-ms") {
            manner.pace.first_byte = delay
                .parse()
                .map_err(|error| format!("x-mock-latency-ms: {error}"))?;
        }
        if let Some(rate) = text("x-mock-tokens-per-second") {
            let rate =
                parse_rate(rate).map_err(|error| format!("x-mock-tokens-per-second: {error}"))?;
            manner.pace = manner.pace.with_rate(rate);
        }
        if let Some(tokens) = text("x-mock-answer-tokens") {
            manner.answer_tokens = tokens
                .parse()
                .map_err(|_| "x-mock-answer-tokens: not a count".to_owned())?;
        }
        Ok(manner)
    }

    pub(crate) fn change_manner(&self, change: impl FnOnce(&mut Manner)) -> Manner {
        let mut manner = lock(&self.manner);
        change(&mut manner);
        *manner
    }

    /// The fault that strikes this request, if one does.
    pub(crate) fn strike(
        &self,
        path: &str,
        header: Option<&str>,
    ) -> Result<Option<Fault>, TableError> {
        let mut faults = lock(&self.faults);
        if header.is_none() && faults.is_empty() {
            return Ok(None);
        }
        faults.strike(path, header, || unit(self.random.next()))
    }

    pub(crate) fn add_fault(&self, rule: FaultRule) -> Result<(), TableError> {
        lock(&self.faults).add(rule)
    }

    pub(crate) fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    pub(crate) fn fault_rules(&self) -> Vec<FaultRule> {
        lock(&self.faults).rules().cloned().collect()
    }

    /// Queues a scripted answer; false when too many wait.
    pub(crate) fn add_answer(&self, answer: Answer) -> bool {
        let mut answers = lock(&self.answers);
        let room = answers.len() < MAX_ANSWERS;
        if room && answer.times != Some(0) {
            answers.push_back(answer);
        }
        room
    }

    /// The scripted answer whose turn it is.
    pub(crate) fn next_answer(&self) -> Option<Answer> {
        let mut answers = lock(&self.answers);
        let front = answers.front_mut()?;
        let answer = front.clone();
        if let Some(times) = &mut front.times {
            *times -= 1;
            if *times == 0 {
                answers.pop_front();
            }
        }
        Some(answer)
    }

    /// Back to the start: counters, faults, answers, cached prefixes, manner.
    pub(crate) fn reset(&self) {
        self.counters.reset();
        self.clear_faults();
        lock(&self.answers).clear();
        self.cache.clear();
        let start = Manner {
            pace: self.config.pace,
            answer_tokens: self.config.answer_tokens,
        };
        *lock(&self.manner) = start;
    }
}

/// No lock here is held over anything that could panic half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
