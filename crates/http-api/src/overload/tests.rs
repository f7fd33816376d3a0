//! The controller over a model of clients and cores, in a time of its own.

use std::collections::VecDeque;

use tokio::time::{advance, timeout};

use super::*;

const BOUND: Duration = Duration::from_millis(10);
/// What an answer takes, and a refusal.
const ANSWER: Duration = Duration::from_micros(300);
const REFUSAL: Duration = Duration::from_micros(45);
/// Requests that are with the service at once; others wait at the clients'.
const CONNECTIONS: usize = 512;

/// What came of a time.
#[derive(Debug, Default)]
struct Came {
    /// Waits of what was answered.
    waits: Vec<Duration>,
    refused: usize,
    /// The last refusal, from the beginning.
    last_refusal: Duration,
}

impl Came {
    fn p99(&self) -> Duration {
        let mut sorted = self.waits.clone();
        sorted.sort_unstable();
        sorted[sorted.len() * 99 / 100]
    }
}

/// One core that serves one after the other, the watcher among them.
struct Core {
    controller: Controller,
    start: Instant,
    now: Duration,
    /// When the next one comes.
    next: Duration,
    /// When each came who waits for a connection.
    outside: VecDeque<Duration>,
    /// The same of those who have one; the look is in line with them.
    inside: VecDeque<Option<Duration>>,
    look_due: Duration,
    looking: bool,
    refuses: bool,
    asked: u32,
    busy: Duration,
    ran: Duration,
}

impl Core {
    fn new() -> Self {
        Self {
            controller: Controller::new(BOUND),
            start: Instant::now(),
            now: Duration::ZERO,
            next: Duration::ZERO,
            outside: VecDeque::new(),
            inside: VecDeque::new(),
            look_due: CALM,
            looking: false,
            refuses: false,
            asked: 0,
            busy: Duration::ZERO,
            ran: Duration::ZERO,
        }
    }

    /// The machine does something else. Workers that were at work don't know.
    fn stall(&mut self, length: Duration) {
        self.now += length;
        self.busy += length;
    }

    /// Requests come evenly, at so many times what the core can; stalls now and then.
    fn serve(&mut self, load: f64, span: Duration, stalls: Option<(Duration, Duration)>) -> Came {
        let (begun, between) = (self.now, ANSWER.div_f64(load));
        let mut stall = stalls;
        let mut came = Came::default();
        while self.now < begun + span {
            while self.next <= self.now {
                self.outside.push_back(self.next);
                self.next += between;
            }
            if let Some((after, length)) = stall.filter(|(after, _)| begun + *after <= self.now) {
                self.stall(length);
                stall = stalls.map(|(every, length)| (after + every, length));
                continue;
            }
            self.line_up();
            match self.inside.pop_front() {
                Some(Some(at)) => self.answer(at, begun, &mut came),
                Some(None) => self.look(),
                None => self.now = self.next.min(self.look_due),
            }
        }
        came
    }

    fn line_up(&mut self) {
        while self.inside.len() < CONNECTIONS
            && let Some(at) = self.outside.pop_front()
        {
            self.inside.push_back(Some(at));
        }
        if !self.looking && self.look_due <= self.now {
            self.inside.push_back(None);
            self.looking = true;
        }
    }

    fn answer(&mut self, at: Duration, begun: Duration, came: &mut Came) {
        self.asked = self.asked.wrapping_add(1);
        let refused = self.refuses && !self.asked.is_multiple_of(LET_IN);
        let price = if refused { REFUSAL } else { ANSWER };
        self.now += price;
        self.busy += price;
        self.ran += price;
        if refused {
            came.refused += 1;
            came.last_refusal = self.now - begun;
        } else {
            came.waits.push(self.now - at);
        }
    }

    fn look(&mut self) {
        self.looking = false;
        self.refuses = self.controller.look(Look {
            at: self.start + self.now,
            late: self.now.saturating_sub(self.look_due),
            load: Load {
                busy: self.busy,
                ran: Some(self.ran),
                queued: 0,
                waiting: self.inside.len(),
                waited: Duration::ZERO,
            },
        });
        self.look_due = self.now + self.controller.pause();
    }
}

