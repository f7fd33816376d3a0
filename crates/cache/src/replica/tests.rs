//! The coalescing under a model checker (shuttle): replicas whose callers come and go, a
//! leader that dies, panics, is slow or loses its lease, messages that are lost.
//!
//! What runs is the real thing: [`Flights`], [`course`] and [`lead`]. The world beneath them is
//! played: a lease with epochs, a channel that may lose what is told, and time that passes
//! whenever the scheduler likes. The scheduler picks the order of everything, at random but
//! repeatably. A caller who is stuck is a deadlock, which shuttle reports.

use std::pin::pin;
use std::sync::Arc as StdArc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{Either, select};
use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::sync::{Arc, Mutex};
use shuttle::{Config, Runner, future};

use super::{Claim, Course, Outcome, Peers, course, lead};
use crate::entry::{Entry, Shape};
use crate::flight::{Flights, Guard, Join, Landing, Role};
use crate::metrics::Source;
use crate::{CacheError, CacheKey, Cost};

/// What happens to the first computation that leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It ends well and its answer is kept.
    Kept,
    /// Its answer isn't worth keeping.
    Passing,
    /// It fails or panics, and others may try.
    Fails,
    /// It fails, and asking again can't help.
    Final,
    /// Its replica dies while it computes.
    Dies,
    /// Its task is ended from outside while it computes, in a replica that lives on.
    Ends,
    /// It is so slow that its lease ends, and then ends well.
    LosesLease,
}

const FATES: [Fate; 7] = [
    Fate::Kept,
    Fate::Passing,
    Fate::Fails,
    Fate::Final,
    Fate::Dies,
    Fate::Ends,
    Fate::LosesLease,
];

/// The store that the replicas share.
#[derive(Default)]
struct World {
    /// The flight that has the lease.
    holder: Option<usize>,
    /// Whether the lease has had a holder, and its history is kept.
    history: bool,
    flights: usize,
    /// Computations begun since the lease was last granted anew.
    begun_in_epoch: u32,
    /// What each listener hasn't heard yet.
    ears: Vec<Vec<Outcome>>,
    /// What is kept.
    kept: Option<Entry>,
    computations: u32,
    /// A flight that renews no more: its lease ends when time passes.
    doomed: Option<usize>,
    /// A replica that is gone.
    dead: Option<usize>,
    /// Whether messages are lost.
    mute: bool,
}

type Shared = Arc<Mutex<World>>;

impl World {
    fn claim(&mut self, number: usize) -> Claim {
        match self.holder {
            // Who is doomed gives no sign of life any more.
            _ if self.doomed == Some(number) => Claim::Away,
            Some(holder) if holder != number => Claim::Held(Duration::ZERO),
            Some(_) => Claim::Granted { first: false },
            None => {
                self.holder = Some(number);
                self.begun_in_epoch = 0;
                let first = !std::mem::replace(&mut self.history, true);
                Claim::Granted { first }
            }
        }
    }

    fn keep(&mut self, outcome: &Outcome) {
        if let Outcome::Kept(entry) = outcome {
            self.kept = Some(entry.clone());
        }
    }

    fn tell(&mut self, outcome: &Outcome) {
        if !self.mute {
            for ear in &mut self.ears {
                ear.push(outcome.clone());
            }
        }
    }

    fn release(&mut self, number: usize) {
        if self.holder == Some(number) {
            self.holder = None;
        }
    }
}

/// A replica.
struct Replica {
    number: usize,
    world: Shared,
    l1: std::sync::Mutex<Option<Entry>>,
    flights: Flights,
}

/// A flight, as the protocol sees the world from it.
struct Pilot {
    replica: StdArc<Replica>,
    number: usize,
}

impl Replica {
    /// Does something with the world, all at once; the scheduler may go elsewhere before.
    async fn at<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        future::yield_now().await;
        work(&mut self.world.lock().unwrap())
    }
}

impl Pilot {
    async fn at<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        self.replica.at(work).await
    }
}

impl Peers for Pilot {
    type Ear = usize;

    async fn claim(&self) -> Claim {
        self.at(|world| world.claim(self.number)).await
    }

    async fn listen(&self) -> Option<usize> {
        self.at(|world| {
            world.ears.push(Vec::new());
            Some(world.ears.len() - 1)
        })
        .await
    }

    async fn hear(&self, ear: &mut Option<usize>, _: Duration) -> Option<Outcome> {
        let ear = (*ear)?;
        self.at(|world| {
            // Time passes: the lease of one who gives no sign of life ends.
            if world.holder.is_some() && world.holder == world.doomed {
                world.holder = None;
            }
            let heard = &mut world.ears[ear];
            (!heard.is_empty()).then(|| heard.remove(0))
        })
        .await
    }

    async fn find(&self) -> Option<Entry> {
        self.at(|world| world.kept.clone()).await
    }

