//! What `deploy/` makes of the service, without containers: shipped configurations are taken, the
//! binary works for a user with no rights in folders that it may not write to, and ends in time.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use mock_anthropic::{Config, Fault, MockServer};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::support::{KEY, Options, Request, Service, valid};

/// The user of the image.
const NOBODY: u32 = 65_532;

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// The exit code, and what was told on both streams.
async fn outcome(mut command: Command) -> (Option<i32>, String) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = command.output().await.unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn the_shipped_configurations_are_taken() {
    for (file, listens) in [
        (
            "deploy/kubernetes/base/config.toml",
            "listen = 0.0.0.0:8002",
        ),
        ("deploy/systemd/config.toml", "listen = 127.0.0.1:8002"),
    ] {
        // As in the cluster or the unit: the file has no key, the environment has.
        let options = Options::default()
            .env("AI_SERVICE_LISTEN", "")
            .env("REDIS_PASSWORD", "clave-de-redis");
        let mut command = options.command();
        command
            .arg("check-config")
            .arg("--config")
            .arg(repository(file));
        let (code, text) = outcome(command).await;
        assert_eq!(code, Some(0), "{file}: {text}");
        assert!(text.contains(listens), "{file}: {text}");
        assert!(
            !text.contains(KEY) && !text.contains("clave-de-redis"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn health_says_whether_the_service_lives() {
    let mut service = Service::start().await;
    let addr = service.addr.to_string();
    let asks = || Options::default().env("AI_SERVICE_LISTEN", &addr);
    let health = |options: Options| async move {
        let mut command = options.command();
        command.arg("health");
        outcome(command).await
    };
    assert_eq!(health(asks()).await, (Some(0), String::new()));
    service.signal("TERM").await;
    service.ended().await;
    let (code, text) = health(asks()).await;
    assert_eq!(code, Some(1));
    assert!(text.starts_with("ai-service: not healthy: "), "{text}");
    // A configuration that makes no sense is another trouble.
    let nonsense = asks().env("LOG_LEVEL", "loud");
    assert_eq!(health(nonsense).await.0, Some(64));
}

/// The service as the image and the unit run it: a user without rights, without capabilities, in a
/// root folder that isn't its own, with one folder to write to.
struct Caged {
    home: TempDir,
    options: Options,
}

impl Caged {
    /// `None` where the tests don't run as root, who alone can become somebody else.
    async fn new(mock: &MockServer) -> Option<Self> {
        let id = Command::new("id").arg("-u").output().await.unwrap();
        let setpriv = Command::new("setpriv").arg("--version").output().await;
        if id.stdout != b"0\n" || setpriv.is_err() {
            println!("skipped: only root can become a user without rights, and with setpriv");
            return None;
        }
        let home = TempDir::new().unwrap();
        std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
        // The build's own folders may be root's alone.
        let built = Options::default().command();
        let program = home.path().join("ai-service");
        std::fs::copy(built.as_std().get_program(), &program).unwrap();
        let state = home.path().join("state");
        std::fs::create_dir(&state).unwrap();
        chown(&state, Some(NOBODY), Some(NOBODY)).unwrap();
        let config = format!(
            "[store]\npath = \"{}\"\n[limits]\nmodel_timeout_ms = 3000\n[drain]\ngrace_ms = 500\ndeadline_ms = 10000\n",
            state.join("ai-service.redb").display()
        );
        std::fs::write(home.path().join("config.toml"), config).unwrap();
        let options = Options::default()
            .env("ANTHROPIC_API_KEY", "sk-ant-prueba")
            .env("ANTHROPIC_BASE_URL", &mock.base_url());
        Some(Self { home, options })
    }

    fn command(&self) -> Command {
        let home = self.home.path();
        let plain = self.options.command();
        let mut command = Command::new("setpriv");
        let id = NOBODY.to_string();
        command
            .args([
                "--reuid",
                &id,
                "--regid",
                &id,
                "--clear-groups",
                "--no-new-privs",
            ])
            .args(["--inh-caps=-all", "--bounding-set=-all"])
            .arg(home.join("ai-service"))
            .args(["serve", "--config"])
            .arg(home.join("config.toml"))
            .current_dir(home)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in plain.as_std().get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.home.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn a_user_without_rights_runs_it_and_a_stop_ends_within_the_time_that_is_given() {
    let mock = MockServer::start(Config::default()).await.unwrap();
    let Some(cage) = Caged::new(&mock).await else {
        return;
    };
    let mut service = Options::watch(cage.command().spawn().unwrap()).await;
    assert_eq!(service.send(Request::get("/ready")).await.status, 200);
    // The model hangs: the request is surely in flight when the stop comes.
    mock.inject(Fault::Hang, 1);
    let addr = service.addr;
    let in_flight = tokio::spawn(async move { Request::validate(&valid()).try_send(addr).await });
    mock.wait_for(Duration::from_secs(20), |stats| stats.in_flight == 1)
        .await
        .unwrap();
    let begun = Instant::now();
    service.signal("TERM").await;
    assert_eq!(in_flight.await.unwrap().unwrap().status, 200);
    assert_eq!(service.ended().await.code(), Some(0));
    // 10.5 s of draining and 5 s for the last writes, as the manifests reckon it.
    assert!(
        begun.elapsed() < Duration::from_secs(16),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(cage.files(), ["ai-service", "config.toml", "state"]);
    let mut kept = Vec::new();
    let store = cage.home.path().join("state/ai-service.redb");
    let mut file = tokio::fs::File::open(store).await.unwrap();
    file.read_to_end(&mut kept).await.unwrap();
    assert!(!kept.is_empty());
}
