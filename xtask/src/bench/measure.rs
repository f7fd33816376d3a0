//! The run: start the servers, take turns over the targets, add up.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::cache;
use super::cores::{Cores, halves, hold_ourselves};
use super::generator::{self, Load, Plan, Tally};
use super::llm;
use super::machine::Machine;
use super::report::{Figures, MemoryFigures, Report, Settings, StartFigures};
use super::rules;
use super::server::{Kind, Server};
use super::targets::{Needs, Target, warm_up};
use crate::error::Error;
use crate::launch::Args;

/// The part of a target's capacity at which its latency is measured.
const LATENCY_LOAD: f64 = 0.5;
/// The names that `--filter` looks at, of what is measured without load.
const RULES_ALONE: &str = "dte-rules";
const START: &str = "start";
/// Starts of which the median counts.
const STARTS: usize = 10;
/// Load before the first measurement of a target.
const WARM_UP: Duration = Duration::from_millis(300);
/// The length of hello-world's body when no validate is measured beside it.
const USUAL_BODY: usize = 512;

/// Measures, prints, writes.
///
/// # Errors
///
/// [`Error::Bench`] when a server or an answer was wrong, [`Error::TargetsMissed`] with
/// `--strict`, [`Error::Io`] when the figures can't be written.
pub fn measure(args: &Args) -> Result<(), Error> {
    let runtime = Runtime::new().map_err(Error::io("start a runtime"))?;
    let report = runtime.block_on(run(args))?;
    report.print();
    if let Some(file) = &args.json {
        fs::write(file, report.to_json())
            .map_err(Error::io(format!("write {}", file.display())))?;
    }
    let failures = report.failures();
    if failures > 0 {
        return Err(Error::Bench(format!(
            "{failures} answers weren't as expected"
        )));
    }
    match report.missed() {
        missed if missed > 0 && args.strict => Err(Error::TargetsMissed(missed)),
        _ => Ok(()),
    }
}

async fn run(args: &Args) -> Result<Report, Error> {
    let machine = Machine::describe();
    let bin = own_folder()?;
    let chosen = |name: &str| {
        args.filter
            .as_deref()
            .is_none_or(|filter| filter.split(',').any(|part| name.contains(part)))
    };
    let targets: Vec<Target> = Target::ALL
        .into_iter()
        .filter(|target| chosen(target.name()))
        .collect();

    if targets.is_empty()
        && !chosen(RULES_ALONE)
        && !chosen(START)
        && !chosen(llm::NAME)
        && !chosen(cache::NAME)
    {
        return Err(Error::Bench(
            "no measurement has a name like that".to_owned(),
        ));
    }
    let rules = if chosen(RULES_ALONE) {
        rules::measure()?
    } else {
        Vec::new()
    };
    let start = if chosen(START) {
        Some(start_times(&bin).await?)
    } else {
        None
    };
    let llm = if chosen(llm::NAME) {
        Some(llm::measure(args, &bin).await?)
    } else {
        None
    };
    let cache = if chosen(cache::NAME) {
        Some(cache::measure(args, &bin).await?)
    } else {
        None
    };
    let cores = if targets.is_empty() {
        (None, None)
    } else {
        halves(args.share_cores)
    };
    hold_ourselves(cores.1);
    let mut servers = Servers::start(&targets, &bin, cores.0).await?;
    let idle = servers.memory()?;
    let mut courses = servers.courses(&targets, args).await?;
    if !courses.is_empty() {
        drive(&mut courses, args).await?;
    }
    let memory = MemoryFigures::pair(idle, servers.memory()?);
    servers.stop().await?;
    let figures = courses.iter().map(Course::figures).collect();
    let settings = Settings {
        seconds: args.seconds,
        rounds: args.rounds,
        connections: args.connections,
        latency_load: LATENCY_LOAD,
        cores: match cores {
            (Some(servers), Some(generator)) => {
                format!("servers on core {servers}, generator on core {generator}")
            }
            _ => "servers and generator on the same cores".to_owned(),
        },
    };
    let binary_bytes = fs::metadata(bin.join("ai-service")).map_or(0, |data| data.len());
    let report = Report::new(
        machine,
        settings,
        figures,
        rules,
        memory,
        start,
        binary_bytes,
    );
    Ok(report.with_llm(llm).with_cache(cache))
}

/// Capacities first, the targets taking turns; then the latencies.
async fn drive(courses: &mut [Course], args: &Args) -> Result<(), Error> {
    let span = Duration::from_secs(args.seconds);
    for round in 1..=args.rounds {
        println!("    capacity, round {round} of {}", args.rounds);
        for course in courses.iter_mut() {
            course.saturate(span).await?;
        }
    }
    println!(
        "    latency at {:.0} % of each capacity",
        LATENCY_LOAD * 100.0
    );
    for course in courses.iter_mut() {
        course.pace(span).await?;
    }
    Ok(())
}

/// The folder of the release binaries: this program lies in it.
fn own_folder() -> Result<PathBuf, Error> {
    let program = env::current_exe().map_err(Error::io("find this program's own file"))?;
    Ok(program
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf))
}

/// Starts the service with nothing configured, each time in a new folder.
async fn start_times(bin: &Path) -> Result<StartFigures, Error> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        let server = Server::start(&Kind::Plain, bin).await?;
        times.push(server.ready_after.as_secs_f64() * 1e3);
        server.stop().await?;
    }
    Ok(StartFigures::new(times))
}

