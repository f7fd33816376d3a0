//! A run that is cut short at any point, and what the next replica makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sii_monitor::archive::NewsQuery;
use sii_monitor::index::Tipo;
use sii_monitor::run::{Monitor, RunStatus};
use sii_monitor::source::{Kind, Source};
use store::{
    Added, Addition, Lease, ManualClock, Rate, Store, StoreError, StoreHealth, Subscription,
    Throttled, TimeLeft,
};

use crate::memory::Site;
use crate::rig::{Fuse, Told, clock, monitor, store};

/// How many points are tried.
const POINTS: usize = 50;

#[derive(Debug)]
struct Fragile {
    inner: Arc<dyn Store>,
    fuse: Arc<Fuse>,
}

#[async_trait]
impl Store for Fragile {
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        self.fuse.guard(self.inner.get(key)).await
    }

    async fn set(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<(), StoreError> {
        self.fuse.guard(self.inner.set(key, value, lifetime)).await
    }

    async fn set_if_absent(
        &self,
        key: &str,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        self.fuse
            .guard(self.inner.set_if_absent(key, value, lifetime))
            .await
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: Bytes,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        self.fuse
            .guard(self.inner.compare_and_set(key, expected, value, lifetime))
            .await
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        self.fuse.guard(self.inner.delete(key)).await
    }

    async fn time_left(&self, key: &str) -> Result<TimeLeft, StoreError> {
        self.fuse.guard(self.inner.time_left(key)).await
    }

    async fn expire(&self, key: &str, lifetime: Duration) -> Result<bool, StoreError> {
        self.fuse.guard(self.inner.expire(key, lifetime)).await
    }

    async fn increment(
        &self,
        key: &str,
        by: i64,
        lifetime: Option<Duration>,
    ) -> Result<i64, StoreError> {
        self.fuse
            .guard(self.inner.increment(key, by, lifetime))
            .await
    }

    async fn counters(&self, keys: &[&str]) -> Result<Vec<i64>, StoreError> {
        self.fuse.guard(self.inner.counters(keys)).await
    }

    async fn add_all(&self, additions: &[Addition<'_>]) -> Result<Added, StoreError> {
        self.fuse.guard(self.inner.add_all(additions)).await
    }

    async fn throttle(&self, key: &str, rate: Rate, cost: u32) -> Result<Throttled, StoreError> {
        self.fuse.guard(self.inner.throttle(key, rate, cost)).await
    }

    async fn set_insert(
        &self,
        key: &str,
        member: &str,
        lifetime: Option<Duration>,
    ) -> Result<bool, StoreError> {
        self.fuse
            .guard(self.inner.set_insert(key, member, lifetime))
            .await
    }

    async fn set_remove(&self, key: &str, member: &str) -> Result<bool, StoreError> {
        self.fuse.guard(self.inner.set_remove(key, member)).await
    }

    async fn set_members(&self, key: &str, limit: usize) -> Result<Vec<String>, StoreError> {
        self.fuse.guard(self.inner.set_members(key, limit)).await
    }

    async fn acquire_lease(
        &self,
        key: &str,
        owner: &str,
        lifetime: Duration,
    ) -> Result<Lease, StoreError> {
        self.fuse
            .guard(self.inner.acquire_lease(key, owner, lifetime))
            .await
    }

    async fn release_lease(&self, key: &str, owner: &str) -> Result<bool, StoreError> {
        self.fuse.guard(self.inner.release_lease(key, owner)).await
    }

    async fn publish(&self, channel: &str, message: Bytes) -> Result<(), StoreError> {
        self.fuse.guard(self.inner.publish(channel, message)).await
    }

    async fn subscribe(&self, channel: &str) -> Result<Subscription, StoreError> {
        self.fuse.guard(self.inner.subscribe(channel)).await
    }

    async fn health(&self) -> StoreHealth {
        self.fuse.guard(self.inner.health()).await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        self.fuse.guard(self.inner.flush()).await
    }
}

fn entry(n: u32, about: &str) -> String {
    format!(
        "<h5><a href='/c{n}.htm'>Circular N° {n} del {n} de Enero del 2026</a></h5><p>{about}</p>"
    )
}

fn sources() -> Vec<Source> {
    let of = |key: &str, kind| Source {
        tipo: Tipo::Circular,
        ..Source::new(key, &format!("https://sii.test/{key}"), kind)
    };
    vec![
        of("circulares", Kind::Index),
        of("otras", Kind::Index),
        of("plazos", Kind::Article),
    ]
}

fn before(site: &Site) {
    let old = [
        entry(1, "Uno."),
        entry(2, "Dos."),
        entry(3, "Tres."),
        entry(4, "Cuatro."),
    ];
    site.set("/circulares", &old.concat());
    site.set("/otras", &old[..2].concat());
    site.set(
        "/plazos",
        "<h2>Plazos</h2><p>La declaración vence el 30 de abril de 2026.</p>",
    );
    for n in 5..7 {
        let text = format!("texto de la circular {n} que la distingue de las otras ").repeat(6);
        site.set(&format!("/c{n}.htm"), &format!("<p>{text}</p>"));
    }
}

/// Five items: two new documents (one of them listed twice), one reworded, one removed, and a
/// deadline.
fn after(site: &Site) {
    let new = [
        entry(6, "Seis."),
        entry(5, "Cinco."),
        entry(1, "Uno."),
        entry(2, "Dos, otra materia."),
        entry(3, "Tres."),
    ];
    site.set("/circulares", &new.concat());
    site.set(
        "/otras",
        &[entry(5, "Cinco."), entry(1, "Uno."), entry(2, "Dos.")].concat(),
    );
    site.set(
        "/plazos",
        "<h2>Plazos</h2><p>La declaración vence el 15 de mayo de 2026.</p>",
    );
}

struct World {
    store: Arc<dyn Store>,
    site: Site,
    clock: Arc<ManualClock>,
    told: Told,
}

impl World {
    /// A site that was visited once and has changed since.
    async fn changed() -> Self {
        let clock = clock();
        let world = Self {
            store: store(&clock),
            site: Site::default(),
            told: Told::default(),
            clock,
        };
        before(&world.site);
        let report = world.replica(None).run(true).await.unwrap();
        assert_eq!(
            (report.status, report.news_created),
            (RunStatus::Success, 0)
        );
        after(&world.site);
        world.clock.advance(Duration::from_secs(6 * 3_600));
        world
    }

    fn replica(&self, fuse: Option<&Arc<Fuse>>) -> Monitor {
        let inner = Arc::clone(&self.store);
        let store: Arc<dyn Store> = match fuse {
            None => inner,
            Some(fuse) => Arc::new(Fragile {
                inner,
                fuse: Arc::clone(fuse),
            }),
        };
        let site = Site {
            fuse: fuse.cloned(),
            ..self.site.clone()
        };
        let told = Told {
            fuse: fuse.cloned(),
            ..self.told.clone()
        };
        monitor(sources(), store, Arc::new(site), &self.clock, &told)
    }

    /// Runs a replica until it dies; says whether it did.
    async fn killed(&self, fuse: &Arc<Fuse>) -> bool {
        let replica = self.replica(Some(fuse));
        let dead = tokio::select! {
            report = replica.run(true) => {
                report.unwrap();
                false
            }
            () = fuse.burnt.notified() => true,
        };
        drop(replica);
        self.clock.advance(Duration::from_secs(61));
        dead
    }

    async fn items(&self) -> Vec<String> {
        let query = NewsQuery {
            limit: Some(100),
            ..NewsQuery::default()
        };
        let page = self.replica(None).archive().news(&query).await.unwrap();
        let mut ids: Vec<String> = page.items.into_iter().map(|item| item.id).collect();
        ids.sort();
        ids
    }
}

fn counted(told: &Mutex<Vec<String>>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for id in told.lock().unwrap().iter() {
        *counts.entry(id.clone()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn killed_anywhere_each_item_is_there_once_and_told_at_least_once() {
    // How many operations a whole run has, and what it finds.
    let world = World::changed().await;
    let whole = Fuse::at(usize::MAX, false);
    assert!(!world.killed(&whole).await);
    let expected = world.items().await;
    assert_eq!(expected.len(), 5, "{expected:?}");
    let operations = whole.count();
    println!("{operations} operations, {} items", expected.len());
    println!(
        "{:>5} {:>6} {:>6} {:>6} {:>9} {:>9}",
        "point", "effect", "twice", "items", "notices", "passages"
    );
    for point in 0..POINTS {
        // Spread over the run by a number that has nothing in common with it.
        let at = point * 7_919 % operations;
        let (effect, twice) = (point % 2 == 1, point % 3 == 0);
        let world = World::changed().await;
        assert!(
            world.killed(&Fuse::at(at, effect)).await,
            "{at} of {operations}"
        );
        if twice {
            let again = (at * 31 + point) % operations;
            world.killed(&Fuse::at(again, !effect)).await;
        }
        let report = world.replica(None).run(true).await.unwrap();
        assert_eq!(
            report.status,
            RunStatus::Success,
            "{at}: {:?}",
            report.errors
        );
        let items = world.items().await;
        let (notices, passages) = (counted(&world.told.notices), counted(&world.told.passages));
        let sum = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        println!(
            "{at:>5} {effect:>6} {twice:>6} {:>6} {:>9} {:>9}",
            items.len(),
            sum(&notices),
            sum(&passages)
        );
        assert_eq!(items, expected, "at {at}: each item once in the store");
        let ids: BTreeSet<&String> = expected.iter().collect();
        assert_eq!(
            notices.keys().collect::<BTreeSet<_>>(),
            ids,
            "at {at}: each is told"
        );
        assert_eq!(
            passages.keys().collect::<BTreeSet<_>>(),
            ids,
            "at {at}: each is a passage"
        );
        // A death can repeat what was under way, and nothing else.
        assert!(sum(&notices) <= expected.len() + 2, "at {at}: {notices:?}");
    }
}
