//! `cargo xtask load` and `cargo xtask soak`, their first half: what they take, and
//! what asks for the builds. This half is all that the light `cargo xtask` has.

use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use crate::error::Error;
use crate::launch::built;
use crate::run;

/// The shape of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// What ERPs send: hits, rules, misses, payslips, orders, the chat, probes
    Mixed,
    /// The same in bursts, each larger than the one before
    Burst,
    /// Streams of the chat
    Streams,
    /// Mixed, while Redis is frozen, then killed, then back
    Failover,
    /// Mixed for long, with faults
    Soak,
    /// Steps to saturation, twice that, and back
    Saturation,
}

impl Scenario {
    #[cfg(feature = "load")]
    /// Its name on the command line and in a file of objectives.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Burst => "burst",
            Self::Streams => "streams",
            Self::Failover => "failover",
            Self::Soak => "soak",
            Self::Saturation => "saturation",
        }
    }
}

/// What goes wrong in a soak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Trouble {
    /// Redis is restarted every minute
    Redis,
    /// The same; the model fails for a while, the monitor runs, the knowledge is read again
    #[default]
    All,
}

/// What `cargo xtask load` takes.
#[derive(clap::Args, Clone)]
pub struct Args {
    /// The shape of the load
    #[arg(long, value_enum, default_value = "mixed")]
    pub scenario: Scenario,
    /// Requests a second, without the yardsticks; by default 60 % of what the steps find
    #[arg(long, value_parser = rate)]
    pub rate: Option<f64>,
    /// How long: 30s, 5m
    #[arg(long, default_value = "30s", value_parser = span)]
    pub duration: Duration,
    /// Press this service instead of one of its own
    #[arg(long, value_name = "URL", value_parser = address)]
    pub url: Option<SocketAddr>,
    /// The key for that service
    #[arg(
        long,
        env = "AI_SERVICE_API_KEY",
        hide_env_values = true,
        requires = "url"
    )]
    pub key: Option<String>,
    /// Let the URL be another machine than this one
    #[arg(long, requires = "url")]
    pub allow_remote: bool,
    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Record the service times that `cargo xtask autoscale` draws from into this file, before
    /// the load
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub service_times: Option<PathBuf>,
    /// Write the report, one HTML page with its plots, to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Fail when these objectives are missed
    #[arg(long, value_name = "FILE")]
    pub objectives: Option<PathBuf>,
    /// Let a real Prometheus scrape during the load, and compare its answers with ours
    #[arg(long, conflicts_with = "url")]
    pub prometheus: bool,
    /// What goes wrong in a soak
    #[arg(long, value_enum, default_value = "all")]
    pub trouble: Trouble,
    /// The seed of arrivals and choices
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Let service and generator share all cores, instead of a half each
    #[arg(long)]
    pub share_cores: bool,
}

/// What `cargo xtask soak` takes.
#[derive(clap::Args)]
pub struct SoakArgs {
    /// How long
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
    /// Requests a second
    #[arg(long, default_value = "200", value_parser = rate)]
    rate: f64,
    /// What goes wrong meanwhile
    #[arg(long, value_enum, default_value = "all")]
    trouble: Trouble,
    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Builds, and runs the measuring half with our own arguments.
///
/// # Errors
///
/// The failing build, or the measuring program's failure.
pub fn run(args: &Args) -> Result<(), Error> {
    if let Some(address) = args.url
        && !address.ip().is_loopback()
        && !args.allow_remote
    {
        return Err(Error::Missing {
            what: format!("leave to press {address}"),
            hint: "it isn't this machine: --allow-remote says that it is yours to press".to_owned(),
        });
    }
    let mut program = built("xtask/load")?;
    program.arg("load-measure").args(env::args_os().skip(2));
    run::step("load", &mut program)
}

/// The same for a soak, which is a load of its own shape.
///
/// # Errors
///
/// As [`run()`].
pub fn soak(args: &SoakArgs) -> Result<(), Error> {
    let mut program = built("xtask/load")?;
    let trouble = args.trouble.to_possible_value();
    program
        .args(["load-measure", "--scenario", "soak"])
        .args(["--duration", &format!("{}m", args.minutes)])
        .args(["--rate", &args.rate.to_string()])
        .args([
            "--trouble",
            trouble.as_ref().map_or("all", |value| value.get_name()),
        ]);
    for (name, file) in [("--json", &args.json), ("--report", &args.report)] {
        if let Some(file) = file {
            program.arg(name).arg(file);
        }
    }
    run::step("soak", &mut program)
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    let fits = (0.1..=1e6).contains(&rate);
    fits.then_some(rate)
        .ok_or_else(|| "must be between 0.1 and 1000000".to_owned())
}

fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "write it as 90s or 5m".to_owned();
    let (number, unit) = match (text.strip_suffix('s'), text.strip_suffix('m')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 60),
        (None, None) => return Err(wrong()),
    };
    let seconds = number
        .parse::<u64>()
        .map_err(|_| wrong())?
        .saturating_mul(unit);
    match seconds {
        1..=86_400 => Ok(Duration::from_secs(seconds)),
        _ => Err("must be between a second and a day".to_owned()),
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let rest = text.strip_prefix("http://").unwrap_or(text);
    let rest = rest.trim_end_matches('/');
    rest.parse()
        .map_err(|_| "write it as http://ADDRESS:PORT, with the address in numbers".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_rates_and_addresses_are_read_or_refused() {
        assert_eq!(span("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(span("90s"), Ok(Duration::from_secs(90)));
        for wrong in [
            "",
            "5",
            "s",
            "0s",
            "-1s",
            "99999999m",
            "18446744073709551615m",
        ] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
        assert_eq!(rate("200"), Ok(200.0));
        for wrong in ["0", "-1", "nan", "inf", "x"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
        let here = SocketAddr::from(([127, 0, 0, 1], 8002));
        assert_eq!(address("http://127.0.0.1:8002/"), Ok(here));
        assert!(address("https://127.0.0.1:8002").is_err());
        assert!(address("http://example.org").is_err());
    }
}