    async fn beat(&self) {
        future::yield_now().await;
    }

    fn is_late(&self) -> bool {
        false
    }
}

fn entry() -> Entry {
    Entry {
        value: Bytes::from_static(b"answer"),
        shape: Shape::Whole,
        created_ms: 1,
        fresh_until_ms: u64::MAX,
        expires_ms: u64::MAX,
        compute_ms: 1,
        cost: Cost::FREE,
        renew_from_ms: 0,
    }
}

impl Pilot {
    /// One computation; nothing if its task is ended. Only the first of all has a fate, the
    /// others end well.
    async fn compute(&self, fate: Fate, leading: bool) -> Option<Outcome> {
        let first = self
            .at(|world| {
                world.computations += 1;
                if leading {
                    world.begun_in_epoch += 1;
                    assert_eq!(world.begun_in_epoch, 1, "two leaders in one epoch");
                }
                world.computations == 1
            })
            .await;
        future::yield_now().await;
        if !first {
            return Some(Outcome::Kept(entry()));
        }
        match fate {
            Fate::Kept => Some(Outcome::Kept(entry())),
            Fate::Passing => Some(Outcome::Passing(entry())),
            Fate::Fails => Some(Outcome::Failed),
            Fate::Ends => {
                self.at(|world| world.doomed = Some(self.number)).await;
                None
            }
            Fate::Final => Some(Outcome::Final(7)),
            Fate::Dies => {
                self.at(|world| {
                    world.doomed = Some(self.number);
                    world.dead = Some(self.replica.number);
                })
                .await;
                std::future::pending().await
            }
            Fate::LosesLease => {
                self.at(|world| {
                    world.doomed = Some(self.number);
                    world.holder = None;
                })
                .await;
                for _ in 0..4 {
                    future::yield_now().await;
                }
                Some(Outcome::Kept(entry()))
            }
        }
    }

    /// As `fly`: look, agree, compute, keep, land, tell.
    async fn fly(&self, guard: Guard<()>, fate: Fate) {
        let (found, claimed) = self.look().await;
        if let Some(entry) = found {
            self.found(guard, entry);
            return;
        }
        let leading = match course(self, claimed, 0).await {
            Course::Lead { .. } => true,
            Course::Alone | Course::Late => false,
            Course::Found { entry, .. } => {
                self.found(guard, entry);
                self.release().await;
                return;
            }
            Course::Told(outcome) => {
                guard.land(self.landing(outcome));
                return;
            }
        };
        guard.computing();
        let Some(outcome) = lead(self, self.compute(fate, leading)).await else {
            return;
        };
        guard.land(self.landing(outcome.clone()));
        self.conclude(outcome).await;
    }

    fn found(&self, guard: Guard<()>, entry: Entry) {
        let keep = || *self.replica.l1.lock().unwrap() = Some(entry.clone());
        let landing = Landing::Found(entry.clone(), Source::L2);
        assert!(guard.land_found(landing, keep).is_ok());
    }

    fn landing(&self, outcome: Outcome) -> Landing<()> {
        match outcome {
            Outcome::Kept(entry) => {
                *self.replica.l1.lock().unwrap() = Some(entry.clone());
                Landing::Told(entry.value, Cost::FREE)
            }
            Outcome::Passing(entry) => Landing::Told(entry.value, Cost::FREE),
            Outcome::Final(code) => Landing::failed(CacheError::Elsewhere(Some(code))),
            Outcome::InStore | Outcome::Failed => Landing::Failed {
                error: CacheError::Panicked,
                retry: true,
            },
        }
    }

    /// Looks, and claims where nothing is there; some engines do both at once.
    async fn look(&self) -> (Option<Entry>, Option<Claim>) {
        if thread_rng().gen_bool(0.5) {
            return (self.find().await, None);
        }
        self.at(|world| match world.kept.clone() {
            Some(entry) => (Some(entry), None),
            None => (None, Some(world.claim(self.number))),
        })
        .await
    }

    /// Keeps, tells and gives the lease back; some engines do all at once.
    async fn conclude(&self, outcome: Outcome) {
        if thread_rng().gen_bool(0.5) {
            self.at(|world| {
                world.keep(&outcome);
                world.release(self.number);
                world.tell(&outcome);
            })
            .await;
            return;
        }
        self.at(|world| world.keep(&outcome)).await;
        self.release().await;
        self.at(|world| world.tell(&outcome)).await;
    }

    async fn release(&self) {
        self.at(|world| world.release(self.number)).await;
    }
}

