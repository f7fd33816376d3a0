//! A file that can't be opened says why.

#![expect(clippy::unwrap_used, reason = "tests")]
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use store::{EmbeddedConfig, EmbeddedStore, OpenError, OpenErrorKind, Store, SystemClock};

async fn open(path: &Path) -> Result<EmbeddedStore, OpenError> {
    EmbeddedStore::open(path, EmbeddedConfig::default(), Arc::new(SystemClock)).await
}

async fn open_error(path: &Path) -> OpenError {
    let error = open(path).await.unwrap_err();
    assert_eq!(error.path(), Some(path));
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    assert!(std::error::Error::source(&error).is_some());
    error
}

#[tokio::test]
async fn folder_and_file_are_made_for_this_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/store.redb");
    let store = open(&path).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&path), 0o600);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_second_opening_is_told_that_it_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let store = open(&path).await.unwrap();
    assert_eq!(open_error(&path).await.kind(), OpenErrorKind::Locked);
    // The refused one has done no harm.
    store.set("key", "value".into(), None).await.unwrap();
    store.close().await.unwrap();
    let store = open(&path).await.unwrap();
    assert_eq!(store.get("key").await.unwrap().unwrap(), "value");
}

#[tokio::test]
async fn what_is_no_store_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    for garbage in ["short".into(), "no store at all ".repeat(10_000)] {
        fs::write(&path, &garbage).unwrap();
        assert_eq!(open_error(&path).await.kind(), OpenErrorKind::Corrupt);
        // Whatever it was, it is still there.
        assert_eq!(fs::read_to_string(&path).unwrap(), garbage);
    }
}

#[tokio::test]
async fn a_store_cut_short_or_overwritten_is_corrupt_or_says_so_when_read() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.redb");
    let store = open(&whole).await.unwrap();
    for number in 0..200 {
        let key = format!("key-{number}");
        store
            .set(&key, vec![number; 2_000].into(), None)
            .await
            .unwrap();
    }
    store.close().await.unwrap();
    let bytes = fs::read(&whole).unwrap();
    let damaged = folder.path().join("damaged.redb");

    fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(open_error(&damaged).await.kind(), OpenErrorKind::Corrupt);
    fs::write(&damaged, &bytes[..100]).unwrap();
    assert_eq!(open_error(&damaged).await.kind(), OpenErrorKind::Corrupt);

    // Pages overwritten behind redb's back: no call may panic or hang, and whoever gets an
    // error is told that it isn't the caller's.
    let mut overwritten = bytes.clone();
    let half = overwritten.len() / 2;
    overwritten[half..].fill(0xA5);
    fs::write(&damaged, &overwritten).unwrap();
    match open(&damaged).await {
        Err(error) => assert_eq!(error.kind(), OpenErrorKind::Corrupt, "{error:?}"),
        Ok(store) => {
            for number in 0..200 {
                match store.get(&format!("key-{number}")).await {
                    Ok(value) => drop(value),
                    Err(error) => assert_eq!(error.fault(), store::Fault::Engine),
                }
            }
            drop(store.set("new", "value".into(), None).await);
            drop(store.close().await);
        }
    }
}

#[tokio::test]
async fn a_path_that_cannot_hold_a_file_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(open_error(folder.path()).await.kind(), OpenErrorKind::Path);
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("store.redb");
    assert_eq!(open_error(&below).await.kind(), OpenErrorKind::Path);
}

#[tokio::test]
async fn a_file_that_this_user_may_not_write_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("locked/store.redb");
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o500)).unwrap();
    let probe = path.parent().unwrap().join("probe");
    // Root may write anywhere but in the kernel's own read-only folders.
    let path = match fs::write(&probe, "").is_ok() {
        true => Path::new("/proc/sys/kernel/version").to_owned(),
        false => path,
    };
    assert_eq!(open_error(&path).await.kind(), OpenErrorKind::Permission);
}
