//! Both homes of the embedded engine keep the contract.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use store::conformance::{self, Subject};
use store::{EmbeddedConfig, EmbeddedStore, ManualClock, Store, StoreKind};

struct Embedded {
    store: Arc<EmbeddedStore>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Subject for Embedded {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000),
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_keeps_the_contract() {
    let clock = clock();
    let store = EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone()).unwrap();
    let subject = Embedded {
        store: Arc::new(store),
        clock,
    };
    conformance::all(&subject).await.unwrap();
    assert_eq!(subject.store.health().await.kind, StoreKind::EmbeddedMemory);
    assert_all_is_gone(&subject).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let config = EmbeddedConfig::default();
    let store = EmbeddedStore::open(folder.path().join("store.redb"), config, clock.clone())
        .await
        .unwrap();
    let subject = Embedded {
        store: Arc::new(store),
        clock,
    };
    conformance::all(&subject).await.unwrap();
    assert_eq!(subject.store.health().await.kind, StoreKind::EmbeddedFile);
    assert_all_is_gone(&subject).await;
}

/// The suite cleans up after itself, so what is left shows a leak of the engine.
async fn assert_all_is_gone(subject: &Embedded) {
    subject.clock.advance(Duration::from_secs(60));
    while subject.store.sweep().await.unwrap() > 0 {}
    assert_eq!(subject.store.health().await.keys, Some(0));
}
