//! Two replicas of the service under load while the master dies, freezes, and is cut off from its
//! sentinels: every request is answered with its own figures, and the second tier comes back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mock_anthropic::{Answer, Config, MockServer};
use store::test_util::redis::until;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::alone;
use crate::redis_asking::{Asked, percentile};
use crate::redis_group::{DOWN_AFTER_MS, Group};
use crate::support::{Options, Request, Service};

/// Documents a second; each is asked for four times, which makes 300 requests a second. Less
/// where the machine, busy with other work, can't carry that even while Redis is well.
const DOCUMENTS: [u64; 4] = [75, 36, 18, 9];
/// What half of the requests must take at most for a rate to be carried.
const CARRIED: Duration = Duration::from_millis(60);
/// Documents that are asked for before the load begins have numbers from here on.
const BEFORE: u64 = 1_000_000;
/// Seconds of load.
const SECONDS: u64 = 28;
/// Time from the new master to the second tier's return, at most.
const RETURN: Duration = Duration::from_secs(2);
/// Tenants, and what is added to a tenant's number for another one with the same documents.
const TENANTS: u64 = 7;
const TWIN: u64 = 100;

/// Every so many documents the model is asked too.
const MODEL_ASKED: u64 = 15;
/// More patience than the default's: a debug build on a busy machine isn't away because it takes
/// 40 ms to read an answer.
const PATIENT: &str = "[redis]\ncommand_timeout_ms = 500\n[cache]\nstore_read_deadline_ms = 600\n";

/// Which question about a document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The first one, to one replica.
    First,
    /// The second one, to the other replica: only the second tier can know the answer.
    Across,
    /// The third one, there again.
    Again,
    /// The same document in another tenant's name.
    Twin,
}

/// What became of one request.
struct Seen {
    /// When the document was first asked for.
    document: Duration,
    /// When this was asked.
    at: Duration,
    took: Duration,
    kind: Kind,
    /// What is wrong with the answer, if anything.
    wrong: Option<String>,
    /// Whether the answer was there, or another replica was just finding it.
    shared: bool,
}

/// A load, by its beginning and its rate.
#[derive(Debug, Clone, Copy)]
struct Load {
    services: [std::net::SocketAddr; 2],
    begun: Instant,
    documents: u64,
    /// The number of its first document.
    from: u64,
}

async fn ask(load: Load, place: usize, number: u64, kind: Kind) -> Seen {
    let Load {
        begun, services, ..
    } = load;
    let (service, number) = (services[place], load.from + number);
    let mut asked = Asked::rules(1 + number % TENANTS, number);
    asked.model = number.is_multiple_of(MODEL_ASKED);
    let mut body = asked.body();
    if kind == Kind::Twin {
        body["company_id"] = (asked.tenant + TWIN).into();
    }
    let at = begun.elapsed();
    let reply = Request::validate(&body).try_send(service).await;
    let took = begun.elapsed().saturating_sub(at);
    let (mut wrong, mut shared) = (None, false);
    match reply {
        Err(error) => wrong = Some(error.to_string()),
        Ok(reply) => {
            shared = ["hit", "coalesced"].contains(&reply.header("x-cache"));
            // The first answer that a tenant gets can't have been there before.
            let foreign = shared && kind == Kind::Twin;
            if foreign || !asked.is_answered_by(&reply) {
                wrong = Some(format!("{kind:?} {asked:?}: {reply:?}"));
            }
        }
    }
    let document = Duration::from_millis((number - load.from) * 1_000 / load.documents);
    Seen {
        document,
        at,
        took,
        kind,
        wrong,
        shared,
    }
}

/// Keeps its rate whatever the answers take, and tells how far it is.
async fn press(load: Load, seconds: u64, told: watch::Sender<u64>) -> Vec<Seen> {
    let mut asked = JoinSet::new();
    let period = Duration::from_secs(1) / u32::try_from(load.documents).unwrap();
    let mut ticks = tokio::time::interval(period);
    // 400 ms from one question about a document to the next.
    let later = load.documents * 2 / 5;
    for number in 0..load.documents * seconds {
        ticks.tick().await;
        told.send_replace(number);
        for (kind, ago) in [
            (Kind::First, 0),
            (Kind::Across, later),
            (Kind::Twin, later),
            (Kind::Again, 2 * later),
        ] {
            let Some(document) = number.checked_sub(ago) else {
                continue;
            };
            let other = usize::from(matches!(kind, Kind::Across | Kind::Again));
            let place = (usize::try_from(document).unwrap() + other) % 2;
            asked.spawn(ask(load, place, document, kind));
        }
    }
    asked.join_all().await
}

