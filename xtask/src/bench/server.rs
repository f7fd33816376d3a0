//! The servers that are measured: processes of their own on free ports of loopback, each with
//! a new folder for its data and log, and nothing of our environment.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Serialize;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::client::Connection;
use super::cores::Cores;
use super::machine;
use super::targets::get;
use crate::error::Error;

/// The service's key in all runs.
pub const API_KEY: &str = "bench-key-0123456789abcdef0123456789abcdef";

/// How long a server may take until it's ready.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// How often readiness is asked for: the precision of the start-up time.
const POLL: Duration = Duration::from_millis(1);
/// How much of a log is shown when its server doesn't start.
const LOG_TAIL: usize = 2_000;

/// Which server, and how it's set up.
pub enum Kind {
    /// Bare hyper, with bodies of this length.
    Hello {
        /// The length of the body.
        body_bytes: usize,
    },
    /// The service as it is with nothing configured: no model, embedded store.
    Plain,
    /// The service with a model at this address.
    WithModel {
        /// Where the model's stand-in listens.
        model: SocketAddr,
    },
    /// The model's stand-in.
    Model,
    /// The same, as slow as a model.
    PacedModel {
        /// How fast it streams.
        tokens_per_second: u32,
        /// How long its answers are.
        answer_tokens: u32,
    },
    /// The same, that waits so long before each answer.
    #[cfg(feature = "load")]
    SlowModel {
        /// Milliseconds until the first byte.
        latency_ms: u64,
    },
    /// Bare hyper between its caller and this address.
    #[cfg(feature = "load")]
    Proxy {
        /// Who is asked.
        upstream: SocketAddr,
    },
    /// The service under load: a model, a Redis, and a file of configuration.
    #[cfg(feature = "load")]
    Loaded {
        /// Where the model's stand-in listens.
        model: SocketAddr,
        /// The port of Redis, where there is one.
        redis: Option<u16>,
        /// The file of configuration.
        config: PathBuf,
    },
}

/// A running server; ended when dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// From just before its process was made until its first 200 on the readiness path.
    pub ready_after: Duration,
    child: Child,
    folder: TempDir,
}

/// Memory of a process, in MiB.
#[derive(Serialize, Clone, Copy)]
pub struct Memory {
    /// Resident now.
    pub resident_mib: f64,
    /// The most that was ever resident.
    pub peak_mib: f64,
}

impl Server {
    /// Starts a server from the folder of binaries `bin` and waits until it's ready.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] when there is no such program, [`Error::Bench`] with the end of its log
    /// when it ends or isn't ready in time.
    pub async fn start(kind: &Kind, bin: &Path) -> Result<Self, Error> {
        Self::start_on(kind, bin, None).await
    }

