//! The second tier over the real embedded engine: an answer outlives the process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cache::{Cache, CacheConfig, CacheKey, Computed, Keep, Mode, Policy, Status};
use store::{EmbeddedConfig, EmbeddedStore, Store, SystemClock};

const MINUTE: Duration = Duration::from_secs(60);

/// Opens everything, asks once, closes everything.
async fn life(file: &Path, key: &CacheKey, value: &'static [u8]) -> (Status, Bytes) {
    let clock = Arc::new(SystemClock);
    let store = EmbeddedStore::open(file, EmbeddedConfig::default(), clock.clone());
    let store = Arc::new(store.await.unwrap());
    let config = CacheConfig {
        // This test is about what is kept, not about how busy the machine is.
        store_read_deadline_ms: 60_000,
        store_write_deadline_ms: 60_000,
        ..CacheConfig::default()
    };
    let engine = Arc::clone(&store) as Arc<dyn Store>;
    let cache = Cache::new(&config, &["validate"], Some(engine), clock).unwrap();
    let compute = move || async move {
        let value = Bytes::from_static(value);
        let keep = Keep::For(MINUTE);
        Ok::<_, std::convert::Infallible>(Computed::new(value, keep))
    };
    let answer = cache
        .get_or_compute(key, Policy::new(MINUTE * 2), Mode::Normal, compute)
        .await
        .unwrap();
    assert!(cache.drain(MINUTE).await);
    store.close().await.unwrap();
    (answer.status, answer.value)
}

#[tokio::test]
async fn an_answer_is_found_by_the_next_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.redb");
    let key = CacheKey::builder("validate", "1").finish();
    let first = life(&file, &key, b"first").await;
    assert_eq!(first, (Status::Miss, Bytes::from_static(b"first")));
    let second = life(&file, &key, b"second").await;
    assert_eq!(second, (Status::Hit, Bytes::from_static(b"first")));
}
