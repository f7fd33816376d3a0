//! What the kernel and the runtime tell of the process, read when somebody asks.

use std::fs;

use tokio::runtime::Handle;

use crate::text::single;

/// The kernel's clock ticks a second, as it shows them to programs: 100 on every platform of
/// ours (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Appends the process's figures; those that can't be read are left out. It reads `/proc`:
/// call it off the runtime's worker threads.
pub(crate) fn process(out: &mut String) {
    let figures = Figures::read();
    for (name, value) in [
        ("process_cpu_seconds_total", figures.cpu),
        ("process_resident_memory_bytes", figures.resident),
        ("process_virtual_memory_bytes", figures.virtual_memory),
        ("process_virtual_memory_max_bytes", figures.max_virtual),
        ("process_open_fds", figures.open_fds),
        ("process_max_fds", figures.max_fds),
        ("process_threads", figures.threads),
        ("process_start_time_seconds", figures.started),
    ] {
        if let Some(value) = value {
            single(out, name, value);
        }
    }
}

#[derive(Debug, Default)]
struct Figures {
    cpu: Option<f64>,
    resident: Option<f64>,
    virtual_memory: Option<f64>,
    max_virtual: Option<f64>,
    open_fds: Option<f64>,
    max_fds: Option<f64>,
    threads: Option<f64>,
    started: Option<f64>,
}

impl Figures {
    fn read() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (stat, status) = (read("/proc/self/stat"), read("/proc/self/status"));
        let limits = read("/proc/self/limits");
        let (cpu, start_ticks) = times(&stat);
        let boot = number(&read("/proc/stat"), "btime ");
        let kib = |name| number(&status, name).map(|kib| kib * 1024.0);
        let fds = fs::read_dir("/proc/self/fd").ok();
        Self {
            cpu,
            resident: kib("VmRSS:"),
            virtual_memory: kib("VmSize:"),
            max_virtual: limit(&limits, "Max address space"),
            // Reading the list has one open itself.
            open_fds: fds.map(|fds| fds.count().saturating_sub(1) as f64),
            max_fds: limit(&limits, "Max open files"),
            threads: number(&status, "Threads:"),
            started: boot
                .zip(start_ticks)
                .map(|(boot, ticks)| boot + ticks / TICKS),
        }
    }
}

/// Processor seconds, and the ticks from boot to start. The name before them may hold anything.
fn times(stat: &str) -> (Option<f64>, Option<f64>) {
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field = |number: usize| -> Option<f64> {
        // The first field here is the third one of the line.
        let text = after_name.split_ascii_whitespace().nth(number - 3)?;
        text.parse().ok()
    };
    let cpu = field(14).zip(field(15));
    (cpu.map(|(user, system)| (user + system) / TICKS), field(22))
}

/// The number after `name` at the beginning of a line.
fn number(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// The soft limit of that name; an unlimited one is +Inf.
fn limit(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    match rest.split_ascii_whitespace().next()? {
        "unlimited" => Some(f64::INFINITY),
        soft => soft.parse().ok(),
    }
}

/// Appends the runtime's figures, where this thread has to do with one.
pub(crate) fn runtime(out: &mut String) {
    let Ok(handle) = Handle::try_current() else {
        return;
    };
    let metrics = handle.metrics();
    let workers = metrics.num_workers();
    let busy: f64 = (0..workers)
        .map(|worker| metrics.worker_total_busy_duration(worker).as_secs_f64())
        .sum();
    let parks: u64 = (0..workers)
        .map(|worker| metrics.worker_park_count(worker))
        .sum();
    for (name, value) in [
        ("tokio_workers", workers as f64),
        ("tokio_alive_tasks", metrics.num_alive_tasks() as f64),
        (
            "tokio_global_queue_depth",
            metrics.global_queue_depth() as f64,
        ),
        ("tokio_worker_busy_seconds_total", busy),
        ("tokio_worker_parks_total", parks as f64),
    ] {
        single(out, name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_moves_no_field() {
        let fields: Vec<String> = (4..=22).map(|field| (field * 10).to_string()).collect();
        let stat = format!("7 (a) b (c)) S {}", fields.join(" "));
        assert_eq!(times(&stat), (Some(2.9), Some(220.0)));
        assert_eq!(times(""), (None, None));
        assert_eq!(times("7 (a) S 1"), (None, None));
    }

    #[test]
    fn limits_and_numbers_by_their_names() {
        let text = "Limit  Soft  Hard  Units\nMax open files   1024   524288   files\n\
                    Max address space   unlimited   unlimited   bytes\n";
        assert_eq!(limit(text, "Max open files"), Some(1024.0));
        assert_eq!(limit(text, "Max address space"), Some(f64::INFINITY));
        assert_eq!(limit(text, "Max pigs"), None);
        assert_eq!(number("cpu 1\nbtime 1700000000\n", "btime "), Some(1.7e9));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_all_of_them() {
        let mut out = String::new();
        process(&mut out);
        assert_eq!(out.matches("# TYPE").count(), 8, "{out}");
        let figures = Figures::read();
        assert!(figures.resident.unwrap() > 1e6 && figures.open_fds.unwrap() >= 3.0);
        assert!(figures.started.unwrap() > 1.6e9);
    }

    #[tokio::test]
    async fn the_runtime_tells_of_its_tasks() {
        let task = tokio::spawn(std::future::pending::<()>());
        let mut out = String::new();
        runtime(&mut out);
        assert!(out.contains("\ntokio_alive_tasks 1\n"), "{out}");
        assert!(out.contains("\ntokio_workers 1\n"), "{out}");
        task.abort();
    }
}
