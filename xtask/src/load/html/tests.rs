//! The report in a real browser, where one is installed, and what it may not hold.

use std::process::Command;
use std::time::Duration;

use super::*;
use crate::bench::client::Kept;
use crate::bench::machine::Machine;
use crate::load::faults::Event;
use crate::load::figures::{HitRate, hit_rate};
use crate::load::launch::Scenario;
use crate::load::record::{Outcome, Recorder};
use crate::load::traffic::{Goal, kinds};
use crate::load::watch::Sample;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const PLOTS: [&str; 7] = [
    "Latency over time",
    "Latency histogram",
    "Throughput",
    "Errors",
    "Cache",
    "Memory of the service",
    "Open descriptors",
];

fn figures() -> Figures {
    let goal = Goal {
        service: ([127, 0, 0, 1], 1).into(),
        key: String::new(),
        model: None,
        admin: None,
    };
    let kinds = kinds(Scenario::Mixed, &goal);
    let recorder = Recorder::new(kinds.len(), 1, Duration::from_secs(1));
    for (at, kind) in (0..6_000_u64).zip((0..kinds.len()).cycle()) {
        let whole = Duration::from_micros(200 + (at * 7_919) % 30_000);
        let outcome = match at % 101 {
            0 => Outcome::Shed { whole, told: true },
            _ => Outcome::Accepted {
                first: whole,
                whole,
                kept: if kind == 1 { Kept::Hit } else { Kept::Miss },
            },
        };
        recorder.count(kind, 0, Duration::from_millis(at * 5), outcome);
    }
    let routes = RouteFigures::all(&kinds, &recorder);
    let (implied, answers) = hit_rate(&routes);
    let sample = |at: u32| Sample {
        at: f64::from(at),
        rss_mib: 40.0 + f64::from(at) / 10.0,
        descriptors: 100.0,
        threads: 8.0,
        tasks: Some(20.0),
    };
    Figures {
        scenario: "mixed",
        machine: Machine::describe(),
        cores: "all on the same cores".to_owned(),
        rate: 200.0,
        seconds: 30.0,
        routes,
        lag_p50_ms: 0.1,
        lag_p99_ms: 0.3,
        unsent: 0,
        hit_rate: HitRate {
            implied,
            answers,
            service: Some(answers),
            log: None,
        },
        processor: BTreeMap::from([("service", 10.0), ("generator", 3.0)]),
        samples: (0..30).map(sample).collect(),
        trends: Vec::new(),
        events: vec![Event {
            at: 10.0,
            what: "redis restarted",
            outcome: "done".to_owned(),
        }],
        steps: Vec::new(),
        capacities: Vec::new(),
        overload: None,
        prometheus: Vec::new(),
        window: 1.0,
    }
}

fn verdict() -> Verdict {
    Verdict {
        what: "health p99 ≤ 10 ms".to_owned(),
        is: "<3> & more".to_owned(),
        met: false,
    }
}

#[test]
fn what_the_stand_in_refuses_is_no_error_of_the_service() {
    let mut figures = figures();
    let all = figures.errors();
    let route = figures.routes.first_mut().unwrap();
    let (its_own, _) = (route.shed, std::mem::replace(&mut route.yardstick, true));
    assert!(its_own > 0);
    assert_eq!(figures.errors(), all - its_own);
}

#[test]
fn the_page_holds_everything_and_asks_nobody() {
    let page = page(&figures(), &[verdict()]);
    for outside in ["http://", "https://", "<script", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("&lt;3&gt; &amp; more") && page.contains("class=\"missed\""));
    assert!(page.contains("prefers-color-scheme: dark"));
    for plot in PLOTS {
        assert!(page.contains(&format!("<figcaption>{plot}")), "{plot}");
    }
}

#[test]
fn a_real_browser_draws_every_plot_without_complaint() {
    let found = BROWSERS
        .into_iter()
        .find(|browser| crate::run::succeeds(browser, &["--version"]));
    let Some(browser) = found else {
        println!("skipped: no chromium is installed");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, page(&figures(), &[verdict()])).unwrap();
    let picture = folder.path().join("report.png");
    let output = Command::new("timeout")
        .args([
            "120",
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
        ])
        .args([
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            "--dump-dom",
        ])
        .args(["--window-size=1000,3000", "--force-dark-mode"])
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        ))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", file.display()))
        .env("HOME", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("CONSOLE"), "{said}");
    let dom = String::from_utf8_lossy(&output.stdout);
    assert_eq!(dom.matches("<svg").count(), PLOTS.len());
    assert!(
        dom.matches("<path").count() >= 12 + 5,
        "{}",
        dom.matches("<path").count()
    );
    assert!(dom.matches("<rect").count() > 10);
    assert!(std::fs::metadata(&picture).is_ok_and(|data| data.len() > 20_000));
}
