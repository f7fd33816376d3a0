//! The real binary as a child process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use mock_anthropic::MockServer;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::{Reply, Request};

/// The key of every service that a test starts.
pub const KEY: &str = "clave-de-prueba-0123456789abcdef";

/// Far longer than anything that is waited for takes.
const LIMIT: Duration = Duration::from_secs(60);

/// How a service is to be started.
#[derive(Clone)]
pub struct Options {
    dir: Arc<TempDir>,
    config: String,
    env: Vec<(String, String)>,
}

/// A service that has started; it is killed when dropped.
pub struct Service {
    pub addr: SocketAddr,
    child: Child,
    logs: watch::Receiver<Vec<Value>>,
}

impl Default for Options {
    fn default() -> Self {
        let env = vec![
            ("AI_SERVICE_LISTEN".into(), "127.0.0.1:0".into()),
            ("AI_SERVICE_API_KEY".into(), KEY.into()),
            // A debug build beside other tests is late all the time.
            ("AI_SERVICE_OVERLOAD_DELAY_MS".into(), "0".into()),
        ];
        Self {
            dir: Arc::new(home()),
            config: String::new(),
            env,
        }
    }
}

/// A folder in memory, where there is one: beside a build that writes gigabytes a disk's commit
/// takes seconds, and the service says so with 503.
fn home() -> TempDir {
    TempDir::new_in("/dev/shm").unwrap_or_else(|_| TempDir::new().unwrap())
}

impl Options {
    /// The same with this in its configuration file.
    pub fn config(mut self, toml: &str) -> Self {
        self.config.push_str(toml);
        self
    }

    /// The same with an environment variable; an empty one counts as unset.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with this stand-in for the model, and little patience.
    pub fn model(self, mock: &MockServer, timeout_ms: u64) -> Self {
        self.env("ANTHROPIC_API_KEY", "sk-ant-prueba")
            .env("ANTHROPIC_BASE_URL", &mock.base_url())
            .config(&format!("[limits]\nmodel_timeout_ms = {timeout_ms}\n"))
    }

    /// The folder that it runs in.
    pub fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// The command that starts it, with nothing of the tests' own environment.
    pub fn command(&self) -> Command {
        let built = env!("CARGO_BIN_EXE_ai-service").into();
        // A release build may be measured by the same tests.
        let program = std::env::var_os("AI_SERVICE_BINARY").unwrap_or(built);
        let mut command = Command::new(program);
        command
            .current_dir(self.dir.path())
            .env_clear()
            .envs(self.env.iter().cloned());
        if !self.config.is_empty() {
            let path = self.dir.path().join("ai-service.toml");
            std::fs::write(&path, &self.config).unwrap();
            command.arg("--config").arg(path);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }

    /// Starts it and waits until it listens.
    pub async fn start(&self) -> Service {
        Self::watch(self.command().spawn().unwrap()).await
    }

    /// A process that was started otherwise, once it listens.
    pub async fn watch(mut child: Child) -> Service {
        let stderr = child.stderr.take().unwrap();
        let (sender, logs) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                sender.send_modify(|all| all.push(value));
            }
        });
        let mut service = Service {
            addr: ([127, 0, 0, 1], 0).into(),
            child,
            logs,
        };
        let listening = service.log(|line| line["message"] == "listening").await;
        service.addr = listening["addr"].as_str().unwrap().parse().unwrap();
        service
    }
}

impl Service {
    /// Starts one with nothing special.
    pub async fn start() -> Self {
        Options::default().start().await
    }

    /// Where the operator's listener is.
    pub async fn admin(&self) -> SocketAddr {
        let message = "listening for the operator";
        let line = self.log(|line| line["message"] == message).await;
        line["addr"].as_str().unwrap().parse().unwrap()
    }

    /// Sends a request that must be answered.
    pub async fn send(&self, request: Request) -> Reply {
        request.try_send(self.addr).await.unwrap()
    }

    /// The first log line that fits, now or soon.
    pub async fn log(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let mut logs = self.logs.clone();
        let found = logs.wait_for(|lines| lines.iter().any(&fits));
        let lines = tokio::time::timeout(LIMIT, found)
            .await
            .expect("no such log line in time");
        let lines = lines.expect("the service ended");
        lines.iter().find(|line| fits(line)).unwrap().clone()
    }

    /// All log lines so far, as text.
    pub fn log_text(&self) -> String {
        self.logs
            .borrow()
            .iter()
            .map(|line| format!("{line}\n"))
            .collect()
    }

    /// The first log line that fits and comes after the first `seen` ones.
    pub async fn log_after(&self, seen: usize, fits: impl Fn(&Value) -> bool) -> Value {
        let mut logs = self.logs.clone();
        let found = logs.wait_for(|lines| lines.iter().skip(seen).any(&fits));
        let lines = tokio::time::timeout(LIMIT, found)
            .await
            .expect("no such log line in time");
        let lines = lines.expect("the service ended");
        lines
            .iter()
            .skip(seen)
            .find(|line| fits(line))
            .unwrap()
            .clone()
    }

    /// How many log lines there are so far.
    pub fn log_lines(&self) -> usize {
        self.logs.borrow().len()
    }

    /// Sends the process a signal by its name, such as `TERM`.
    pub async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("the service runs");
        let status = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {pid}"))
            .status();
        assert!(status.await.unwrap().success());
    }

    /// Waits for the process's end.
    pub async fn ended(&mut self) -> ExitStatus {
        tokio::time::timeout(LIMIT, self.child.wait())
            .await
            .expect("it doesn't end")
            .unwrap()
    }

    /// A figure of the process in KiB, such as `VmRSS`.
    pub async fn memory_kib(&self, name: &str) -> u64 {
        let pid = self.child.id().expect("the service runs");
        let mut text = String::new();
        let path = format!("/proc/{pid}/status");
        tokio::fs::File::open(path)
            .await
            .unwrap()
            .read_to_string(&mut text)
            .await
            .unwrap();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}
