//! The systemd unit: it starts what is installed, with the time that draining takes, in a cage.

use std::process::Command;

use toml::Table;

use super::files::{read, root};
use super::kubernetes::drains_within;

const UNIT: &str = "deploy/systemd/ai-service.service";
const CONFIG: &str = "deploy/systemd/config.toml";

/// The last value of a setting.
fn setting(unit: &str, name: &str) -> String {
    let mut lines = unit
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    lines
        .next_back()
        .unwrap_or_else(|| panic!("no {name}"))
        .to_owned()
}

#[test]
fn the_unit_gives_the_service_the_time_that_draining_takes() {
    let config: Table = read(CONFIG).parse().expect("systemd/config.toml");
    let seconds: i64 = setting(&read(UNIT), "TimeoutStopSec")
        .parse()
        .expect("seconds");
    assert!(seconds * 1_000 > drains_within(&config), "{seconds} s");
}

#[test]
fn configuration_and_state_are_where_the_unit_says() {
    let unit = read(UNIT);
    let config: Table = read(CONFIG).parse().expect("systemd/config.toml");
    let state = format!("/var/lib/{}/", setting(&unit, "StateDirectory"));
    let store = config["store"]["path"].as_str().unwrap_or_default();
    assert!(store.starts_with(&state), "{store}");
    assert_eq!(format!("{}/", setting(&unit, "WorkingDirectory")), state);
    let user = setting(&unit, "User");
    assert!(read("deploy/systemd/ai-service.sysusers.conf").contains(&format!("u {user} ")));
    let files = read("deploy/systemd/ai-service.tmpfiles.conf");
    for path in ["/etc/ai-service/config.toml", "/etc/ai-service/env"] {
        assert!(unit.contains(path) && files.contains(path), "{path}");
    }
}

#[test]
fn systemd_takes_the_unit_and_finds_its_cage_tight() {
    let version = Command::new("systemd-analyze").arg("--version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        println!("skipped: there is no systemd-analyze here");
        return;
    }
    // The program that the unit starts isn't installed here: any other takes its place.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ai-service.service");
    let unit = read(UNIT).replace("/usr/local/bin/ai-service", "/bin/true");
    std::fs::write(&path, unit).expect("the unit's copy");
    let verify = analyze(&["verify", "--man=no", &path.display().to_string()]);
    assert_eq!(verify, (true, String::new()), "systemd-analyze verify");
    let whole = root().join(UNIT).display().to_string();
    let (tight, told) = analyze(&["security", "--offline=yes", "--threshold=15", &whole]);
    assert!(tight, "{told}");
}

fn analyze(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("systemd-analyze")
        .args(arguments)
        .output()
        .expect("systemd-analyze");
    let told = if arguments.first() == Some(&"verify") {
        output.stderr
    } else {
        output.stdout
    };
    (
        output.status.success(),
        String::from_utf8_lossy(&told).trim().to_owned(),
    )
}