/// The highest rate that the machine carries while all is well.
async fn carried(services: [std::net::SocketAddr; 2]) -> u64 {
    let mut from = BEFORE;
    for documents in DOCUMENTS {
        let load = Load {
            services,
            begun: Instant::now(),
            documents,
            from,
        };
        let seen = press(load, 2, watch::Sender::new(0)).await;
        let mut times: Vec<_> = seen.iter().map(|one| one.took).collect();
        if percentile(&mut times, 50) <= CARRIED {
            return documents;
        }
        from += BEFORE;
    }
    DOCUMENTS[DOCUMENTS.len() - 1]
}

/// One fault, as the clock of the load has it.
struct Fault {
    what: &'static str,
    began: Duration,
    /// When the sentinels had another master.
    switched: Duration,
}

/// Waits until the load has come to this second.
async fn moment(load: Load, asked: &mut watch::Receiver<u64>, second: u64) {
    let number = second * load.documents;
    asked.wait_for(|asked| *asked >= number).await.unwrap();
}

/// The three faults, one after the other, each undone once there is another master.
async fn faults(group: &mut Group, load: Load, mut asked: watch::Receiver<u64>) -> Vec<Fault> {
    let begun = load.begun;
    let mut faults = Vec::new();
    for (what, second) in [("killed", 4), ("frozen", 12), ("cut off", 20)] {
        moment(load, &mut asked, second).await;
        // On a busy machine the sentinels may have changed their minds since the last fault.
        let master = group.master().await.unwrap();
        let began = begun.elapsed();
        match what {
            "killed" => group.servers[master].server.kill().unwrap(),
            "frozen" => group.servers[master].server.freeze().unwrap(),
            _ => group.servers[master].hide_from_sentinels(),
        }
        group.another_master(master).await;
        let switched = begun.elapsed();
        faults.push(Fault {
            what,
            began,
            switched,
        });
        // Two seconds on, so that the service has to do without it.
        moment(load, &mut asked, second + 5).await;
        match what {
            "killed" => group.servers[master].server.restart().await.unwrap(),
            "frozen" => group.servers[master].server.thaw().unwrap(),
            _ => group.servers[master].show_to_sentinels(),
        }
    }
    faults
}

/// The log of seconds.
fn table(seen: &[Seen], faults: &[Fault]) {
    let mut seconds: BTreeMap<u64, Vec<&Seen>> = BTreeMap::new();
    for one in seen {
        seconds.entry(one.at.as_secs()).or_default().push(one);
    }
    println!("second  requests  wrong  shared of asked across the replicas   p50 ms  p99 ms");
    for (second, all) in seconds {
        let mut times: Vec<_> = all.iter().map(|one| one.took).collect();
        let across = all.iter().filter(|one| one.kind == Kind::Across);
        let (asked, hits) = (
            across.clone().count(),
            across.filter(|one| one.shared).count(),
        );
        let wrong = all.iter().filter(|one| one.wrong.is_some()).count();
        let [p50, p99] = [50, 99].map(|share| percentile(&mut times, share).as_secs_f64() * 1e3);
        let mut note = String::new();
        for fault in faults {
            if fault.began.as_secs() == second {
                note += &format!("  master {}", fault.what);
            }
            if fault.switched.as_secs() == second {
                let after = fault.switched - fault.began;
                note += &format!("  another master after {after:.1?}");
            }
        }
        println!(
            "{second:6}  {:8}  {wrong:5}  {hits:26} of {asked:5}   {p50:6.1}  {p99:6.1}{note}",
            all.len()
        );
    }
}