    /// As [`Self::start`], on these cores.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub async fn start_on(kind: &Kind, bin: &Path, cores: Cores) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(Error::io("make a temporary folder"))?;
        let address = free_address()
            .await
            .map_err(Error::io("find a free port"))?;
        let mut command = kind.command(bin, address, cores);
        let log = File::create(log_of(&folder)).map_err(Error::io("make a log file"))?;
        let out = log.try_clone().map_err(Error::io("share a log file"))?;
        command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(log);
        let began = Instant::now();
        let child = command
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| Error::Start {
                what: kind.name().to_owned(),
                source,
            })?;
        let mut server = Self {
            address,
            ready_after: Duration::ZERO,
            child,
            folder,
        };
        match timeout(START_DEADLINE, server.ready(kind.ready_path())).await {
            Ok(Ok(())) => {
                server.ready_after = began.elapsed();
                Ok(server)
            }
            Ok(Err(reason)) => Err(server.complaint(kind, &reason)),
            Err(_) => Err(server.complaint(kind, &format!("not ready after {START_DEADLINE:?}"))),
        }
    }

    async fn ready(&mut self, path: &str) -> Result<(), String> {
        let request = get(path);
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("it ended: {status}"));
            }
            if let Ok(mut connection) = Connection::open(self.address).await
                && connection
                    .exchange(&request)
                    .await
                    .is_ok_and(|answer| answer.status == 200)
            {
                return Ok(());
            }
            sleep(POLL).await;
        }
    }

    fn complaint(&self, kind: &Kind, reason: &str) -> Error {
        let log = fs::read_to_string(log_of(&self.folder)).unwrap_or_default();
        let from = log.len().saturating_sub(LOG_TAIL);
        let tail = log.get(log.ceil_char_boundary(from)..).unwrap_or_default();
        Error::Bench(format!("{} doesn't serve: {reason}\n{tail}", kind.name()))
    }

    /// The process's number; 0 once it has ended.
    #[cfg(feature = "load")]
    pub fn id(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// Where its log is written to.
    #[cfg(feature = "load")]
    pub fn log(&self) -> PathBuf {
        log_of(&self.folder)
    }

    /// What the process takes of the machine's memory.
    ///
    /// # Errors
    ///
    /// [`Error::Bench`] when the system doesn't say.
    pub fn memory(&self) -> Result<Memory, Error> {
        let status = format!("/proc/{}/status", self.child.id().unwrap_or(0));
        let mebibytes = |name| {
            let kib = machine::kibibytes(&machine::field(&status, name)?)?;
            Some(kib as f64 / 1024.0)
        };
        mebibytes("VmRSS")
            .zip(mebibytes("VmHWM"))
            .map(|(resident_mib, peak_mib)| Memory {
                resident_mib,
                peak_mib,
            })
            .ok_or_else(|| Error::Bench(format!("no memory figures in {status}")))
    }

    /// Ends the process and waits for its end.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when it can't be ended.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.child.kill().await.map_err(Error::io("end a server"))
    }
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "bench-hello",
            Self::Plain | Self::WithModel { .. } => "ai-service",
            Self::Model | Self::PacedModel { .. } => "mock-anthropic",
            #[cfg(feature = "load")]
            Self::SlowModel { .. } => "mock-anthropic",
            #[cfg(feature = "load")]
            Self::Proxy { .. } => "bench-proxy",
            #[cfg(feature = "load")]
            Self::Loaded { .. } => "ai-service",
        }
    }

    fn ready_path(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "/",
            Self::Plain | Self::WithModel { .. } => "/ready",
            Self::Model | Self::PacedModel { .. } => "/mock/stats",
            #[cfg(feature = "load")]
            Self::SlowModel { .. } | Self::Proxy { .. } => "/mock/stats",
            #[cfg(feature = "load")]
            Self::Loaded { .. } => "/ready",
        }
    }

    fn command(&self, bin: &Path, address: SocketAddr, cores: Cores) -> Command {
        let listen = address.to_string();
        let program = match self {
            Self::Hello { .. } => "xtask",
            #[cfg(feature = "load")]
            Self::Proxy { .. } => "xtask",
            other => other.name(),
        };
        let program = bin.join(program);
        let mut command = match cores {
            Some(cores) => {
                let mut held = Command::new("/usr/bin/taskset");
                held.args(["-c", cores]).arg(program);
                held
            }
            None => Command::new(program),
        };
        // Nothing of the caller's: a real ANTHROPIC_API_KEY must not be spent on a benchmark.
        command.env_clear();
        match self {
            Self::Hello { body_bytes } => {
                let body = body_bytes.to_string();
                command.args(["bench-hello", "--listen", &listen, "--body-bytes", &body]);
            }
            Self::Model => {
                // A minute's 4,000 requests are soon gone, and the service heeds that.
                command.args(["--listen", &listen, "--no-rate-limit-headers"]);
            }
            Self::PacedModel {
                tokens_per_second,
                answer_tokens,
            } => {
                command
                    .args(["--listen", &listen])
                    .args(["--tokens-per-second", &tokens_per_second.to_string()])
                    .args(["--answer-tokens", &answer_tokens.to_string()]);
            }
            #[cfg(feature = "load")]
            Self::SlowModel { latency_ms } => {
                command
                    .args(["--listen", &listen, "--no-rate-limit-headers"])
                    .args(["--latency-ms", &latency_ms.to_string()]);
            }
            #[cfg(feature = "load")]
            Self::Proxy { upstream } => {
                let upstream = upstream.to_string();
                command.args(["bench-proxy", "--listen", &listen, "--upstream", &upstream]);
            }
            #[cfg(feature = "load")]
            Self::Loaded {
                model,
                redis,
                config,
            } => {
                command
                    .arg("--config")
                    .arg(config)
                    .env("AI_SERVICE_LISTEN", listen)
                    .env("AI_SERVICE_API_KEY", API_KEY)
                    .env("ANTHROPIC_BASE_URL", format!("http://{model}"))
                    .env("ANTHROPIC_API_KEY", "not-a-real-key");
                if let Some(port) = redis {
                    command.env("REDIS_URL", format!("redis://127.0.0.1:{port}/0"));
                }
            }
            Self::Plain => {
                command
                    .env("AI_SERVICE_LISTEN", listen)
                    .env("AI_SERVICE_API_KEY", API_KEY);
            }
            Self::WithModel { model } => {
                command
                    .env("AI_SERVICE_LISTEN", listen)
                    .env("AI_SERVICE_API_KEY", API_KEY);
                command.env("ANTHROPIC_BASE_URL", format!("http://{model}"));
                command.env("ANTHROPIC_API_KEY", "not-a-real-key");
            }
        }
        command
    }
}

fn log_of(folder: &TempDir) -> PathBuf {
    folder.path().join("log")
}

async fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await?
        .local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn nothing_of_the_callers_environment_reaches_the_service() {
        let model = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let command = Kind::WithModel { model }.command(Path::new("/bin"), model, None);
        let set: Vec<_> = command
            .as_std()
            .get_envs()
            .filter_map(|(name, _)| name.to_str())
            .collect();
        let wanted = [
            "AI_SERVICE_API_KEY",
            "AI_SERVICE_LISTEN",
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_BASE_URL",
        ];
        assert_eq!(set, wanted);
        assert_eq!(command.as_std().get_program(), "/bin/ai-service");
        let plain = Kind::Plain.command(Path::new("/bin"), model, None);
        assert_eq!(plain.as_std().get_envs().count(), 2);
    }

    #[tokio::test]
    async fn a_server_that_ends_is_reported_with_its_log() {
        let bin = tempfile::tempdir().unwrap();
        let program = bin.path().join("ai-service");
        fs::write(&program, "#!/bin/sh\necho no port for me >&2\nexit 64\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let Err(error) = Server::start(&Kind::Plain, bin.path()).await else {
            panic!()
        };
        let message = error.to_string();
        assert!(
            message.contains("no port for me") && message.contains("64"),
            "{message}"
        );
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = Server::start(&Kind::Model, Path::new("/nonexistent"))
            .await
            .err()
            .unwrap();
        assert!(error.to_string().contains("mock-anthropic"), "{error}");
    }
}
