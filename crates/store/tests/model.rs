//! Any sequence of operations does to the store what it does to a plain map.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use proptest::prelude::*;
use store::{
    EmbeddedConfig, EmbeddedStore, ErrorKind, Lease, ManualClock, Store, StoreError, TimeLeft,
};

#[derive(Debug, Clone)]
enum Step {
    Get,
    Set(u8, Option<u16>),
    SetIfAbsent(u8, Option<u16>),
    Delete,
    TimeLeft,
    Expire(u16),
    Increment(i64, Option<u16>),
    SetInsert(u8, Option<u16>),
    SetRemove(u8),
    SetMembers,
    Acquire(u8, u16),
    Release(u8),
    Advance(u16),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    let life = || 1_u16..400;
    let maybe = || proptest::option::of(1_u16..400);
    prop_oneof![
        Just(Step::Get),
        (any::<u8>(), maybe()).prop_map(|(value, life)| Step::Set(value, life)),
        (any::<u8>(), maybe()).prop_map(|(value, life)| Step::SetIfAbsent(value, life)),
        Just(Step::Delete),
        Just(Step::TimeLeft),
        life().prop_map(Step::Expire),
        (prop_oneof![-3..3_i64, any::<i64>()], maybe())
            .prop_map(|(by, life)| Step::Increment(by, life)),
        (0..3_u8, maybe()).prop_map(|(member, life)| Step::SetInsert(member, life)),
        (0..3_u8).prop_map(Step::SetRemove),
        Just(Step::SetMembers),
        (0..2_u8, life()).prop_map(|(owner, life)| Step::Acquire(owner, life)),
        (0..2_u8).prop_map(Step::Release),
        (1_u16..300).prop_map(Step::Advance),
        Just(Step::Sweep),
    ]
}

#[derive(Debug, Clone)]
enum Thing {
    Value(u8),
    Counter(i64),
    Set(BTreeSet<u8>),
    Lease(u8, u64),
}

/// What the store should be: a map of things with their ends, and the time in milliseconds.
#[derive(Debug, Default)]
struct Model {
    things: BTreeMap<u8, (Thing, Option<u64>)>,
    now: u64,
    fence: u64,
}

/// An answer, as text, so that all kinds compare.
type Answer = Result<String, ErrorKind>;

impl Model {
    fn end(&self, life: Option<u16>) -> Option<u64> {
        life.map(|life| self.now + u64::from(life))
    }

    fn apply(&mut self, key: u8, step: &Step) -> Answer {
        let now = self.now;
        self.things
            .retain(|_, (_, end)| end.is_none_or(|end| end > now));
        let there = self.things.get(&key).cloned();
        let wrong = Err(ErrorKind::WrongKind);
        match (step, there) {
            (Step::Get, None) => Ok(format!("{:?}", None::<u8>)),
            (Step::Get, Some((Thing::Value(value), _))) => Ok(format!("{:?}", Some(value))),
            (Step::Set(value, life), _) => {
                let end = self.end(*life);
                self.things.insert(key, (Thing::Value(*value), end));
                Ok("()".to_owned())
            }
            (Step::SetIfAbsent(value, life), None) => {
                let end = self.end(*life);
                self.things.insert(key, (Thing::Value(*value), end));
                Ok("true".to_owned())
            }
            (Step::SetIfAbsent(..), Some(_)) => Ok("false".to_owned()),
            (Step::Delete, _) => Ok(self.things.remove(&key).is_some().to_string()),
            (Step::TimeLeft, there) => Ok(match there {
                None => "Absent".to_owned(),
                Some((_, None)) => "Forever".to_owned(),
                Some((_, Some(end))) => (end - now).to_string(),
            }),
            (Step::Expire(life), there) => {
                let end = self.end(Some(*life));
                if let Some(thing) = self.things.get_mut(&key) {
                    thing.1 = end;
                }
                Ok(there.is_some().to_string())
            }
            (Step::Increment(by, life), None) => {
                let end = self.end(*life);
                self.things.insert(key, (Thing::Counter(*by), end));
                Ok(by.to_string())
            }
            (Step::Increment(by, _), Some((Thing::Counter(before), end))) => {
                let sum = before.checked_add(*by).ok_or(ErrorKind::InvalidArgument)?;
                self.things.insert(key, (Thing::Counter(sum), end));
                Ok(sum.to_string())
            }
            (step, there) => self.apply_shared(key, step, there).unwrap_or(wrong),
        }
    }

