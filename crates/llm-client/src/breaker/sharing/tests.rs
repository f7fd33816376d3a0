//! Replicas of one service around one store; each look into the store is made by hand.

use store::{EmbeddedConfig, EmbeddedStore, ManualClock};

use super::*;
use crate::breaker::{Breaker, BreakerConfig};
use crate::test_util::{Outcome, ScriptedModel};
use crate::{BreakerState, Error, ErrorKind, LanguageModel, Request};

const SECOND: Duration = Duration::from_secs(1);

struct World {
    store: Arc<EmbeddedStore>,
    clock: Arc<ManualClock>,
    model: ScriptedModel,
}

struct Replica {
    breaker: Breaker,
    link: Link,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(std::time::SystemTime::now()));
        let config = EmbeddedConfig::default();
        Self {
            store: Arc::new(EmbeddedStore::in_memory(config, clock.clone()).unwrap()),
            clock,
            model: ScriptedModel::new("m"),
        }
    }

    fn replica(&self, name: &str) -> Replica {
        let config = BreakerConfig {
            min_calls: 2,
            ..BreakerConfig::default()
        };
        let breaker = Breaker::new(Arc::new(self.model.clone()), config);
        let link = Link {
            core: Arc::clone(&breaker.core),
            store: self.store.clone(),
            keys: Keys::of(&breaker.core),
            owner: name.to_owned(),
        };
        Replica { breaker, link }
    }

    fn answers(&self, outcome: Outcome) {
        let _ = self.model.clone().otherwise(outcome);
    }

    /// Lets time pass for the store and for the replicas.
    async fn pass(&self, time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
        self.clock.advance(time);
    }
}

impl Replica {
    /// Looks into the store, as the task does.
    async fn look(&self) {
        let looked = self.link.look().await;
        assert!(looked.is_ok());
        self.breaker.core.connected(true);
    }

    async fn call(&self) -> Result<(), ErrorKind> {
        let request = Request::builder(1).user("hola").build().unwrap();
        let result = self.breaker.complete(&request).await;
        result.map(|_| ()).map_err(|error| error.kind())
    }

    fn state(&self) -> BreakerState {
        self.breaker.state()
    }
}

#[tokio::test]
async fn one_opens_for_all_one_probes_for_all_one_closes_for_all() {
    let world = World::new();
    let replicas = [world.replica("a"), world.replica("b"), world.replica("c")];
    let [a, b, c] = &replicas;
    for replica in &replicas {
        replica.look().await;
    }
    world.answers(Outcome::fail(ErrorKind::Upstream));
    for _ in 0..2 {
        assert_eq!(a.call().await, Err(ErrorKind::Upstream));
    }
    a.look().await;
    b.look().await;
    assert_eq!(
        b.state(),
        BreakerState::Open,
        "without a failure of its own"
    );
    assert_eq!(c.state(), BreakerState::Closed, "it hasn't looked yet");
    c.look().await;
    assert_eq!(c.state(), BreakerState::Open);
    let made = world.model.calls().started;

    // Its time is over: whoever wants to and asks first may find out.
    world.pass(6 * SECOND).await;
    for replica in &replicas {
        assert_eq!(replica.call().await, Err(ErrorKind::CircuitOpen));
    }
    b.look().await;
    a.look().await;
    assert_eq!(a.call().await, Err(ErrorKind::CircuitOpen));
    assert_eq!(b.call().await, Err(ErrorKind::Upstream));
    assert_eq!(world.model.calls().started, made + 1, "a single probe");

    // It failed: open for twice as long, for all.
    b.look().await;
    world.pass(6 * SECOND).await;
    for replica in &replicas {
        replica.look().await;
        assert_eq!(replica.call().await, Err(ErrorKind::CircuitOpen));
    }
    world.pass(5 * SECOND).await;
    world.answers(Outcome::text("bien"));
    assert_eq!(c.call().await, Err(ErrorKind::CircuitOpen));
    c.look().await;
    assert_eq!(c.call().await, Ok(()));
    c.look().await;
    for replica in &replicas {
        replica.look().await;
        assert_eq!(replica.state(), BreakerState::Closed);
        assert_eq!(replica.call().await, Ok(()));
    }
    // What opens it later is told over what closed it.
    world.answers(Outcome::fail(ErrorKind::Overloaded));
    while b.state() == BreakerState::Closed {
        assert!(b.call().await.is_err());
    }
    b.look().await;
    a.look().await;
    assert_eq!(a.state(), BreakerState::Open);
}

