//! The compose file without containers: its Redis servers and sentinels start with their own
//! commands, and the service finds them with its own environment. Names of services are addresses
//! of their own in 127.0.0.0/8, so that ports stay as they are.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use store::test_util::redis::until;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::deploy::repository;
use crate::support::{KEY, Options, Request, Service, valid};

const PASSWORD: &str = "clave-de-redis-0123456789";
const FOLDER: &str = "deploy/compose";

/// The file, and where its services are.
struct Compose {
    file: Value,
    hosts: BTreeMap<String, String>,
    volumes: TempDir,
}

impl Compose {
    fn read() -> Self {
        let text = std::fs::read_to_string(repository(FOLDER).join("compose.yaml")).unwrap();
        let file: Value = serde_saphyr::from_str(&text).unwrap();
        // Two runs at a time on one machine don't meet.
        let net = std::process::id();
        let net = format!("127.{}.{}", 1 + net / 256 % 254, net % 256);
        let names = file["services"].as_object().unwrap().keys();
        let hosts = names
            .enumerate()
            .map(|(at, name)| (name.clone(), format!("{net}.{}", at + 1)));
        Self {
            hosts: hosts.collect(),
            file,
            volumes: TempDir::new().unwrap(),
        }
    }

    /// A text of the file as the container would see it, names and folders being ours.
    fn resolved(&self, text: &str, data: &Path) -> String {
        let mut text = text.replace("$$", "$");
        while let Some(start) = text.find("${") {
            let end = start + text[start..].find('}').unwrap();
            let name: String = text[start + 2..]
                .chars()
                .take_while(|c| c.is_ascii_uppercase() || *c == '_')
                .collect();
            let value = match name.as_str() {
                "AI_SERVICE_API_KEY" => KEY,
                "REDIS_PASSWORD" => PASSWORD,
                _ => "",
            };
            text.replace_range(start..=end, value);
        }
        for (name, host) in self.hosts.iter().filter(|(name, _)| *name != "ai-service") {
            text = text.replace(name.as_str(), host);
        }
        text.replace("/data", &data.display().to_string()).replace(
            "/etc/sentinel.sh",
            &repository(FOLDER).join("sentinel.sh").display().to_string(),
        )
    }

    /// The environment of a service.
    fn environment(&self, name: &str, data: &Path) -> Vec<(String, String)> {
        let environment = self.file["services"][name]["environment"].as_object();
        let pairs = environment.into_iter().flatten();
        let pairs =
            pairs.map(|(key, value)| (key.clone(), self.resolved(value.as_str().unwrap(), data)));
        pairs.collect()
    }

    /// Starts a server with the command of its service.
    fn start(&self, name: &str) -> Child {
        let service = &self.file["services"][name];
        let data = self.volumes.path().join(name);
        std::fs::create_dir_all(&data).unwrap();
        let words = service["command"].as_array().unwrap().iter();
        let words: Vec<String> = words
            .map(|word| self.resolved(word.as_str().unwrap(), &data))
            .collect();
        let host = &self.hosts[name];
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .envs(self.environment(name, &data))
            .env("SENTINEL_DIR", &data)
            .env("SENTINEL_BIND", host)
            .env("SENTINEL_NAME", host)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        // In a container a server has the network to itself.
        if words[0] == "redis-server" {
            command.args(["--bind", host]);
        }
        command.spawn().unwrap()
    }

    /// Waits until the health check of a service passes.
    async fn healthy(&self, name: &str) {
        let data = self.volumes.path().join(name);
        let host = &self.hosts[name];
        let check = self.file["services"][name]["healthcheck"]["test"][1].as_str();
        let check = self.resolved(check.unwrap(), &data);
        let check = check.replace("redis-cli", &format!("redis-cli -h {host}"));
        until(name, async || {
            let mut shell = Command::new("sh");
            shell
                .args(["-c", &check])
                .envs(self.environment(name, &data))
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            shell.status().await.unwrap().success()
        })
        .await
        .unwrap();
    }
}

/// Where the service says that its Redis is, once it is up.
async fn master(service: &Service) -> Option<String> {
    let health = service.send(Request::get("/health")).await.json();
    let redis = &health["dependencies"]["redis"];
    let is_up = redis["status"] == "up" && redis["type"] == "sentinel";
    is_up.then(|| redis["master"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_composes_redis_starts_and_the_service_follows_its_sentinels() {
    let compose = Compose::read();
    let mut first = compose.start("redis-master");
    compose.healthy("redis-master").await;
    let _replica = compose.start("redis-replica");
    compose.healthy("redis-replica").await;
    let names = ["sentinel-1", "sentinel-2", "sentinel-3"];
    // Each is well only once it knows of another.
    let _sentinels = names.map(|name| compose.start(name));
    for name in names {
        compose.healthy(name).await;
    }
    let state = compose.volumes.path();
    let mut options = Options::default();
    for (name, value) in compose.environment("ai-service", state) {
        // Any port will do: the tests of the whole run side by side.
        if name != "AI_SERVICE_LISTEN" {
            options = options.env(&name, &value);
        }
    }
    let service = options.start().await;
    let at = |name: &str| compose.hosts[name].clone();
    until("the first master", async || {
        master(&service)
            .await
            .is_some_and(|master| master.starts_with(&at("redis-master")))
    })
    .await
    .unwrap();
    assert_eq!(service.send(Request::validate(&valid())).await.status, 200);
    // The master's container dies: the sentinels of this file make the replica the master.
    first.kill().await.unwrap();
    until("the replica as master", async || {
        master(&service)
            .await
            .is_some_and(|master| master.starts_with(&at("redis-replica")))
    })
    .await
    .unwrap();
    assert_eq!(service.send(Request::validate(&valid())).await.status, 200);
}

#[tokio::test]
async fn a_sentinel_that_starts_again_remembers() {
    let folder = TempDir::new().unwrap();
    let conf = folder.path().join("sentinel.conf");
    let learned = "port 0\n# learned\n";
    std::fs::write(&conf, learned).unwrap();
    let script = std::fs::read_to_string(repository(FOLDER).join("sentinel.sh")).unwrap();
    // The script up to the start itself.
    let script = script.replace("exec redis-sentinel", "exec true");
    let run = |dir: String| {
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).env("SENTINEL_DIR", dir);
        shell
            .env("MASTER_HOST", "127.0.0.1")
            .env("REDIS_PASSWORD", PASSWORD);
        async move { shell.status().await.unwrap() }
    };
    let dir = folder.path().display().to_string();
    assert!(run(dir.clone()).await.success());
    assert_eq!(std::fs::read_to_string(&conf).unwrap(), learned);
    std::fs::remove_file(&conf).unwrap();
    assert!(run(dir).await.success());
    let made = std::fs::read_to_string(&conf).unwrap();
    assert!(
        made.contains("sentinel monitor mymaster 127.0.0.1 6379 2\n"),
        "{made}"
    );
    assert!(made.contains(&format!("sentinel auth-pass mymaster {PASSWORD}\n")));
}