/// The servers that the chosen targets need.
struct Servers {
    hello: Option<Server>,
    plain: Option<Server>,
    with_model: Option<Server>,
    model: Option<Server>,
    bin: PathBuf,
    cores: Cores,
}

impl Servers {
    async fn start(targets: &[Target], bin: &Path, cores: Cores) -> Result<Self, Error> {
        let needed = |needs| targets.iter().any(|target| target.needs() == needs);
        let mut servers = Self {
            hello: None,
            plain: None,
            with_model: None,
            model: None,
            bin: bin.to_path_buf(),
            cores,
        };
        if needed(Needs::Plain) {
            servers.plain = Some(Server::start_on(&Kind::Plain, bin, cores).await?);
        }
        if needed(Needs::Model) {
            let model = Server::start(&Kind::Model, bin).await?;
            let kind = Kind::WithModel {
                model: model.address,
            };
            servers.with_model = Some(Server::start_on(&kind, bin, cores).await?);
            servers.model = Some(model);
        }
        Ok(servers)
    }

    /// Warms every target up. Hello-world comes last, since its body is made as long as a
    /// validate's.
    async fn courses(&mut self, targets: &[Target], args: &Args) -> Result<Vec<Course>, Error> {
        let connections = usize::try_from(args.connections).unwrap_or(usize::MAX);
        let mut courses = Vec::new();
        let mut body_bytes = USUAL_BODY;
        for target in targets
            .iter()
            .filter(|target| target.needs() != Needs::Hello)
        {
            let server = match target.needs() {
                Needs::Model => &self.with_model,
                _ => &self.plain,
            };
            let Some(server) = server else { continue };
            let load = target.load(server, connections);
            let length = warm_up(*target, &load).await?;
            if *target == Target::Cached {
                body_bytes = length;
            }
            courses.push(Course::new(*target, load));
        }
        let hellos: Vec<Target> = targets
            .iter()
            .copied()
            .filter(|target| target.needs() == Needs::Hello)
            .collect();
        if !hellos.is_empty() {
            let kind = Kind::Hello { body_bytes };
            let server = Server::start_on(&kind, &self.bin, self.cores).await?;
            for (place, target) in hellos.into_iter().enumerate() {
                let load = target.load(&server, connections);
                warm_up(target, &load).await?;
                courses.insert(place, Course::new(target, load));
            }
            self.hello = Some(server);
        }
        for course in &courses {
            generator::saturate(&course.load, WARM_UP).await?;
        }
        Ok(courses)
    }

    fn memory(&self) -> Result<Vec<(&'static str, super::server::Memory)>, Error> {
        let named = [
            ("no model", &self.plain),
            ("with a model", &self.with_model),
        ];
        let running = named
            .into_iter()
            .filter_map(|(name, server)| Some((name, server.as_ref()?)));
        running
            .map(|(name, server)| Ok((name, server.memory()?)))
            .collect()
    }

    async fn stop(self) -> Result<(), Error> {
        for server in [self.hello, self.plain, self.with_model, self.model]
            .into_iter()
            .flatten()
        {
            server.stop().await?;
        }
        Ok(())
    }
}

/// A target on its way through the run.
struct Course {
    target: Target,
    load: Arc<Load>,
    /// Requests a second, by round.
    capacities: Vec<f64>,
    /// The open loop's rate and what it came to.
    paced: Option<(f64, Tally)>,
    failures: BTreeMap<String, u64>,
}

impl Course {
    fn new(target: Target, load: Arc<Load>) -> Self {
        let (capacities, failures) = (Vec::new(), BTreeMap::new());
        Self {
            target,
            load,
            capacities,
            paced: None,
            failures,
        }
    }

    async fn saturate(&mut self, span: Duration) -> Result<(), Error> {
        let tally = generator::saturate(&self.load, span).await?;
        self.capacities
            .push(tally.completed as f64 / span.as_secs_f64());
        self.count_failures(&tally);
        Ok(())
    }

    async fn pace(&mut self, span: Duration) -> Result<(), Error> {
        let rate = highest(&self.capacities) * LATENCY_LOAD;
        let tally = generator::pace(&self.load, Plan::new(rate, span)).await?;
        self.count_failures(&tally);
        self.paced = Some((rate, tally));
        Ok(())
    }

    fn count_failures(&mut self, tally: &Tally) {
        for (failure, count) in &tally.failures {
            *self.failures.entry(failure.to_string()).or_default() += count;
        }
    }

    fn figures(&self) -> Figures {
        let (rate, latency, lag) = match &self.paced {
            Some((rate, tally)) => (*rate, tally.latency.clone(), tally.lag.clone()),
            None => (0.0, generator::histogram(), generator::histogram()),
        };
        let micros = |nanos: u64| nanos as f64 / 1e3;
        Figures {
            name: self.target.name(),
            requests_per_second: highest(&self.capacities),
            rounds: self.capacities.clone(),
            latency_rate: rate,
            p50_us: micros(latency.value_at_quantile(0.5)),
            p99_us: micros(latency.value_at_quantile(0.99)),
            max_us: micros(latency.max()),
            generator_lag_p50_us: micros(lag.value_at_quantile(0.5)),
            generator_lag_p99_us: micros(lag.value_at_quantile(0.99)),
            measured: latency.len(),
            failures: self.failures.clone(),
        }
    }
}

fn highest(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(0.0, f64::max)
}
