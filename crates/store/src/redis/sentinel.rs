//! Who is the master now: all sentinels are asked, in parallel and again and again, and the
//! store's link follows the answer.
//!
//! The client library asks one sentinel, and only when a connection breaks: a frozen sentinel
//! at the head of its list would keep it from ever reaching the next, and a master that was
//! demoted without a broken connection would be kept. Hence this.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fred::types::config::ServerConfig;
use fred::types::{CustomCommand, Value};
use futures_util::future::join_all;

use super::Inner;
use super::client::{Connection, Purpose, Settings, server};
use super::config::{RedisConfigError, RedisHost};
use super::fault::Fault;
use crate::{ErrorKind, Problem};

/// Most replicas and sentinels that are kept in mind.
const MAX_KNOWN: usize = 32;

/// The sentinels, and what they said last.
#[derive(Debug)]
pub(super) struct Sentinels {
    master_name: String,
    connections: Vec<Connection>,
    hosts: Vec<RedisHost>,
    view: Mutex<View>,
}

/// What the sentinels say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) master: Option<RedisHost>,
    pub(super) replicas: Vec<RedisHost>,
    pub(super) sentinels: Vec<RedisHost>,
    /// Whether those that answer know no master of this name.
    pub(super) unknown_master: bool,
    /// Sentinels that answered.
    pub(super) answered: usize,
}

/// One sentinel's word on the master.
#[derive(Debug)]
struct Word {
    master: RedisHost,
    epoch: u64,
}

impl Sentinels {
    pub(super) fn start(
        settings: &Arc<Settings>,
        hosts: &[RedisHost],
        master_name: &str,
    ) -> Result<Self, RedisConfigError> {
        let connect = |host| {
            let server = ServerConfig::Centralized {
                server: server(host),
            };
            Connection::start(settings, server, Purpose::Sentinel)
        };
        Ok(Self {
            master_name: master_name.to_owned(),
            connections: hosts.iter().map(connect).collect::<Result<_, _>>()?,
            hosts: hosts.to_vec(),
            view: Mutex::new(View::default()),
        })
    }

    /// What they said last.
    pub(super) fn view(&self) -> View {
        self.cell().clone()
    }

