//! The project's own commands: `cargo xtask lint`, `cargo xtask test`, `cargo xtask bench`,
//! `cargo xtask load` and `soak`, and the evaluations `dte-eval`, `match-eval`, `payroll-eval`, `kb-eval`.
//!
//! A light program without asynchronous code: what measures (`bench`, the evaluations) sits behind
//! a feature of its own and is built in release by the command that needs it.
#![expect(
    clippy::print_stdout,
    reason = "a command-line program talks to its user"
)]

/// What is measured allocates as the service does, and so do the yardsticks beside it.
#[cfg(feature = "bench")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod audit;
mod autoscale;
#[cfg(feature = "bench")]
mod bench;
mod deploy_rules;
#[cfg(feature = "dte-eval")]
mod dte_eval;
mod error;
mod eval_launch;
mod install;
mod interop;
mod kb_eval;
mod launch;
mod lint;
mod load;
mod match_eval;
#[cfg(feature = "payroll-eval")]
mod payroll_eval;
mod payroll_launch;
mod random;
mod rules;
mod run;
mod sbom;
mod streams;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Formatting, clippy, documentation and the dependency policy; stops at the first failure
    Lint,
    /// Install what the tests need, then run every test of the workspace
    Test(test::Args),
    /// Measure the service against a bare HTTP server and print the targets with pass or fail
    Bench(launch::Args),
    /// Hold a thousand streams of answers through the real binary: gaps, memory, ends
    Streams(streams::Args),
    /// Press the service with what ERPs send, and hold it against objectives
    Load(load::launch::Args),
    /// Press it for long, with faults: memory, tasks and connections must stay flat
    Soak(load::launch::SoakArgs),
    /// Simulate the autoscaler over recorded service times, for several thresholds
    Autoscale(autoscale::Args),
    /// The measuring half of `load` and `soak`, in the release build that they make
    #[cfg(feature = "load")]
    #[command(hide = true)]
    LoadMeasure(load::launch::Args),
    /// Hold the model's client against a LiteLLM proxy, and write docs/interop.md
    Interop,
    /// Write docs/dte-rules.md and docs/payroll-rules.md, the catalogues of the rules, from the code
    Rules(rules::Args),
    /// Licences, sources and known weaknesses of all dependencies, by cargo-deny
    Audit(audit::Args),
    /// Write what the shipped binary is made of, as CycloneDX
    Sbom(sbom::Args),
    /// Write docs/metrics.md, the catalogue of the metrics, from the code
    Metrics(rules::Args),
    /// Write Prometheus' rules once more for Kubernetes (deploy/kubernetes/monitoring)
    DeployRules,
    /// The measuring half of `bench`, in the release build that `bench` makes
    #[cfg(feature = "bench")]
    #[command(hide = true)]
    BenchMeasure(launch::Args),
    /// The yardstick of `bench`: an HTTP server that does nothing
    #[cfg(feature = "bench")]
    #[command(hide = true)]
    BenchHello(bench::hello::Args),
    /// The yardstick of `load`: an HTTP server that only asks another
    #[cfg(feature = "load")]
    #[command(hide = true)]
    BenchProxy(bench::proxy::Args),
    /// Holds streams of a model through the client's whole stack, for `bench`
    #[cfg(feature = "bench")]
    #[command(hide = true)]
    BenchStreams(bench::llm::streams::Args),
    /// Keeps answers in memory, for `bench`
    #[cfg(feature = "bench")]
    #[command(hide = true)]
    BenchKept,
    /// Judge a folder of tax documents and mutants of them: recall, false alarms, speed
    DteEval(eval_launch::Args),
    /// The measuring half of `dte-eval`, in the release build that `dte-eval` makes
    #[cfg(feature = "dte-eval")]
    #[command(hide = true)]
    DteEvalMeasure(eval_launch::Args),
    /// Match synthetic invoices with orders: precision, recall, calibration, speed
    MatchEval(match_eval::launch::Args),
    /// The measuring half of `match-eval`, in the release build that `match-eval` makes
    #[cfg(feature = "match-eval")]
    #[command(hide = true)]
    MatchEvalMeasure(match_eval::launch::Args),
    /// Judge a folder of payslips, golden cases, pages of indicators and tax tables
    PayrollEval(payroll_launch::Args),
    /// The measuring half of `payroll-eval`, in the release build that `payroll-eval` makes
    #[cfg(feature = "payroll-eval")]
    #[command(hide = true)]
    PayrollEvalMeasure(payroll_launch::Args),
    /// Rank a set of judged questions: recall beside two baselines, latency, memory
    KbEval(kb_eval::Args),
    /// The measuring half of `kb-eval`, in the release build that `kb-eval` makes
    #[cfg(feature = "kb-eval")]
    #[command(hide = true)]
    KbEvalMeasure(kb_eval::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Lint => lint::run(),
        Command::Test(args) => test::run(&args),
        Command::Bench(args) => launch::run(&args),
        Command::Streams(args) => streams::run(&args),
        Command::Autoscale(args) => autoscale::run(&args),
        Command::Load(args) => load::launch::run(&args),
        Command::Soak(args) => load::launch::soak(&args),
        #[cfg(feature = "load")]
        Command::LoadMeasure(args) => load::measure(&args),
        Command::Interop => interop::run(),
        Command::Rules(args) => rules::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Sbom(args) => sbom::run(&args),
        Command::Metrics(args) => rules::metrics(&args),
        Command::DeployRules => deploy_rules::run(),
        #[cfg(feature = "bench")]
        Command::BenchMeasure(args) => bench::measure(&args),
        #[cfg(feature = "bench")]
        Command::BenchHello(args) => bench::hello::run(&args),
        #[cfg(feature = "load")]
        Command::BenchProxy(args) => bench::proxy::run(&args),
        #[cfg(feature = "bench")]
        Command::BenchStreams(args) => bench::llm::streams::run(&args),
        #[cfg(feature = "bench")]
        Command::BenchKept => bench::cache::kept::run(),
        Command::DteEval(args) => eval_launch::run(&args),
        #[cfg(feature = "dte-eval")]
        Command::DteEvalMeasure(args) => dte_eval::measure(&args),
        Command::MatchEval(args) => match_eval::launch::run(&args),
        #[cfg(feature = "match-eval")]
        Command::MatchEvalMeasure(args) => match_eval::measure(&args),
        Command::PayrollEval(args) => payroll_launch::run(&args),
        #[cfg(feature = "payroll-eval")]
        Command::PayrollEvalMeasure(args) => payroll_eval::measure(&args),
        Command::KbEval(args) => kb_eval::run(&args),
        #[cfg(feature = "kb-eval")]
        Command::KbEvalMeasure(args) => kb_eval::measure(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("xtask: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