const SECONDS: fn(u64) -> Duration = Duration::from_secs;
const MILLIS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn twice_of_what_can_be_is_answered_quickly_or_refused_and_forgotten_after() {
    for (load, p99) in [(1.2, 10), (2.0, 10), (4.0, 200)] {
        let mut core = Core::new();
        let calm = core.serve(0.6, SECONDS(5), None);
        assert_eq!(calm.refused, 0);
        let over = core.serve(load, SECONDS(15), None);
        assert!(over.refused > 1_000, "{load}: {}", over.refused);
        assert!(over.p99() < MILLIS(p99), "{load}: {:?}", over.p99());
        let capacity = SECONDS(15).div_duration_f64(ANSWER);
        let part = over.waits.len() as f64 / capacity;
        // Of the core's time, less what refusals took.
        let possible = (1.0 - load * 0.15) / 0.85;
        assert!(part > possible * 0.9, "{load}: {part} of {possible}");
        let back = core.serve(0.6, SECONDS(5), None);
        assert!(back.last_refusal < MILLIS(300), "{:?}", back.last_refusal);
    }
}

#[test]
fn stalls_that_ebb_away_refuse_nobody() {
    for length in [20, 50, 100, 150, 200] {
        let mut core = Core::new();
        let stalls = Some((MILLIS(1_500), MILLIS(length)));
        let came = core.serve(0.6, SECONDS(30), stalls);
        assert_eq!(came.refused, 0, "stalls of {length} ms");
    }
}

#[test]
fn stalls_one_after_the_other_refuse_nobody() {
    for (length, count) in [(30, 3), (60, 3), (100, 3), (130, 3), (200, 2)] {
        for pause in [5, 10, 30, 60, 100, 150] {
            let mut core = Core::new();
            core.serve(0.6, SECONDS(1), None);
            let mut refused = 0;
            for _ in 0..count {
                core.stall(MILLIS(length));
                refused += core.serve(0.6, MILLIS(pause), None).refused;
            }
            refused += core.serve(0.6, SECONDS(5), None).refused;
            assert_eq!(refused, 0, "{count} of {length} ms, {pause} ms between");
        }
    }
}

#[test]
fn a_machine_that_is_too_small_is_no_stall() {
    // Always late, and the process gets half of the time.
    let mut controller = Controller::new(BOUND);
    let start = Instant::now();
    let first = (0..2_000).find(|millis| {
        let passed = MILLIS(*millis);
        controller.look(Look {
            at: start + passed,
            late: MILLIS(50),
            load: Load {
                busy: passed,
                ran: Some(passed / 2),
                ..Load::default()
            },
        })
    });
    assert!(
        first.is_some_and(|first| (500..600).contains(&first)),
        "{first:?}"
    );
}

/// Looks every 15 ms, late by 50 ms each, of workers that are busy for a part of the time.
fn late(controller: &mut Controller, looks: u32, part: f64) -> Vec<bool> {
    let (start, step) = (Instant::now(), MILLIS(15));
    let look = |number| Look {
        at: start + step * number,
        late: MILLIS(50),
        load: Load {
            busy: (step * number).mul_f64(part),
            ran: None,
            queued: 0,
            waiting: 0,
            waited: Duration::ZERO,
        },
    };
    (0..looks)
        .map(|number| controller.look(look(number)))
        .collect()
}

/// Looks every millisecond at a line whose first has waited longer each time, until a look refuses or
/// nobody is left.
fn refuses_in_line(length: impl Fn(Duration) -> Option<usize>) -> bool {
    let mut controller = Controller::new(BOUND);
    let start = Instant::now();
    (0..2_000)
        .map_while(|millis| Some((MILLIS(millis), length(MILLIS(millis))?)))
        .any(|(passed, waiting)| {
            controller.look(Look {
                at: start + passed,
                late: BOUND + passed,
                load: Load {
                    busy: passed,
                    waiting,
                    ..Load::default()
                },
            })
        })
}

#[test]
fn a_line_that_gets_shorter_refuses_nobody_though_its_first_has_waited_longer() {
    let left = |passed: Duration, gone: f64| {
        let gone = passed.as_secs_f64() * 1_000.0 * gone;
        (gone < 400.0).then(|| 400 - gone as usize)
    };
    // Hardly anybody is known of right after a stall: the longest line counts.
    let after_a_stall = |passed: Duration| match passed < MILLIS(5) {
        true => Some(20),
        false => left(passed - MILLIS(5), 1.0),
    };
    assert!(!refuses_in_line(|passed| left(passed, 1.0)));
    assert!(!refuses_in_line(after_a_stall));
    assert!(refuses_in_line(|passed| left(passed, 0.1)));
    assert!(refuses_in_line(|_| Some(400)));
}