/// Of the questions across the replicas about documents of this span of time, in percent, those
/// whose answer was shared.
fn shared_percent(seen: &[Seen], span: std::ops::Range<Duration>) -> usize {
    let across = seen
        .iter()
        .filter(|one| one.kind == Kind::Across && span.contains(&one.document));
    let (asked, shared) = (
        across.clone().count(),
        across.filter(|one| one.shared).count(),
    );
    assert!(asked > 10, "{asked} in {span:?}");
    shared * 100 / asked
}

/// How late the load itself was at most, which must ask in time whatever the answers take: what
/// a busy machine kept everybody from doing for so long.
fn lateness(seen: &[Seen], span: std::ops::Range<Duration>) -> Duration {
    seen.iter()
        .filter(|one| one.kind == Kind::First && span.contains(&one.document))
        .map(|one| one.at.saturating_sub(one.document))
        .max()
        .unwrap_or_default()
}

/// The second tier is back two seconds after the sentinels have another master, at the latest
/// (and what the machine itself was late meanwhile), and then as good as it was before the first fault. On a machine with other work to do it
/// wasn't whole before either: half of what it was is asked for.
fn is_back(seen: &[Seen], fault: &Fault, next: Duration, calm: usize) {
    let first = seen
        .iter()
        .filter(|one| one.kind == Kind::Across && one.shared && one.document >= fault.switched)
        .map(|one| one.document)
        .min()
        .unwrap_or(Duration::MAX);
    let late = lateness(seen, fault.switched..fault.switched + RETURN);
    let from = fault.switched + RETURN + late;
    let after = shared_percent(seen, from..next.saturating_sub(Duration::from_secs(1)));
    println!(
        "{}: another master after {:.1?}, the second tier back {:.2?} later ({:.2?} allowed); \
         shared then {after} %, {calm} % before all faults",
        fault.what,
        fault.switched.saturating_sub(fault.began),
        first.saturating_sub(fault.switched),
        RETURN + late,
    );
    assert!(first <= from, "{}: back at {first:?}", fault.what);
    let mut times: Vec<_> = seen
        .iter()
        .filter(|one| (from..next).contains(&one.at))
        .map(|one| one.took)
        .collect();
    // A machine that has no time left for the load itself says nothing of the store: its
    // commands are then given up as too slow.
    if percentile(&mut times, 50) <= CARRIED {
        assert!(after * 2 >= calm, "{}: {after} % of {calm} %", fault.what);
    } else {
        println!("{}: the machine no longer carried the load", fault.what);
    }
}

async fn well(service: &Service) {
    until("health to be well", async || {
        service.send(Request::get("/health")).await.status == 200
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_under_load_costs_no_answer() {
    let _turn = alone().await;
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.answer_with(Answer::always(r#"{"confidence": 93, "findings": []}"#));
    let mut group = Group::start().await;
    let options = || {
        Options::default()
            .model(&mock, 20_000)
            .env("REDIS_URL", &group.url())
            .config(PATIENT)
    };
    let services = [options().start().await, options().start().await];
    for service in &services {
        well(service).await;
    }
    let addresses = [services[0].addr, services[1].addr];
    let documents = carried(addresses).await;
    println!("{} requests a second", 4 * documents);
    let load = Load {
        services: addresses,
        begun: Instant::now(),
        documents,
        from: 0,
    };
    let (told, asked) = watch::channel(0);
    let loading = tokio::spawn(press(load, SECONDS, told));
    let faults = faults(&mut group, load, asked).await;
    let seen = loading.await.unwrap();
    table(&seen, &faults);
    let wrong: Vec<_> = seen.iter().filter_map(|one| one.wrong.as_ref()).collect();
    assert!(
        wrong.is_empty(),
        "{} wrong: {:?}",
        wrong.len(),
        wrong.first()
    );
    let calm = shared_percent(
        &seen,
        Duration::ZERO..faults[0].began.saturating_sub(RETURN),
    );
    let ends = faults.iter().skip(1).map(|fault| fault.began);
    for (fault, next) in faults
        .iter()
        .zip(ends.chain([Duration::from_secs(SECONDS)]))
    {
        let sentinels_time = fault.switched - fault.began;
        assert!(sentinels_time >= Duration::from_millis(DOWN_AFTER_MS) / 2);
        is_back(&seen, fault, next, calm);
    }
    for service in &services {
        well(service).await;
    }
}