#[tokio::test]
async fn an_operator_closes_it_for_all_and_it_opens_again_if_it_must() {
    let world = World::new();
    let (a, b) = (world.replica("a"), world.replica("b"));
    assert!(!a.breaker.reset(), "it is closed");
    world.answers(Outcome::fail(ErrorKind::Upstream));
    let _ = (a.call().await, a.call().await);
    for replica in [&a, &b] {
        replica.look().await;
        assert_eq!(replica.state(), BreakerState::Open);
    }
    assert!(b.breaker.reset());
    assert_eq!(b.state(), BreakerState::Closed);
    b.look().await;
    a.look().await;
    assert_eq!(a.state(), BreakerState::Closed);
    let _ = (a.call().await, a.call().await);
    assert_eq!(a.state(), BreakerState::Open);
}

#[tokio::test]
async fn a_prober_that_dies_is_replaced() {
    let world = World::new();
    let (a, b) = (world.replica("a"), world.replica("b"));
    world.answers(Outcome::fail(ErrorKind::Upstream));
    let _ = (a.call().await, a.call().await);
    for replica in [&a, &b] {
        replica.look().await;
    }
    world.pass(6 * SECOND).await;
    let _ = (a.call().await, b.call().await);
    a.look().await;
    drop(a);
    b.look().await;
    assert_eq!(b.call().await, Err(ErrorKind::CircuitOpen));
    world.pass(PROBE_LEASE).await;
    assert_eq!(b.call().await, Err(ErrorKind::CircuitOpen));
    b.look().await;
    assert_eq!(b.call().await, Err(ErrorKind::Upstream), "it probes");
}

#[tokio::test]
async fn a_limit_met_by_one_holds_all_back() {
    let world = World::new();
    let (a, b) = (world.replica("a"), world.replica("b"));
    let limited = Error::new(ErrorKind::RateLimited).with_retry_after(Some(9 * SECOND));
    world.answers(Outcome::Fail(limited));
    assert_eq!(a.call().await, Err(ErrorKind::RateLimited));
    a.look().await;
    world.pass(2 * SECOND).await;
    b.look().await;
    world.answers(Outcome::text("bien"));
    assert_eq!(b.call().await, Err(ErrorKind::RateLimited));
    assert_eq!(world.model.calls().started, 1);
    world.pass(8 * SECOND).await;
    b.look().await;
    assert_eq!(b.call().await, Ok(()));
}

#[tokio::test]
async fn without_the_store_each_goes_by_itself() {
    let world = World::new();
    let a = world.replica("a");
    a.look().await;
    world.store.close().await.unwrap();
    assert!(a.link.look().await.is_err());
    a.breaker.core.connected(false);
    world.answers(Outcome::fail(ErrorKind::Upstream));
    let _ = (a.call().await, a.call().await);
    assert_eq!(a.state(), BreakerState::Open);
    world.pass(6 * SECOND).await;
    world.answers(Outcome::text("bien"));
    assert_eq!(a.call().await, Ok(()));
    assert_eq!(a.state(), BreakerState::Closed);
}

#[tokio::test]
async fn the_task_tells_and_hears_by_itself() {
    let world = World::new();
    let (a, b) = (world.replica("a").breaker, world.replica("b").breaker);
    let every = Duration::from_millis(5);
    let sharing = [&a, &b].map(|breaker| breaker.share(world.store.clone(), every));
    world.answers(Outcome::fail(ErrorKind::Upstream));
    let request = Request::builder(1).user("hola").build().unwrap();
    let patience = Instant::now() + 20 * SECOND;
    while a.state() == BreakerState::Closed {
        assert!(a.complete(&request).await.is_err());
    }
    while b.state() == BreakerState::Closed && Instant::now() < patience {
        tokio::task::yield_now().await;
    }
    assert_eq!(b.state(), BreakerState::Open);
    drop(sharing);
}
