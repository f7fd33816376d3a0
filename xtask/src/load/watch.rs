//! What the processes take while they are pressed: memory, descriptors, processor time, and
//! what the service's own figures say.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::bench::client::Connection;
use crate::bench::machine;

/// Between two looks at the processes.
const EVERY: Duration = Duration::from_secs(1);
/// Looks at the processes for one at the service's own figures.
const FIGURES_EVERY: usize = 5;
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Clock ticks of a second in `/proc` (`USER_HZ`), on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// One look at the service.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sample {
    /// Seconds from the start.
    pub at: f64,
    /// Resident memory in MiB.
    pub rss_mib: f64,
    /// Open descriptors.
    pub descriptors: f64,
    /// Threads.
    pub threads: f64,
    /// Tasks of the runtime, where the service tells.
    pub tasks: Option<f64>,
}

/// The samples, and the processor's time that each process took in seconds.
#[derive(Default)]
pub struct Watched {
    /// In their order.
    pub samples: Vec<Sample>,
    /// By name.
    pub processor: BTreeMap<&'static str, f64>,
}

/// Somebody who looks; stops when dropped.
pub struct Watch {
    looking: JoinHandle<()>,
    seen: Arc<Mutex<Vec<Sample>>>,
    processes: Vec<(&'static str, u32)>,
    before: BTreeMap<&'static str, f64>,
}

impl Watch {
    /// Looks at these processes from now on; the one called `service` is sampled.
    pub fn start(processes: Vec<(&'static str, u32)>, figures: SocketAddr, key: &str) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let service = processes.iter().find(|(name, _)| *name == "service");
        let (id, key, sink) = (
            service.map(|(_, id)| *id),
            key.to_owned(),
            Arc::clone(&seen),
        );
        let looking = tokio::spawn(async move {
            let (start, mut every) = (Instant::now(), interval(EVERY));
            every.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for look in 0_usize.. {
                every.tick().await;
                let Some(mut sample) = id.and_then(|id| sample(id, start.elapsed())) else {
                    continue;
                };
                if look.is_multiple_of(FIGURES_EVERY) {
                    let figures = Figures::ask(figures, &key).await;
                    sample.tasks =
                        figures.and_then(|figures| figures.sum("tokio_alive_tasks", &[]));
                }
                sink.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(sample);
            }
        });
        let before = processor(&processes);
        Self {
            looking,
            seen,
            processes,
            before,
        }
    }

    /// Stops looking, and tells.
    pub fn stop(self) -> Watched {
        self.looking.abort();
        let mut processor = processor(&self.processes);
        for (name, seconds) in &mut processor {
            *seconds -= self.before.get(name).copied().unwrap_or(0.0);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Watched {
            samples: std::mem::take(&mut *seen),
            processor,
        }
    }
}

fn sample(id: u32, at: Duration) -> Option<Sample> {
    let status = format!("/proc/{id}/status");
    let rss = machine::kibibytes(&machine::field(&status, "VmRSS")?)?;
    let threads: u32 = machine::field(&status, "Threads")?.parse().ok()?;
    let descriptors = fs::read_dir(format!("/proc/{id}/fd")).ok()?.count();
    Some(Sample {
        at: at.as_secs_f64(),
        rss_mib: rss as f64 / 1024.0,
        descriptors: descriptors as f64,
        threads: f64::from(threads),
        tasks: None,
    })
}

fn processor(processes: &[(&'static str, u32)]) -> BTreeMap<&'static str, f64> {
    let seconds = |id: u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        seconds_of(&stat)
    };
    processes
        .iter()
        .filter_map(|(name, id)| Some((*name, seconds(*id)?)))
        .collect()
}

/// User and system time of a line of `/proc/PID/stat`; the program's name, in brackets, may hold
/// anything.
fn seconds_of(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / TICKS)
}

/// The service's own figures, as it gives them to Prometheus.
pub struct Figures(String);

impl Figures {
    /// Asks for them; `None` where the service doesn't say.
    pub async fn ask(address: SocketAddr, key: &str) -> Option<Self> {
        let request = format!(
            "GET /metrics HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\r\n"
        );
        let asked = async {
            let mut connection = Connection::open(address).await.ok()?;
            let answer = connection.stream(request.as_bytes(), || ()).await.ok()?;
            let text = String::from_utf8(answer.body.to_vec()).ok()?;
            (answer.status == 200).then_some(Self(text))
        };
        timeout(ANSWER_LIMIT, asked).await.ok().flatten()
    }

    /// The sum of the series of this name whose labels hold each of `labels`, written
    /// `name="value"`; `None` where there is none.
    pub fn sum(&self, name: &str, labels: &[&str]) -> Option<f64> {
        let values = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (series, value) = match rest.strip_prefix('{') {
                Some(rest) => rest.rsplit_once('}')?,
                None => ("", rest.strip_prefix(' ')?),
            };
            let fits = labels.iter().all(|label| series.contains(label));
            fits.then(|| value.trim().parse::<f64>().ok())?
        });
        values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
    }

    /// Hits and lookups of the cache, of the operations whose answers say where they are from.
    pub fn lookups(&self) -> (f64, f64) {
        const OPERATIONS: [&str; 4] = [
            "validate",
            "payroll_validate",
            "match_po",
            "suggest_project",
        ];
        let (mut hits, mut all) = (0.0, 0.0);
        for operation in OPERATIONS {
            let operation = format!("operation=\"{operation}\"");
            let of = |labels: &[&str]| self.sum("cache_requests_total", labels).unwrap_or(0.0);
            hits += of(&[&operation, "result=\"hit\""]);
            all += of(&[&operation]);
        }
        (hits, all)
    }
}

/// Hits and lookups as the service's log tells them, request by request.
///
/// # Errors
///
/// Where the log can't be read.
pub fn lookups_of_log(log: &std::path::Path) -> std::io::Result<(u64, u64)> {
    use std::io::BufRead as _;
    let (mut hits, mut all) = (0, 0);
    for line in std::io::BufReader::new(fs::File::open(log)?).split(b'\n') {
        let line = line?;
        let has = |text: &[u8]| line.windows(text.len()).any(|bytes| bytes == text);
        if has(b"\"message\":\"request\"") && has(b"\"cache\":\"") && !has(b"/api/chat/") {
            all += 1;
            hits += u64::from(has(b"\"cache\":\"hit\""));
        }
    }
    Ok((hits, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_summed_by_their_labels() {
        let text = "# TYPE cache_requests_total counter\n\
            cache_requests_total{operation=\"validate\",tier=\"l1\",result=\"hit\"} 30\n\
            cache_requests_total{operation=\"validate\",tier=\"l2\",result=\"hit\"} 10\n\
            cache_requests_total{operation=\"validate\",tier=\"none\",result=\"miss\"} 10\n\
            cache_requests_total{operation=\"chat\",tier=\"none\",result=\"miss\"} 1000\n\
            tokio_alive_tasks 42\ntokio_alive_tasks_other 1\n";
        let figures = Figures(text.to_owned());
        assert_eq!(figures.lookups(), (40.0, 50.0));
        assert_eq!(figures.sum("tokio_alive_tasks", &[]), Some(42.0));
        assert_eq!(figures.sum("absent", &[]), None);
        assert_eq!(
            figures.sum("cache_requests_total", &["result=\"stale\""]),
            None
        );
    }

    #[test]
    fn processor_time_is_read_whatever_the_programs_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 9";
        assert_eq!(seconds_of(stat), Some(3.0));
        assert_eq!(seconds_of("7 (x"), None);
    }

    #[test]
    fn this_process_can_be_watched() {
        let sample = sample(std::process::id(), Duration::from_secs(2)).unwrap();
        assert!(sample.rss_mib > 0.5 && sample.descriptors >= 3.0 && sample.threads >= 1.0);
    }

    #[test]
    fn the_logs_lookups_are_counted_without_the_chats() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let lines = "{\"message\":\"request\",\"endpoint\":\"/api/ai/validate\",\"cache\":\"hit\"}\n\
            {\"message\":\"request\",\"endpoint\":\"/api/ai/validate\",\"cache\":\"miss\"}\n\
            {\"message\":\"request\",\"endpoint\":\"/api/chat/message\",\"cache\":\"hit\"}\n\
            {\"message\":\"request\",\"endpoint\":\"/health\"}\nnot json\n";
        fs::write(log.path(), lines).unwrap();
        assert_eq!(lookups_of_log(log.path()).unwrap(), (1, 2));
    }
}