/// One caller, as `Cache::slow`.
async fn call(replica: StdArc<Replica>, fate: Fate) -> Result<Bytes, CacheError<()>> {
    let kept = replica.l1.lock().unwrap().clone();
    if let Some(entry) = kept {
        return Ok(entry.value);
    }
    let key = CacheKey::builder("model", "1").finish();
    let mut may_retry = true;
    loop {
        let (waiter, led) = match replica.flights.join::<()>(&key, Join::Normal) {
            Role::Follow(waiter) => (waiter, false),
            Role::Lead(guard, waiter) => {
                let number = replica
                    .at(|world| {
                        world.flights += 1;
                        world.flights
                    })
                    .await;
                let replica = StdArc::clone(&replica);
                let pilot = Pilot { replica, number };
                future::spawn(async move { pilot.fly(guard, fate).await });
                (waiter, true)
            }
            Role::Alone => unreachable!("there is room"),
        };
        match waiter.landed().await {
            Landing::Found(Entry { value, .. }, _)
            | Landing::Computed(value, _)
            | Landing::Told(value, _) => return Ok(value),
            Landing::Failed { retry: true, .. } if may_retry && !led => may_retry = false,
            Landing::Failed { error, .. } => return Err(error),
        }
    }
}

/// Returns when that replica's process is gone.
async fn death(world: Shared, number: usize) {
    while world.lock().unwrap().dead != Some(number) {
        future::yield_now().await;
    }
}

/// Two replicas with two callers each, some of whom leave at some moment.
async fn scenario(fate: Fate) {
    let mute = thread_rng().gen_bool(0.3);
    let world: Shared = Arc::new(Mutex::new(World {
        mute,
        ..World::default()
    }));
    let mut calls = Vec::new();
    for number in 0..2 {
        let replica = StdArc::new(Replica {
            number,
            world: Arc::clone(&world),
            l1: std::sync::Mutex::default(),
            flights: Flights::new(8),
        });
        for caller in 0..2 {
            let call = future::spawn(call(StdArc::clone(&replica), fate));
            // A caller that goes away changes nothing for the others.
            if caller == 0 && thread_rng().gen_bool(0.3) {
                call.abort();
            } else {
                calls.push((number, call));
            }
        }
    }
    for (number, call) in calls {
        // Nobody waits in a process that is gone; everybody else is answered.
        let gone = pin!(death(Arc::clone(&world), number));
        let answer = match select(call, gone).await {
            Either::Left((answer, _)) => answer.unwrap(),
            Either::Right(_) => continue,
        };
        match (fate, answer) {
            (_, Ok(value)) => assert_eq!(value, "answer"),
            (Fate::Fails, Err(CacheError::Panicked)) => {}
            (Fate::Final, Err(CacheError::Elsewhere(Some(7)))) => {}
            (Fate::Ends, Err(CacheError::Lost)) => {}
            (_, Err(error)) => panic!("{fate:?}: {error:?}"),
        }
    }
    let computations = world.lock().unwrap().computations;
    match fate {
        Fate::Kept => assert!(computations <= 1),
        Fate::Fails | Fate::LosesLease | Fate::Dies | Fate::Ends => assert!(computations <= 2),
        // Who comes after it, or misses the message, computes anew; and that is kept.
        Fate::Passing | Fate::Final => assert!(computations <= 2),
    }
}

fn explore(scheduler: impl Scheduler + 'static, fate: Fate) {
    let mut config = Config::new();
    config.stack_size = 0x2_0000;
    config.failure_persistence = shuttle::FailurePersistence::Print;
    Runner::new(scheduler, config).run(move || future::block_on(scenario(fate)));
}

#[test]
fn nobody_is_stuck_and_an_epoch_has_one_leader_whatever_the_order() {
    for fate in FATES {
        explore(RandomScheduler::new_from_seed(7, 200), fate);
        explore(PctScheduler::new_from_seed(7, 3, 100), fate);
    }
}

/// A world in which the lease is free, and what looks into the store is counted.
struct Free {
    first: bool,
    looks: std::sync::atomic::AtomicU32,
}

impl Peers for Free {
    type Ear = ();

    async fn claim(&self) -> Claim {
        Claim::Granted { first: self.first }
    }

    async fn listen(&self) -> Option<()> {
        None
    }

    async fn hear(&self, _: &mut Option<()>, _: Duration) -> Option<Outcome> {
        None
    }

    async fn find(&self) -> Option<Entry> {
        self.looks
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        None
    }

    async fn beat(&self) {}

    fn is_late(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn who_has_a_lease_that_nobody_had_before_doesnt_look_again() {
    for (first, looks) in [(true, 0), (false, 1)] {
        let world = Free {
            first,
            looks: 0.into(),
        };
        assert_eq!(course(&world, None, 0).await, Course::Lead { failures: 0 });
        assert_eq!(world.looks.into_inner(), looks, "first: {first}");
    }
    // Nor does who claimed it in the trip of the look.
    let world = Free {
        first: false,
        looks: 0.into(),
    };
    let claimed = Some(Claim::Granted { first: false });
    assert_eq!(
        course(&world, claimed, 0).await,
        Course::Lead { failures: 0 }
    );
    assert_eq!(world.looks.into_inner(), 0);
}
