//! Who is the master now: all sentinels are asked, in parallel and again and again, and the
//! store's link follows the answer.
//!
//! The client library asks one sentinel, and only when a connection breaks: a frozen sentinel
//! at the head of its list would keep it from ever reaching the next, and a master that was
//! demoted without a broken connection would be kept. Hence this.
//!
//! Nothing here waits for a frozen host for longer than a moment: a sentinel that is silent
//! while another answers is left out of the look, and the old master is asked for no longer
//! than the pause between two looks.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fred::types::config::ServerConfig;
use fred::types::{CustomCommand, Value};
use futures_util::future::join;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::Inner;
use super::client::{Connection, Purpose, Settings, server};
use super::config::{RedisConfigError, RedisHost};
use super::fault::Fault;
use crate::{ErrorKind, Problem};

/// Most replicas and sentinels that are kept in mind.
const MAX_KNOWN: usize = 32;
/// How much later than the first one the other sentinels may answer a question, or else they
/// are left out until the next look.
const GRACE: Duration = Duration::from_millis(100);

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
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// Asks all of them who the master is, each for `patience` at most, and keeps the answer in
    /// the view. Returns the best informed one's place and word, where one has a word that is to
    /// be believed.
    async fn look(&self, believed: Option<&Word>, patience: Duration) -> Option<(usize, Word)> {
        let mut asked: FuturesUnordered<_> = self
            .connections
            .iter()
            .enumerate()
            .map(async |(index, sentinel)| {
                (index, asks(sentinel, &self.master_name, patience).await)
            })
            .collect();
        let mut words: Vec<(usize, Word)> = Vec::new();
        let mut unknown = 0;
        let mut end = Instant::now() + patience * 2;
        while let Ok(Some((index, answer))) = timeout_at(end, asked.next()).await {
            match answer {
                Ok(Some(word)) => {
                    words.push((index, word));
                    end = end.min(Instant::now() + GRACE);
                }
                // It answered, and not that it may not be asked: it doesn't know the name.
                Err(fault) if fault.kind == ErrorKind::Engine => unknown += 1,
                Ok(None) | Err(_) => {}
            }
        }
        let mut view = self.cell();
        let is_known = !words.is_empty();
        view.answered = words.len() + unknown;
        view.unknown_master = !is_known && unknown > 0;
        if view.sentinels.is_empty() {
            view.sentinels.clone_from(&self.hosts);
        }
        let best = best(words, believed, self.connections.len());
        let told = best.as_ref().map(|(_, word)| word);
        view.master = told
            .or(believed.filter(|_| is_known))
            .map(|word| word.master.clone());
        best
    }

    /// Completes the view with what the best informed sentinel says of the others.
    async fn others(&self, index: usize, master: &RedisHost, patience: Duration) {
        let Some(sentinel) = self.connections.get(index) else {
            return;
        };
        let name = &self.master_name;
        let (replicas, sentinels) = join(
            ask(sentinel, "REPLICAS", name, patience),
            ask(sentinel, "SENTINELS", name, patience),
        )
        .await;
        let mut view = self.cell();
        // During a failover the new master is still told among the replicas.
        if let Ok(answer) = replicas {
            view.replicas = hosts(answer, is_in_reach);
        }
        view.replicas.retain(|host| host != master);
        if let Ok(answer) = sentinels {
            let known: BTreeSet<String> = self.hosts.iter().map(RedisHost::to_string).collect();
            let more = hosts(answer, |_| true).into_iter();
            let more = more.filter(|host| !known.contains(&host.to_string()));
            view.sentinels = self.hosts.iter().cloned().chain(more).collect();
            view.sentinels.truncate(MAX_KNOWN);
        }
    }
}

/// The word to believe: the one of the newest configuration, for a sentinel that was cut off
/// still tells the old one. That is also why what is older than what was believed before is no
/// news, unless most of the `all` sentinels say so: they may have been set up anew.
fn best(words: Vec<(usize, Word)>, believed: Option<&Word>, all: usize) -> Option<(usize, Word)> {
    let most_answered = words.len() > all / 2;
    let (index, word) = words.into_iter().max_by_key(|(_, word)| word.epoch)?;
    let is_old = believed.is_some_and(|believed| word.epoch < believed.epoch);
    (most_answered || !is_old).then_some((index, word))
}

/// Follows the sentinels until the store is gone.
pub(super) async fn follow(store: Weak<Inner>, sentinels: Arc<Sentinels>) {
    let mut believed: Option<Word> = None;
    let mut did_answer = false;
    loop {
        let pause = {
            let Some(store) = store.upgrade() else {
                return;
            };
            let config = &store.settings.config;
            let quick = (config.sentinel_interval / 4).max(Duration::from_millis(10));
            let found = sentinels
                .look(believed.as_ref(), config.connect_timeout)
                .await;
            if sentinels.view().unknown_master {
                store.settings.note(Problem::UnknownMaster);
            }
            let mut is_new = false;
            let mut best = None;
            if let Some((index, word)) = found {
                is_new = adopt(&store, &word.master, quick).await;
                best = Some((index, word.master.clone()));
                believed = Some(word);
            }
            let others = async {
                if let Some((index, master)) = best {
                    sentinels.others(index, &master, quick).await;
                }
            };
            // No longer than until the next look, which may find another master.
            let ((), answers) = join(others, is_master(&store, quick)).await;
            if !store.settings.config.replica_read_prefixes.is_empty() {
                store.follow_replicas(&sentinels.view().replicas);
            }
            if answers && (is_new || !did_answer) {
                store.reached.notify_one();
            }
            did_answer = answers;
            if answers {
                config.sentinel_interval
            } else {
                quick
            }
        };
        tokio::time::sleep(pause.max(Duration::from_millis(10))).await;
    }
}

