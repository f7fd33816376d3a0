//! The figures of a run, beside the project's targets: as a table, and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cache::CacheFigures;
use super::llm::{self, LlmFigures};
use super::machine::Machine;
use super::rules::{LINES, RulesFigures};
use super::server::Memory;

mod goal;
mod ratio;

pub use goal::Goal;
use ratio::{ratio, ratios};

/// A cached validate's requests a second, as a part of hello-world's, at least.
const CACHED_RATIO: f64 = 0.6;
/// The rules over sixty lines, median, at most.
const RULES_US: f64 = 200.0;
/// Resident memory of the idle service, at most.
const IDLE_MIB: f64 = 25.0;
/// From the start of the process to ready, median, at most.
const READY_MS: f64 = 100.0;

/// Everything that a run found.
#[derive(Serialize)]
pub struct Report {
    machine: Machine,
    settings: Settings,
    targets: Vec<Figures>,
    rules: Vec<RulesFigures>,
    memory: Vec<MemoryFigures>,
    start: Option<StartFigures>,
    binary_bytes: u64,
    llm: Option<LlmFigures>,
    cache: Option<CacheFigures>,
    goals: Vec<Goal>,
}

/// How the run was made.
#[derive(Serialize)]
pub struct Settings {
    /// Length of each measurement.
    pub seconds: u64,
    /// Rounds of the closed loop.
    pub rounds: u64,
    /// Connections of the generator.
    pub connections: u64,
    /// The part of its capacity at which a target's latency was measured.
    pub latency_load: f64,
    /// Who had which cores.
    pub cores: String,
}

/// One target's figures. Latencies are in microseconds, from the intended send time.
#[derive(Serialize)]
pub struct Figures {
    /// The target's name.
    pub name: &'static str,
    /// The capacity: the highest rate completed in any round.
    pub requests_per_second: f64,
    /// The rate of each round.
    pub rounds: Vec<f64>,
    /// The rate at which the latency was measured.
    pub latency_rate: f64,
    /// The median latency.
    pub p50_us: f64,
    /// One request in a hundred takes longer.
    pub p99_us: f64,
    /// The longest.
    pub max_us: f64,
    /// How late the generator let requests go, at the median; contained in the latency.
    pub generator_lag_p50_us: f64,
    /// The same for one request in a hundred.
    pub generator_lag_p99_us: f64,
    /// Requests whose latency was measured.
    pub measured: u64,
    /// Answers that weren't as expected, by kind, over all phases.
    pub failures: BTreeMap<String, u64>,
}

/// Memory of one server.
#[derive(Serialize)]
pub struct MemoryFigures {
    /// Which server.
    pub server: &'static str,
    /// Once it was ready, before the first request.
    pub idle: Memory,
    /// After all load.
    pub loaded: Memory,
}

