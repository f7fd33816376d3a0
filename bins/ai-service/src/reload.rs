//! Keys and certificates, read again while the service serves: on SIGHUP, on an operator's word,
//! or when a file changes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use http_api::{Controls, Keyring, Reload, ReloadError, Reloaded, Tls};
use tokio::signal::unix::Signal;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::Source;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What reads it.
pub(crate) struct Reloader {
    source: Arc<Source>,
    controls: Controls,
    tls: Option<Tls>,
    /// A key was made up at the start: it goes on, as nobody could know another.
    made_up: bool,
    /// The files that it all came from, the last time. One reload at a time.
    watched: Mutex<Vec<PathBuf>>,
}

/// Reads it whenever there is a reason to, for as long as it is held.
pub(crate) struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What of the files tells whether they have changed.
type Stamp = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

impl Reloader {
    /// Changes keys by `controls` and certificates of `tls`, from `source`, which was read from
    /// the files `watched`.
    pub(crate) fn new(
        source: Source,
        controls: Controls,
        tls: Option<Tls>,
        made_up: bool,
        watched: Vec<PathBuf>,
    ) -> Arc<Self> {
        Arc::new(Self {
            source: Arc::new(source),
            controls,
            tls,
            made_up,
            watched: Mutex::new(watched),
        })
    }

    /// Reloads on each `hangup` and whenever a file has changed.
    pub(crate) fn watch(self: &Arc<Self>, mut hangup: Signal) -> Watch {
        let reloader = Arc::clone(self);
        Watch(tokio::spawn(async move {
            let mut looks = interval(LOOK_EVERY);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last = reloader.stamp().await;
            loop {
                let told = tokio::select! {
                    signal = hangup.recv() => signal.is_some(),
                    _ = looks.tick() => false,
                };
                let now = reloader.stamp().await;
                if told || now != last {
                    // What is wrong was logged, and stays as it was until somebody mends it.
                    let _ = reloader.reload().await;
                    // Not a look from after it: a file may have changed meanwhile.
                    last = now;
                }
            }
        }))
    }

    async fn stamp(&self) -> Stamp {
        let files = self.watched.lock().await.clone();
        let look = move || {
            let look = |path: PathBuf| {
                let stamp = std::fs::metadata(&path).ok();
                let stamp = stamp.and_then(|data| Some((data.modified().ok()?, data.len())));
                (path, stamp)
            };
            files.into_iter().map(look).collect()
        };
        tokio::task::spawn_blocking(look).await.unwrap_or_default()
    }

    /// Reads everything, then changes everything or nothing.
    async fn read(&self) -> Result<Reloaded, String> {
        let mut watched = self.watched.lock().await;
        let (source, tls) = (Arc::clone(&self.source), self.tls.clone());
        let read = move || {
            let settings = source.load().map_err(|error| crate::chain(&error))?;
            let ring = Keyring::new(&settings.keys).map_err(|error| crate::chain(&error))?;
            if let Some(tls) = &tls {
                tls.reload().map_err(|error| crate::chain(&error))?;
            }
            Ok::<_, String>((settings, ring))
        };
        let read = tokio::task::spawn_blocking(read).await;
        let (settings, ring) = read.map_err(|error| error.to_string())??;
        let keys = ring.len();
        if !(self.made_up && settings.made_up_key.is_some()) {
            self.controls.replace_keys(ring);
        }
        *watched = settings.watched;
        Ok(Reloaded {
            keys,
            certificate: self.tls.is_some(),
        })
    }
}

#[async_trait]
impl Reload for Reloader {
    async fn reload(&self) -> Result<Reloaded, ReloadError> {
        match self.read().await {
            Ok(reloaded) => {
                let Reloaded { keys, certificate } = reloaded;
                tracing::info!(keys, certificate, "keys and certificate reloaded");
                Ok(reloaded)
            }
            Err(problem) => {
                tracing::error!(problem, "keys and certificate not reloaded");
                Err(ReloadError(problem))
            }
        }
    }
}