/// Points the store's link to the master, unless it goes there already, and waits a moment for
/// the new one to be up. The old one and its connections are dropped in whatever state they
/// are. Says whether the link is a new one.
async fn adopt(store: &Inner, master: &RedisHost, moment: Duration) -> bool {
    let old = store.master();
    if old.as_ref() == Some(master) {
        return false;
    }
    // The same settings have made links before.
    let Ok(link) = store.new_link(master, true) else {
        return false;
    };
    if let Some(old) = old {
        tracing::warn!(from = %old, to = %master, "redis has a new master");
    }
    let link = Arc::new(link);
    store.replace_link(Arc::clone(&link), Some(master.clone()));
    // One that isn't up by then is found up by a later look.
    let _is_up = timeout(moment, link.up()).await.is_ok();
    true
}

/// Whether the link's server says itself that it is the master.
async fn is_master(store: &Inner, patience: Duration) -> bool {
    let role = CustomCommand::new_static("ROLE", 0, false);
    let Ok(link) = store.link() else {
        return false;
    };
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

/// One sentinel's word.
///
/// `SENTINEL MASTER` tells the configuration's epoch, and the old address for as long as the
/// sentinel that leads the failover waits for the other replicas: seconds, under the new epoch
/// already. The address to connect to is that of `GET-MASTER-ADDR-BY-NAME`.
async fn asks(
    sentinel: &Connection,
    name: &str,
    patience: Duration,
) -> Result<Option<Word>, Fault> {
    // In this order: an address can be newer than the epoch, and never older.
    let told = ask(sentinel, "MASTER", name, patience).await?;
    let address = ask(sentinel, "GET-MASTER-ADDR-BY-NAME", name, patience).await?;
    Ok(word(&fields(told), address))
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

fn word(told: &[(String, String)], address: Value) -> Option<Word> {
    let epoch = field(told, "config-epoch")?.parse().ok()?;
    let mut address = address.into_array().into_iter().map(Value::into_string);
    let host = address.next()??;
    let port = address.next()??.parse().ok()?;
    let is_some = port != 0 && !host.is_empty();
    is_some.then(|| Word {
        master: RedisHost::new(host, port),
        epoch,
    })
}

/// Whether a sentinel has nothing against a host with these flags.
fn is_in_reach(flags: &str) -> bool {
    !["s_down", "o_down", "disconnected"]
        .iter()
        .any(|bad| flags.contains(bad))
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

    /// What the leader of a failover says while the other replicas are not in step yet.
    #[test]
    fn the_address_is_the_one_to_connect_to() {
        let told = flat(&[
            "name",
            "m",
            "ip",
            "10.0.0.1",
            "port",
            "6379",
            "flags",
            "master,failover_in_progress",
            "config-epoch",
            "7",
        ]);
        let told = fields(told);
        let found = word(&told, flat(&["10.0.0.2", "6380"])).unwrap();
        assert_eq!(
            (found.master.to_string().as_str(), found.epoch),
            ("10.0.0.2:6380", 7)
        );
        for address in [
            Value::Null,
            Value::Integer(3),
            flat(&["10.0.0.1"]),
            flat(&["", "6379"]),
            flat(&["10.0.0.1", "0"]),
            flat(&["10.0.0.1", "70000"]),
        ] {
            assert_eq!(word(&told, address.clone()), None, "{address:?}");
        }
        let without_epoch = fields(flat(&["ip", "10.0.0.1"]));
        assert_eq!(word(&without_epoch, flat(&["10.0.0.2", "6380"])), None);
        assert_eq!(word(&fields(Value::Integer(3)), Value::Null), None);
    }

    #[test]
    fn the_newest_configuration_is_believed() {
        let word = |host: &str, epoch| Word {
            master: RedisHost::new(host, 1),
            epoch,
        };
        let told = |words: &[(&str, u64)], believed: Option<u64>| {
            let words = words.iter().map(|(host, epoch)| word(host, *epoch));
            let believed = believed.map(|epoch| word("before", epoch));
            let best = best(words.enumerate().collect(), believed.as_ref(), 3);
            best.map(|(index, word)| (index, word.master.host))
        };
        let is = |index: usize, host: &str| Some((index, host.to_owned()));
        assert_eq!(told(&[], None), None);
        assert_eq!(told(&[("old", 4), ("new", 5)], None), is(1, "new"));
        assert_eq!(told(&[("new", 5), ("old", 4)], Some(4)), is(0, "new"));
        // One that was cut off, and the only one that answers now.
        assert_eq!(told(&[("old", 4)], Some(5)), None);
        assert_eq!(told(&[("same", 5)], Some(5)), is(0, "same"));
        // Most of them were set up anew.
        assert_eq!(told(&[("x", 0), ("x", 0)], Some(5)), is(1, "x"));
    }

    #[test]
    fn hosts_that_cannot_be_reached_are_left_out() {
        let list = Value::Array(vec![
            flat(&["ip", "10.0.0.2", "port", "1", "flags", "slave"]),
            flat(&["ip", "10.0.0.3", "port", "2", "flags", "slave,s_down"]),
            flat(&["ip", "10.0.0.4", "port", "x"]),
            Value::Null,
        ]);
        assert_eq!(hosts(list, is_in_reach), [RedisHost::new("10.0.0.2", 1)]);
    }
}