impl MemoryFigures {
    /// Puts the figures before and after the load together.
    pub fn pair(
        idle: Vec<(&'static str, Memory)>,
        loaded: Vec<(&'static str, Memory)>,
    ) -> Vec<Self> {
        let both = idle.into_iter().zip(loaded);
        both.map(|((server, idle), (_, loaded))| Self {
            server,
            idle,
            loaded,
        })
        .collect()
    }
}

/// Times from the start of the process to ready, in milliseconds.
#[derive(Serialize)]
pub struct StartFigures {
    median_ms: f64,
    slowest_ms: f64,
    all_ms: Vec<f64>,
}

impl StartFigures {
    /// From the times in the order of the starts.
    pub fn new(all_ms: Vec<f64>) -> Self {
        let slowest_ms = all_ms.iter().copied().fold(0.0, f64::max);
        Self {
            median_ms: median(&all_ms).unwrap_or(0.0),
            slowest_ms,
            all_ms,
        }
    }
}

impl Report {
    /// Puts the figures beside the targets.
    pub fn new(
        machine: Machine,
        settings: Settings,
        targets: Vec<Figures>,
        rules: Vec<RulesFigures>,
        memory: Vec<MemoryFigures>,
        start: Option<StartFigures>,
        binary_bytes: u64,
    ) -> Self {
        let rules_us = rules
            .iter()
            .find(|figures| figures.name == "rules")
            .map(|f| f.p50_us);
        let idle = memory
            .iter()
            .map(|figures| figures.idle.resident_mib)
            .reduce(f64::max);
        let ready = start.as_ref().map(|start| start.median_ms);
        let goals = vec![
            Goal::at_least(
                "cached validate / hello-world",
                CACHED_RATIO,
                ratio(&targets),
            ),
            Goal::at_most("rules over 60 lines, median", "us", RULES_US, rules_us),
            Goal::at_most("resident memory, idle", "MiB", IDLE_MIB, idle),
            Goal::at_most("start to ready, median", "ms", READY_MS, ready),
        ];
        Self {
            machine,
            settings,
            targets,
            rules,
            memory,
            start,
            binary_bytes,
            llm: None,
            cache: None,
            goals,
        }
    }

    /// Adds what the layers around a model cost, and their targets.
    pub fn with_llm(mut self, figures: Option<LlmFigures>) -> Self {
        let stack = figures.as_ref().and_then(|figures| figures.clients.last());
        let streams = figures.as_ref().map(|figures| &figures.streams);
        // Streams that aren't there take no memory.
        let whole = streams.filter(|streams| streams.failed == 0);
        let above = whole.map(|streams| streams.held_mib - streams.idle_mib);
        self.goals.extend([
            Goal::at_most(
                "model call, added p50",
                "us",
                llm::ADDED_P50_US,
                stack.map(|stack| stack.added_p50_us),
            ),
            Goal::at_most(
                "model call, added p99",
                "us",
                llm::ADDED_P99_US,
                stack.map(|stack| stack.added_p99_us),
            ),
            Goal::at_most("1,000 streams above idle", "MiB", llm::STREAMS_MIB, above),
        ]);
        self.llm = figures;
        self
    }

    /// Adds what the cache costs, and its targets.
    pub fn with_cache(mut self, figures: Option<CacheFigures>) -> Self {
        self.goals.extend(CacheFigures::goals(figures.as_ref()));
        self.cache = figures;
        self
    }

    /// Answers that weren't as expected.
    pub fn failures(&self) -> u64 {
        let targets = self.targets.iter();
        let answers: u64 = targets.flat_map(|figures| figures.failures.values()).sum();
        let llm = self.llm.as_ref().map_or(0, LlmFigures::failures);
        let cache = self.cache.as_ref().map_or(0, CacheFigures::failures);
        answers + llm + cache
    }

    /// Targets of the project that were measured and missed.
    pub fn missed(&self) -> usize {
        self.goals
            .iter()
            .filter(|goal| goal.met == Some(false))
            .count()
    }

    /// All figures.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        // Only maps with keys that aren't strings could fail, and there are none.
        text.unwrap_or_default() + "\n"
    }

    /// Prints everything for a person.
    pub fn print(&self) {
        self.print_machine();
        self.print_targets();
        let pairs = ratios(&self.targets);
        if !pairs.is_empty() {
            let each: Vec<String> = pairs.iter().map(|ratio| format!("{ratio:.2}")).collect();
            println!(
                "cached validate / hello-world, by round: {}",
                each.join(", ")
            );
        }
        self.print_process();
        if let Some(figures) = &self.llm {
            figures.print();
        }
        if let Some(figures) = &self.cache {
            figures.print();
        }
        println!(
            "\n{:<32} {:>12} {:>12}",
            "target of the project", "wanted", "measured"
        );
        for goal in &self.goals {
            let measured = goal.measured.as_deref().unwrap_or("not measured");
            println!(
                "{:<32} {:>12} {:>12}  {}",
                goal.what,
                goal.wanted,
                measured,
                goal.mark()
            );
        }
    }

    fn print_machine(&self) {
        let machine = &self.machine;
        println!(
            "\n{} | {} cores | {} MiB | Linux {} | commit {} | {}",
            machine.cpu,
            machine.cores,
            machine.memory_mib,
            machine.kernel,
            machine.commit,
            machine.began
        );
        println!("load average before the run: {:.2}", machine.load_average);
    }

    fn print_targets(&self) {
        if self.targets.is_empty() {
            return;
        }
        let Settings {
            seconds,
            rounds,
            connections,
            latency_load,
            cores,
        } = &self.settings;
        println!(
            "\ncapacity: best of {rounds} interleaved rounds of {seconds} s, closed loop, \
             {connections} connections\nlatency: open loop for {seconds} s at {:.0} % of the same \
             target's capacity, from the intended send time\n{cores}\n",
            latency_load * 100.0
        );
        println!(
            "{:<24} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9}",
            "", "requests/s", "at rate/s", "p50 us", "p99 us", "lag p50", "errors"
        );
        for figures in &self.targets {
            println!(
                "{:<24} {:>10.0} {:>10.0} {:>9.0} {:>9.0} {:>9.0} {:>9}",
                figures.name,
                figures.requests_per_second,
                figures.latency_rate,
                figures.p50_us,
                figures.p99_us,
                figures.generator_lag_p50_us,
                figures.failures.values().sum::<u64>()
            );
            for (failure, count) in &figures.failures {
                println!("    {count} x {failure}");
            }
        }
    }

    fn print_process(&self) {
        if !self.rules.is_empty() {
            println!(
                "\n{:<32} {:>12} {:>12}",
                format!("dte over {LINES} lines"),
                "p50 us",
                "p99 us"
            );
        }
        for figures in &self.rules {
            println!(
                "{:<32} {:>12.1} {:>12.1}",
                figures.name, figures.p50_us, figures.p99_us
            );
        }
        if !self.memory.is_empty() {
            println!(
                "\n{:<32} {:>12} {:>12} {:>12}",
                "memory, MiB", "idle", "loaded", "peak"
            );
        }
        for MemoryFigures {
            server,
            idle,
            loaded,
        } in &self.memory
        {
            println!(
                "{server:<32} {:>12.1} {:>12.1} {:>12.1}",
                idle.resident_mib, loaded.resident_mib, loaded.peak_mib
            );
        }
        if let Some(StartFigures {
            median_ms,
            slowest_ms,
            all_ms,
        }) = &self.start
        {
            println!(
                "\nstart to ready: median {median_ms:.1} ms, slowest {slowest_ms:.1} ms of {} starts",
                all_ms.len()
            );
        }
        if self.binary_bytes > 0 {
            println!(
                "binary: {:.1} MiB",
                self.binary_bytes as f64 / 1024.0 / 1024.0
            );
        }
    }
}

/// The median; of an even number of values the mean of the middle two.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    sorted
        .get(middle.wrapping_sub(1))
        .map(|lower| f64::midpoint(*lower, upper))
}

#[cfg(test)]
mod tests;
