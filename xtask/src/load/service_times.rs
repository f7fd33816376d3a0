//! Service times for `cargo xtask autoscale`: what a request takes of the processor, whoever else
//! is at work on the machine.
//!
//! Each kind is asked one request at a time, and the scheduler's own account of the service's
//! threads (`/proc/PID/task/*/schedstat`, in nanoseconds) is read before and after it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;

use tokio::time::{Duration, timeout};

use super::traffic::{Kind, Lane};
use crate::bench::client::Connection;
use crate::bench::generator::{histogram, nanoseconds};
use crate::bench::machine::Machine;
use crate::error::Error;

/// Requests of each kind.
const REQUESTS: usize = 200;
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// The quantiles that the simulation draws between; the highest leaves out what is a thread's
/// chore of the moment rather than a request's.
const LEVELS: [f64; 5] = [0.0, 0.5, 0.95, 0.99, 0.995];

/// The recorded file: a line for each kind.
///
/// # Errors
///
/// [`Error::Bench`] where the service can't be asked or its account can't be read.
pub async fn record(kinds: &[Kind], service: u32) -> Result<String, Error> {
    let machine = Machine::describe();
    let mut text = format!(
        "# What a request takes of the processor: `cargo xtask load --service-times FILE`.\n\
         # {REQUESTS} of each kind, one at a time, by /proc/PID/task/*/schedstat; dist build,\n\
         # {}, commit {}.\n\
         # kind, share, microseconds (least, p50, p95, p99, p99.5), what it waits for\n",
        machine.cpu, machine.commit
    );
    for kind in kinds.iter().filter(|kind| !kind.yardstick) {
        let times = times(kind, service).await?;
        let waits = match kind.lane {
            Lane::Quick => "nobody",
            Lane::Slow | Lane::Stream => "model",
        };
        // Writing into a string can't fail.
        let _ = writeln!(text, "{},{},{times},{waits}", kind.name, kind.share);
    }
    Ok(text)
}

async fn times(kind: &Kind, service: u32) -> Result<String, Error> {
    let failed = |reason: String| Error::Bench(format!("{}: {reason}", kind.name));
    let mut connection = Connection::open(kind.address)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let (mut request, mut taken) = (Vec::new(), histogram());
    for _ in 0..REQUESTS {
        kind.source.write(&mut request);
        let before = Account::read(service);
        let asked = timeout(ANSWER_LIMIT, connection.stream(&request, || ())).await;
        let answer = asked
            .map_err(|_| failed(format!("no answer in {ANSWER_LIMIT:?}")))?
            .map_err(|failure| failed(failure.to_string()))?;
        // A refusal takes less than an answer, and isn't what is recorded.
        let answered = matches!(answer.status, 200 | 207);
        let after = Account::read(service);
        if let (true, Some(before), Some(after)) = (answered, before, after) {
            let spent = after.since(&before);
            taken.saturating_record(nanoseconds(spent).max(1));
        }
    }
    if taken.len() < (REQUESTS / 2) as u64 {
        return Err(failed(format!(
            "only {} of {REQUESTS} were answered",
            taken.len()
        )));
    }
    let micros = LEVELS.map(|level| {
        let nanos = taken.value_at_quantile(level);
        format!("{:.1}", nanos as f64 / 1e3)
    });
    Ok(micros.join(","))
}

/// Nanoseconds that each thread of a process has run for.
struct Account(HashMap<OsString, u64>);

impl Account {
    fn read(process: u32) -> Option<Self> {
        let mut threads = HashMap::new();
        for task in fs::read_dir(format!("/proc/{process}/task"))
            .ok()?
            .flatten()
        {
            // A thread may be gone meanwhile.
            let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else {
                continue;
            };
            let ran = text.split_ascii_whitespace().next()?.parse().ok()?;
            threads.insert(task.file_name(), ran);
        }
        Some(Self(threads))
    }

    /// What was run since `before`. A thread that ended meanwhile took its account along: a sum
    /// of all threads would be less by all that it ever ran.
    fn since(&self, before: &Self) -> Duration {
        let spent = self.0.iter().map(|(thread, ran)| {
            let ran_before = before.0.get(thread).copied().unwrap_or(0);
            ran.saturating_sub(ran_before)
        });
        Duration::from_nanos(spent.sum())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Command, Stdio};

    use super::*;

    fn account(threads: &[(&str, u64)]) -> Account {
        let threads = threads.iter().map(|(thread, ran)| (thread.into(), *ran));
        Account(threads.collect())
    }

    #[test]
    fn a_thread_that_ended_takes_nothing_off_the_others() {
        let before = account(&[("1", 100), ("2", 5_000)]);
        let after = account(&[("1", 130), ("3", 7)]);
        assert_eq!(after.since(&before), Duration::from_nanos(37));
        assert_eq!(after.since(&after), Duration::ZERO);
    }

    #[test]
    fn work_is_seen_in_the_account() {
        // A process of its own: other tests' threads come and go in this one.
        let mut shell = Command::new("sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut asks = shell.stdin.take().unwrap();
        let mut answers = BufReader::new(shell.stdout.take().unwrap());
        let mut work = |commands: &str| {
            writeln!(asks, "{commands}; echo").unwrap();
            answers.read_line(&mut String::new()).unwrap();
            Account::read(shell.id()).unwrap()
        };
        let before = work("n=0");
        let after = work("while [ $n -lt 10000 ]; do n=$((n + 1)); done");
        assert!(after.since(&before) > Duration::ZERO);
        drop(asks);
        shell.wait().unwrap();
        assert!(Account::read(u32::MAX).is_none());
    }
}