    fn cell(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks all of them, each for `patience` at most.
    async fn look(&self, patience: Duration) -> View {
        let asked = self
            .connections
            .iter()
            .map(|sentinel| ask(sentinel, "MASTER", &self.master_name, patience));
        let answers = join_all(asked).await;
        let mut view = View {
            sentinels: self.hosts.clone(),
            ..View::default()
        };
        let mut words: Vec<(usize, Word)> = Vec::new();
        let mut unknown = 0;
        for (index, answer) in answers.into_iter().enumerate() {
            match answer.map(|answer| word(fields(answer))) {
                Ok(Some(word)) => words.push((index, word)),
                // It answered, and not that it may not be asked: it doesn't know the name.
                Err(fault) if fault.kind == ErrorKind::Engine => unknown += 1,
                Ok(None) | Err(_) => {}
            }
        }
        view.answered = words.len() + unknown;
        view.unknown_master = words.is_empty() && unknown > 0;
        // The newest configuration wins: a sentinel that was cut off still tells the old one.
        if let Some((index, word)) = words.into_iter().max_by_key(|(_, word)| word.epoch) {
            view.master = Some(word.master);
            self.others(index, &mut view, patience).await;
        }
        view
    }

    /// Completes the view with what the best informed sentinel says of the others.
    async fn others(&self, index: usize, view: &mut View, patience: Duration) {
        let Some(sentinel) = self.connections.get(index) else {
            return;
        };
        if let Ok(answer) = ask(sentinel, "REPLICAS", &self.master_name, patience).await {
            view.replicas = hosts(answer, |flags| {
                !["s_down", "o_down", "disconnected"]
                    .iter()
                    .any(|bad| flags.contains(bad))
            });
        }
        if let Ok(answer) = ask(sentinel, "SENTINELS", &self.master_name, patience).await {
            let known: BTreeSet<String> = view.sentinels.iter().map(RedisHost::to_string).collect();
            let more = hosts(answer, |_| true);
            view.sentinels.extend(
                more.into_iter()
                    .filter(|host| !known.contains(&host.to_string())),
            );
            view.sentinels.truncate(MAX_KNOWN);
        }
    }
}

/// Follows the sentinels until the store is gone.
pub(super) async fn follow(store: Weak<Inner>, sentinels: Arc<Sentinels>) {
    loop {
        let pause = {
            let Some(store) = store.upgrade() else {
                return;
            };
            let config = &store.settings.config;
            let view = sentinels.look(config.connect_timeout).await;
            let master_answers = adopt(&store, &view).await;
            *sentinels.cell() = view;
            if master_answers {
                config.sentinel_interval
            } else {
                config.sentinel_interval / 4
            }
        };
        tokio::time::sleep(pause.max(Duration::from_millis(10))).await;
    }
}

/// Points the store's links where the view says. Says whether the master answers.
async fn adopt(store: &Inner, view: &View) -> bool {
    if view.unknown_master {
        store.settings.note(Problem::UnknownMaster);
    }
    let Some(master) = &view.master else {
        return false;
    };
    if store.master().as_ref() != Some(master) {
        match store.new_link(master, true) {
            Ok(link) => {
                if let Some(old) = store.master() {
                    tracing::warn!(from = %old, to = %master, "redis has a new master");
                }
                store.replace_link(Arc::new(link), Some(master.clone()));
            }
            Err(_) => return false,
        }
    }
    if !store.settings.config.replica_read_prefixes.is_empty() {
        store.follow_replicas(&view.replicas);
    }
    is_master(store).await
}

/// Whether the link's server says itself that it is the master.
async fn is_master(store: &Inner) -> bool {
    let role = CustomCommand::new_static("ROLE", 0, false);
    let Ok(link) = store.link() else {
        return false;
    };
    let patience = store.settings.config.connect_timeout;
    match link.call(role, Vec::new(), patience).await {
        Ok(Value::Array(role)) => {
            let is = role.first().and_then(Value::as_bytes) == Some(b"master");
            if !is {
                store.settings.note(Problem::ReadOnly);
            }
            is
        }
        _ => false,
    }
}

async fn ask(
    sentinel: &Connection,
    question: &'static str,
    master: &str,
    patience: Duration,
) -> Result<Value, Fault> {
    let command = CustomCommand::new_static("SENTINEL", 0, false);
    let args = vec![Value::from(question), Value::from(master)];
    sentinel.call(command, args, patience).await
}

/// The names and values of a flat reply.
fn fields(answer: Value) -> Vec<(String, String)> {
    let mut texts = answer.into_array().into_iter().map(Value::into_string);
    let mut fields = Vec::new();
    while let (Some(Some(name)), Some(Some(value))) = (texts.next(), texts.next()) {
        fields.push((name, value));
    }
    fields
}

fn word(fields: Vec<(String, String)>) -> Option<Word> {
    let epoch = field(&fields, "config-epoch")?.parse().ok()?;
    Some(Word {
        master: host(&fields)?,
        epoch,
    })
}

fn host(fields: &[(String, String)]) -> Option<RedisHost> {
    let port = field(fields, "port")?.parse().ok()?;
    let host = field(fields, "ip")?;
    (port != 0 && !host.is_empty()).then(|| RedisHost::new(host, port))
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(field, _)| field == name)
        .map(|(_, value)| value.as_str())
}

/// The hosts of a list of flat replies, whose flags are good.
fn hosts(answer: Value, good: impl Fn(&str) -> bool) -> Vec<RedisHost> {
    answer
        .into_array()
        .into_iter()
        .map(fields)
        .filter(|fields| field(fields, "flags").is_none_or(&good))
        .filter_map(|fields| host(&fields))
        .take(MAX_KNOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(texts: &[&str]) -> Value {
        Value::Array(texts.iter().map(|&text| Value::from(text)).collect())
    }

    #[test]
    fn replies_of_sentinels_are_read() {
        let answer = flat(&[
            "name",
            "m",
            "ip",
            "10.0.0.1",
            "port",
            "6379",
            "flags",
            "master",
            "config-epoch",
            "7",
        ]);
        let word = word(fields(answer)).unwrap();
        assert_eq!(
            (word.master.to_string().as_str(), word.epoch),
            ("10.0.0.1:6379", 7)
        );
        let list = Value::Array(vec![
            flat(&["ip", "10.0.0.2", "port", "1", "flags", "slave"]),
            flat(&["ip", "10.0.0.3", "port", "2", "flags", "slave,s_down"]),
            flat(&["ip", "10.0.0.4", "port", "x"]),
            Value::Null,
        ]);
        let found = hosts(list, |flags| !flags.contains("s_down"));
        assert_eq!(found, [RedisHost::new("10.0.0.2", 1)]);
        assert!(super::word(fields(flat(&["ip", "10.0.0.1"]))).is_none());
        assert!(super::word(fields(Value::Integer(3))).is_none());
    }
}