#[test]
fn an_idle_service_on_a_busy_machine_refuses_nobody() {
    let mut controller = Controller::new(BOUND);
    assert!(
        late(&mut controller, 100, 0.5)
            .iter()
            .all(|refuses| !refuses)
    );
    let busy = late(&mut Controller::new(BOUND), 100, 0.9);
    let first = busy.iter().position(|refuses| *refuses).unwrap();
    assert_eq!(first, 3, "45 ms, the first look after 40, and not before");
    // Who was overloaded and is only late for want of a processor refuses nobody either.
    controller = Controller::new(BOUND);
    controller.overloaded = true;
    let idle = late(&mut controller, 100, 0.1);
    assert!(idle[20..].iter().all(|refuses| !refuses));
}

#[test]
fn one_that_comes_back_soon_is_known_sooner_and_lasts_longer() {
    let first = |ended: Option<Duration>| {
        let mut controller = Controller::new(BOUND);
        controller.ended = ended.map(|ago| Instant::now() - ago);
        let refused = late(&mut controller, 100, 0.9);
        (
            refused.iter().position(|refuses| *refuses).unwrap(),
            controller.again,
        )
    };
    // Looks come every 15 ms.
    assert_eq!(first(None), (3, false));
    assert_eq!(first(Some(SECONDS(1))), (2, true));
    assert_eq!(first(Some(SECONDS(3))), (3, false));
    for (again, relieved) in [(false, 260), (true, 1_010)] {
        let mut controller = Controller::new(BOUND);
        (controller.overloaded, controller.again) = (true, again);
        let start = Instant::now();
        let on_time = |millis| Look {
            at: start + MILLIS(millis),
            late: Duration::ZERO,
            load: Load::default(),
        };
        let over = (0..2_000).find(|millis| {
            controller.look(on_time(*millis));
            !controller.overloaded
        });
        assert!(
            over.is_some_and(|over| over.abs_diff(relieved) <= 10),
            "{over:?}"
        );
        assert_eq!(controller.ended, over.map(|over| start + MILLIS(over)));
    }
}

#[test]
fn a_crowd_that_waits_behind_the_look_counts_as_a_delay() {
    let refuses = |queued| {
        let mut controller = Controller::new(BOUND);
        let (start, step) = (Instant::now(), MILLIS(20));
        (0..20).any(|number| {
            let busy = step * number;
            controller.look(Look {
                at: start + step * number,
                late: MILLIS(1),
                load: Load {
                    busy,
                    queued,
                    ..Load::default()
                },
            })
        })
    };
    assert!(!refuses(CROWD) && refuses(CROWD + 1));
}

#[tokio::test]
async fn the_runtime_tells_what_it_does() {
    let load = Load::of_runtime(&Offload::default(), &Turns::default());
    assert_eq!(load.queued, 0);
    assert!(load.busy < SECONDS(60));
    assert!(load.ran > Some(Duration::ZERO));
}

#[test]
fn some_are_let_in_also_then() {
    let overload = Overload::new(BOUND);
    assert!((0..1_000).all(|_| !overload.refuses()));
    overload.refusing.store(true, Ordering::Relaxed);
    let refused = (0..3_200).filter(|_| overload.refuses()).count();
    assert_eq!(refused, 3_100);
}

/// Lets time jump, so that each look comes too late, while the workers are as busy as said.
async fn jump(overload: &Overload, part: f64) -> bool {
    let start = Instant::now();
    let load = || Load {
        busy: start.elapsed().mul_f64(part),
        ran: None,
        queued: 0,
        waiting: 0,
        waited: Duration::ZERO,
    };
    let jumps = async {
        let mut refused = false;
        for _ in 0..20 {
            advance(MILLIS(40)).await;
            tokio::task::yield_now().await;
            refused |= overload.refuses();
        }
        refused
    };
    tokio::select! {
        refused = jumps => refused,
        () = overload.watch_with(load) => false,
    }
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_is_late_and_busy_refuses_and_recovers() {
    let overload = Overload::new(BOUND);
    assert!(!jump(&overload, 0.1).await);
    assert!(jump(&overload, 1.0).await);
    // And on time nobody is.
    let watched = timeout(SECONDS(1), overload.watch_with(Load::default)).await;
    assert!(watched.is_err() && (0..100).all(|_| !overload.refuses()));
}

#[tokio::test(start_paused = true)]
async fn a_bound_of_zero_watches_nothing() {
    let overload = Overload::new(Duration::ZERO);
    overload.watch_with(Load::default).await;
    assert!(!overload.refuses());
}
