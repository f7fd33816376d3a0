//! The servers of a run: the service in the production profile, the model's stand-in and Redis,
//! on halves of the cores; or a service that somebody else started.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use store::test_util::redis::{self, free_port};
use tempfile::TempDir;

use super::launch::{Args, Scenario};
use super::traffic::Goal;
use crate::bench::cores::{Cores, halves, hold_ourselves};
use crate::bench::server::{API_KEY, Kind, Server};
use crate::error::Error;
use crate::run;

/// How long the model's stand-in takes for its first byte: always the same, so that what the
/// service adds can be told from it.
const MODEL_LATENCY_MS: u64 = 20;

/// What a service under load is told beside its environment. The generator is one address with
/// more connections than one ERP has; the articles are a folder of its own, so that they can be
/// read again. A soak keeps less in memory, which is full before its growth is measured.
fn config(scenario: Scenario, folder: &Path, admin: SocketAddr) -> String {
    let l1_bytes = match scenario {
        Scenario::Soak => 4 * 1024 * 1024,
        _ => 64 * 1024 * 1024,
    };
    format!(
        "[metrics]\npublic = true\n[indicators]\nfetch = false\n\
         [limits]\nmax_connections_per_peer = 4096\n[cache]\nl1_bytes = {l1_bytes}\n\
         [knowledge]\npath = \"{}\"\n[admin]\nlisten = \"{admin}\"\n",
        folder.join("knowledge").display()
    )
}

/// Copies a folder with what is in it.
fn copied(from: &Path, to: &Path, depth: usize) -> Result<(), Error> {
    const DEEPEST: usize = 8;
    let failed = |error| Error::io(format!("copy {}", from.display()))(error);
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() && depth < DEEPEST {
            copied(&source, &target, depth + 1)?;
        } else if source.is_file() {
            fs::copy(&source, &target).map_err(failed)?;
        }
    }
    Ok(())
}

/// What is there to be pressed.
pub struct Stage {
    /// Where, and with which key.
    pub goal: Goal,
    /// The service, where it is ours.
    pub service: Option<Server>,
    /// The model's stand-in, where it is ours.
    pub model: Option<Server>,
    /// Redis, where it is ours.
    pub redis: Option<redis::Server>,
    /// The folder of the release binaries.
    pub bin: PathBuf,
    /// The cores of the service, and of all others.
    pub cores: (Cores, Cores),
    _folder: Option<TempDir>,
}

impl Stage {
    /// Starts everything, or takes the service that is given.
    ///
    /// # Errors
    ///
    /// Where a server doesn't start.
    pub async fn set(args: &Args) -> Result<Self, Error> {
        let program = env::current_exe().map_err(Error::io("find this program's own file"))?;
        let bin = program
            .parent()
            .map_or_else(PathBuf::new, Path::to_path_buf);
        let cores = halves(args.share_cores || args.url.is_some());
        if let Some(service) = args.url {
            let key = args.key.clone().unwrap_or_default();
            return Ok(Self {
                goal: Goal {
                    service,
                    key,
                    model: None,
                    admin: None,
                },
                service: None,
                model: None,
                redis: None,
                bin,
                cores,
                _folder: None,
            });
        }
        hold_ourselves(cores.1);
        let kind = Kind::SlowModel {
            latency_ms: MODEL_LATENCY_MS,
        };
        let model = Server::start_on(&kind, &bin, cores.1).await?;
        let redis = redis::Server::start(&[])
            .await
            .map_err(Error::io("start a redis-server"))?;
        let folder = tempfile::tempdir().map_err(Error::io("make a temporary folder"))?;
        let file = folder.path().join("load.toml");
        let admin = SocketAddr::from((
            [127, 0, 0, 1],
            free_port().map_err(Error::io("find a free port"))?,
        ));
        let text = config(args.scenario, folder.path(), admin);
        fs::write(&file, text).map_err(Error::io("write the configuration"))?;
        let knowledge = folder.path().join("knowledge");
        copied(&run::root().join("knowledge"), &knowledge, 0)?;
        let kind = Kind::Loaded {
            model: model.address,
            redis: Some(redis.port()),
            config: file,
        };
        let service = Server::start_on(&kind, &bin, cores.0).await?;
        Ok(Self {
            goal: Goal {
                service: service.address,
                key: API_KEY.to_owned(),
                model: Some(model.address),
                admin: Some(admin),
            },
            service: Some(service),
            model: Some(model),
            redis: Some(redis),
            bin,
            cores,
            _folder: Some(folder),
        })
    }

    /// A bare HTTP server in the service's place, with bodies of this length.
    ///
    /// # Errors
    ///
    /// Where it doesn't start.
    pub async fn hello(&self, body_bytes: usize) -> Result<Server, Error> {
        Server::start_on(&Kind::Hello { body_bytes }, &self.bin, self.cores.0).await
    }

    /// Bare hyper between the generator and the model's stand-in, on the service's cores.
    ///
    /// # Errors
    ///
    /// Where it doesn't start.
    pub async fn proxy(&self, upstream: SocketAddr) -> Result<Server, Error> {
        Server::start_on(&Kind::Proxy { upstream }, &self.bin, self.cores.0).await
    }

    /// The processes whose share of the processor is told, by name.
    pub fn processes(&self) -> Vec<(&'static str, u32)> {
        let named = [("service", &self.service), ("model", &self.model)];
        let mut all: Vec<_> = named
            .into_iter()
            .filter_map(|(name, server)| Some((name, server.as_ref()?.id())))
            .collect();
        all.push(("generator", std::process::id()));
        all
    }

    /// One line on who has which cores.
    pub fn cores(&self) -> String {
        match self.cores {
            (Some(service), Some(others)) => {
                format!(
                    "the service on core {service}, generator, model and Redis on core {others}"
                )
            }
            _ => "all on the same cores".to_owned(),
        }
    }
}
