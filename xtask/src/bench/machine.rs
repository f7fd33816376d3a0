//! The machine that the figures come from.

use std::fs;
use std::process::Command;
use std::thread;

use serde::Serialize;

use crate::run;

/// What a reader needs to judge the figures.
#[derive(Serialize)]
pub struct Machine {
    /// The processor's own name.
    pub cpu: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The kernel's release.
    pub kernel: String,
    /// Load average of the last minute before the run: others at work spoil the figures.
    pub load_average: f64,
    /// The commit that was measured, with `-dirty` where files differ from it.
    pub commit: String,
    /// When the run began, in UTC.
    pub began: String,
}

impl Machine {
    /// Reads what the system says; an unknown figure is 0 or "unknown".
    pub fn describe() -> Self {
        Self {
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            cores: thread::available_parallelism().map_or(0, usize::from),
            memory_mib: field("/proc/meminfo", "MemTotal")
                .and_then(|value| kibibytes(&value))
                .map_or(0, |kib| kib / 1024),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| unknown(), |release| release.trim().to_owned()),
            load_average: load_average().unwrap_or(0.0),
            commit: commit().unwrap_or_else(unknown),
            began: jiff::Timestamp::now().to_string(),
        }
    }
}

/// The value of the first `name : value` line of a file under `/proc`.
pub fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    value_of(&text, name)
}

fn value_of(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The number in a value such as `1234 kB`.
pub fn kibibytes(value: &str) -> Option<u64> {
    value.strip_suffix("kB")?.trim().parse().ok()
}

fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg")
        .ok()?
        .split(' ')
        .next()?
        .parse()
        .ok()
}

fn commit() -> Option<String> {
    let arguments = [
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
        "--exclude=*",
    ];
    let git = Command::new("git")
        .args(arguments)
        .current_dir(run::root())
        .output();
    let output = git.ok()?;
    let commit = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!commit.is_empty()).then_some(commit)
}

fn unknown() -> String {
    "unknown".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_sizes_are_read_as_proc_writes_them() {
        let status = "Name:\tai-service\nVmHWM:\t   20480 kB\nVmRSS:\t   18000 kB\n";
        let peak = value_of(status, "VmHWM").unwrap();
        assert_eq!(kibibytes(&peak), Some(20480));
        assert_eq!(value_of(status, "Vm"), None);
        assert_eq!(kibibytes("12 MB"), None);
    }
}
