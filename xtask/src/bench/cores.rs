//! Who has which cores. A server that shares its own with the generator gives back a figure of both:
//! apart, a core's worth of requests is what the server takes.

use std::path::Path;
use std::process::Command;
use std::thread;

/// The cores that a process is held to, as `taskset` names them.
pub type Cores = Option<&'static str>;

/// The cores' two halves, where there are two cores or more and nobody wants them shared.
pub fn halves(share: bool) -> (Cores, Cores) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    match (share, cores, Path::new("/usr/bin/taskset").exists()) {
        (false, 2..=3, true) => (Some("0"), Some("1")),
        (false, 4..=7, true) => (Some("0-1"), Some("2-3")),
        (false, 8.., true) => (Some("0-3"), Some("4-7")),
        _ => (None, None),
    }
}

/// Holds this process, and what it starts from now on, to these cores. Where that can't be done
/// the figures are a little worse, and nothing else.
pub fn hold_ourselves(cores: Cores) {
    let Some(cores) = cores else { return };
    let id = std::process::id().to_string();
    let done = Command::new("/usr/bin/taskset")
        .args(["-a", "-c", "-p", cores, &id])
        .output();
    if let Err(error) = done {
        println!("    the generator isn't held to its cores: {error}");
    }
}