    /// Sets and leases. None where the key holds another kind.
    fn apply_shared(
        &mut self,
        key: u8,
        step: &Step,
        there: Option<(Thing, Option<u64>)>,
    ) -> Option<Answer> {
        Some(Ok(match (step, there) {
            (Step::SetInsert(member, life), None) => {
                let end = self.end(*life);
                self.things.insert(key, (Thing::Set([*member].into()), end));
                "true".to_owned()
            }
            (Step::SetInsert(member, life), Some((Thing::Set(mut set), end))) => {
                let end = self.end(*life).or(end);
                let new = set.insert(*member);
                self.things.insert(key, (Thing::Set(set), end));
                new.to_string()
            }
            (Step::SetRemove(_), None) | (Step::Release(_), None) => "false".to_owned(),
            (Step::SetRemove(member), Some((Thing::Set(mut set), end))) => {
                let was = set.remove(member);
                if set.is_empty() {
                    self.things.remove(&key);
                } else {
                    self.things.insert(key, (Thing::Set(set), end));
                }
                was.to_string()
            }
            (Step::SetMembers, None) => "[]".to_owned(),
            (Step::SetMembers, Some((Thing::Set(set), _))) => {
                format!("{set:?}").replace(['{', '}'], "")
            }
            (Step::Acquire(owner, life), None) => {
                self.fence += 1;
                let end = self.end(Some(*life));
                self.things
                    .insert(key, (Thing::Lease(*owner, self.fence), end));
                format!("granted {}", self.fence)
            }
            (Step::Acquire(owner, life), Some((Thing::Lease(holder, fence), end))) => {
                if holder == *owner {
                    let end = self.end(Some(*life));
                    self.things.insert(key, (Thing::Lease(holder, fence), end));
                    format!("granted {fence}")
                } else {
                    let left = end.map_or(0, |end| end - self.now);
                    format!("held {holder} {left}")
                }
            }
            (Step::Release(owner), Some((Thing::Lease(holder, _), _))) => {
                if holder == *owner {
                    self.things.remove(&key);
                }
                (holder == *owner).to_string()
            }
            _ => return None,
        }))
    }
}

async fn ask(store: &EmbeddedStore, key: u8, step: &Step) -> Result<String, StoreError> {
    let key = format!("key-{key}");
    let life = |life: &Option<u16>| life.map(|life| Duration::from_millis(life.into()));
    let millis = |life: &u16| Duration::from_millis((*life).into());
    let value = |value: &u8| Bytes::from(vec![*value]);
    Ok(match step {
        Step::Get => format!("{:?}", store.get(&key).await?.map(|value| value[0])),
        Step::Set(v, l) => format!("{:?}", store.set(&key, value(v), life(l)).await?),
        Step::SetIfAbsent(v, l) => store
            .set_if_absent(&key, value(v), life(l))
            .await?
            .to_string(),
        Step::Delete => store.delete(&key).await?.to_string(),
        Step::TimeLeft => match store.time_left(&key).await? {
            TimeLeft::For(left) => left.as_millis().to_string(),
            other => format!("{other:?}"),
        },
        Step::Expire(l) => store.expire(&key, millis(l)).await?.to_string(),
        Step::Increment(by, l) => store.increment(&key, *by, life(l)).await?.to_string(),
        Step::SetInsert(m, l) => store
            .set_insert(&key, &m.to_string(), life(l))
            .await?
            .to_string(),
        Step::SetRemove(m) => store.set_remove(&key, &m.to_string()).await?.to_string(),
        Step::SetMembers => {
            let mut members = store.set_members(&key, 10).await?;
            members.sort();
            match members.is_empty() {
                true => "[]".to_owned(),
                false => members.join(", "),
            }
        }
        Step::Acquire(owner, l) => {
            match store
                .acquire_lease(&key, &owner.to_string(), millis(l))
                .await?
            {
                Lease::Granted { fence, .. } => format!("granted {fence}"),
                Lease::Held { owner, remaining } => {
                    format!("held {owner} {}", remaining.as_millis())
                }
            }
        }
        Step::Release(owner) => store
            .release_lease(&key, &owner.to_string())
            .await?
            .to_string(),
        Step::Advance(_) | Step::Sweep => String::new(),
    })
}

/// Runs the steps on both; with a `file`, closes and opens the store in the middle.
async fn run(steps: &[(u8, Step)], file: Option<&std::path::Path>) -> Result<(), TestCaseError> {
    let clock = Arc::new(ManualClock::at(
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000),
    ));
    let open = async || match file {
        None => EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone()).unwrap(),
        Some(file) => EmbeddedStore::open(file, EmbeddedConfig::default(), clock.clone())
            .await
            .unwrap(),
    };
    let mut store = open().await;
    let mut model = Model::default();
    for (index, (key, step)) in steps.iter().enumerate() {
        if file.is_some() && index == steps.len() / 2 {
            store.close().await.unwrap();
            store = open().await;
        }
        match step {
            Step::Advance(by) => {
                clock.advance(Duration::from_millis((*by).into()));
                model.now += u64::from(*by);
            }
            Step::Sweep => while store.sweep().await.unwrap() > 0 {},
            step => {
                let expected = model.apply(*key, step);
                let answer = ask(&store, *key, step).await.map_err(|error| error.kind());
                prop_assert_eq!(answer, expected, "step {} {:?} on {}", index, step, key);
            }
        }
    }
    // What is left is what the model holds, and the account of keys agrees.
    while store.sweep().await.unwrap() > 0 {}
    let now = model.now;
    model
        .things
        .retain(|_, (_, end)| end.is_none_or(|end| end > now));
    prop_assert_eq!(store.health().await.keys, Some(model.things.len() as u64));
    store.close().await.unwrap();
    Ok(())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_memory_is_a_map(steps in prop::collection::vec((0..3_u8, step()), 1..80)) {
        runtime().block_on(run(&steps, None))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_file_is_a_map_also_when_opened_again(
        steps in prop::collection::vec((0..3_u8, step()), 1..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        runtime().block_on(run(&steps, Some(&folder.path().join("store.redb"))))?;
    }
}
