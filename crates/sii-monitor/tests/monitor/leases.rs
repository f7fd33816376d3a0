//! Two replicas: never both at once, and a dead one is replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sii_monitor::fetch::{Ask, Document, FetchError, Fetched, Fetcher};
use sii_monitor::run::{RunStatus, Runner};
use sii_monitor::source::{Kind, Source};
use tokio::sync::Semaphore;

use crate::rig::{Told, clock, monitor, monitor_on_request, store};

/// A site that answers only when it is let to, and knows how many ask at once.
#[derive(Debug)]
struct Gate {
    open: Semaphore,
    asking: AtomicUsize,
    most: AtomicUsize,
    begun: Semaphore,
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            open: Semaphore::new(0),
            asking: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            begun: Semaphore::new(0),
        })
    }
}

#[async_trait]
impl Fetcher for Gate {
    async fn fetch(&self, ask: &Ask) -> Result<Fetched, FetchError> {
        let now = self.asking.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        self.begun.add_permits(1);
        self.open.acquire().await.unwrap().forget();
        self.asking.fetch_sub(1, Ordering::SeqCst);
        Ok(Fetched::Document(Box::new(Document {
            url: ask.url.clone(),
            media_type: "text/html".into(),
            charset: None,
            body: "<p>Texto de la página.</p>".into(),
            etag: None,
            last_modified: None,
        })))
    }
}

fn source() -> Vec<Source> {
    vec![Source::new("a", "https://a.cl/", Kind::Article)]
}

#[tokio::test]
async fn one_runs_and_the_other_says_whose_run_it_is() {
    let (clock, told, gate) = (clock(), Told::default(), Gate::new());
    let store = store(&clock);
    let replica = || {
        let fetcher = Arc::clone(&gate) as Arc<dyn Fetcher>;
        Arc::new(monitor(
            source(),
            Arc::clone(&store),
            fetcher,
            &clock,
            &told,
        ))
    };
    let (one, two) = (replica(), replica());
    let first = tokio::spawn({
        let one = Arc::clone(&one);
        async move { one.run(false).await.unwrap() }
    });
    gate.begun.acquire().await.unwrap().forget();
    let refused = two.run(true).await.unwrap();
    assert_eq!(refused.status, RunStatus::Running);
    gate.open.add_permits(1);
    let done = first.await.unwrap();
    assert_eq!(
        (done.status, &done.run_id),
        (RunStatus::Success, &refused.run_id)
    );
    assert_eq!(gate.most.load(Ordering::SeqCst), 1);
    // Free at once after a run that came to its end.
    gate.open.add_permits(1);
    assert_eq!(two.run(false).await.unwrap().status, RunStatus::Success);
    // And what is due is done by one of them: the other finds it done.
    clock.advance(Duration::from_secs(7 * 3_600));
    gate.open.add_permits(5);
    one.tick().await;
    two.tick().await;
    assert_eq!(gate.open.available_permits(), 4);
}

#[tokio::test]
async fn a_dead_runner_is_replaced_once_its_lease_is_over() {
    let (clock, told, gate) = (clock(), Told::default(), Gate::new());
    let store = store(&clock);
    let replica = || {
        let fetcher = Arc::clone(&gate) as Arc<dyn Fetcher>;
        Arc::new(monitor(
            source(),
            Arc::clone(&store),
            fetcher,
            &clock,
            &told,
        ))
    };
    let (one, two) = (replica(), replica());
    let dead = tokio::spawn(async move { one.run(false).await });
    gate.begun.acquire().await.unwrap().forget();
    dead.abort();
    assert!(dead.await.unwrap_err().is_cancelled());
    clock.advance(Duration::from_secs(59));
    assert_eq!(two.run(true).await.unwrap().status, RunStatus::Running);
    clock.advance(Duration::from_secs(2));
    gate.open.add_permits(1);
    assert_eq!(two.run(true).await.unwrap().status, RunStatus::Success);
}

#[tokio::test]
async fn who_asks_is_told_of_a_run_that_goes_on_and_a_drain_gives_the_turn_back() {
    const SOON: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(60);
    let (clock, told, gate) = (clock(), Told::default(), Gate::new());
    let store = store(&clock);
    let replica = || {
        let fetcher = Arc::clone(&gate) as Arc<dyn Fetcher>;
        let store = Arc::clone(&store);
        Arc::new(monitor_on_request(source(), store, fetcher, &clock, &told))
    };
    let (one, two) = (Runner::spawn(replica()), Runner::spawn(replica()));
    let first = one.ask(false, SOON).await.unwrap();
    assert_eq!(first.status, RunStatus::Running);
    gate.begun.acquire().await.unwrap().forget();
    // Whoever asks, wherever, is told of the same run.
    for runner in [&one, &two] {
        let second = runner.ask(true, LONG).await.unwrap();
        assert_eq!(
            (second.status, &second.run_id),
            (RunStatus::Running, &first.run_id)
        );
    }
    gate.open.add_permits(1);
    // It ended although nobody waited, and its report is found by its id.
    loop {
        let status = one.monitor().status().await.unwrap();
        assert_eq!(status.next_execution, None);
        if let Some(report) = status.last_run {
            assert_eq!(
                (report.run_id, report.status),
                (first.run_id, RunStatus::Success)
            );
            break;
        }
        tokio::task::yield_now().await;
    }
    // A run that is under way when its service drains stops there, and another begins at once.
    let cut = one.ask(true, SOON).await.unwrap();
    assert_eq!(cut.status, RunStatus::Running);
    gate.begun.acquire().await.unwrap().forget();
    assert!(one.drain(LONG).await);
    gate.open.add_permits(1);
    let next = two.ask(true, LONG).await.unwrap();
    assert_eq!(next.status, RunStatus::Success);
    let late = one.ask(true, LONG).await.unwrap();
    assert_eq!(late.status, RunStatus::Error);
    assert!(late.errors[0].starts_with("stopped: "), "{late:?}");
}
