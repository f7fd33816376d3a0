//! Replicas as real processes over a real Redis: one computation for all of them, also when
//! the one that computes is killed (`kill -9`) or Redis freezes (`SIGSTOP`).
//!
//! Started with `replica PORT` this program is such a process. It tells on its standard output
//! what it does and is told on its standard input when to go on, so that nothing here sleeps.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking; it tells its parent, or the terminal, what it does"
)]

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use cache::{Cache, CacheConfig, CacheKey, Computed, Keep, Mode, Policy, Status};
use futures_util::future::join_all;
use store::test_util::redis::Server;
use store::{Deployment, RedisConfig, RedisHost, RedisStore, Store, SystemClock};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const POLICY: Policy = Policy::new(PATIENCE);
const CALLS: usize = 300;
const REPLICAS: usize = 3;
/// Short, as a death is noticed when it ends.
const LEASE_MS: u64 = 500;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    match &args[..] {
        [word, port] if word == "replica" => {
            runtime.block_on(replica(port.parse().expect("a port")));
        }
        // What a test runner asks for first.
        args if args.iter().any(|arg| arg == "--list") => {}
        _ => runtime.block_on(async {
            processes_compute_once().await;
            println!("test processes_compute_once ... ok");
            a_killed_leader_costs_one_more_computation().await;
            println!("test a_killed_leader_costs_one_more_computation ... ok");
            a_frozen_redis_costs_no_answer().await;
            println!("test a_frozen_redis_costs_no_answer ... ok");
        }),
    }
}

fn key(input: &str) -> CacheKey {
    CacheKey::builder("validate", "1")
        .bytes("input", input.as_bytes())
        .finish()
}

async fn cache(host: RedisHost) -> Cache {
    let store = RedisStore::start(RedisConfig::new(Deployment::Standalone(host))).unwrap();
    store.ready(PATIENCE).await.unwrap();
    let config = CacheConfig {
        // How busy the machine is is no matter here.
        store_read_deadline_ms: 10_000,
        store_write_deadline_ms: 10_000,
        lease_ms: LEASE_MS,
        ..CacheConfig::default()
    };
    let store = Arc::new(store) as Arc<dyn Store>;
    Cache::new(&config, &["validate"], Some(store), Arc::new(SystemClock)).unwrap()
}

/// A replica's process: `READY`, then after `go` its calls; `BEGUN` when it computes, `ASKED`
/// when all its calls wait, and after `end` (which ends computations) `DONE` and how many of
/// its calls were answered.
async fn replica(port: u16) {
    let cache = cache(RedisHost::new("127.0.0.1", port)).await;
    let (words, mut heard) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            if line.map(|line| words.send(line)).is_err() {
                return;
            }
        }
    });
    let (end, ended) = watch::channel(false);
    println!("READY");
    assert_eq!(heard.recv().await.as_deref(), Some("go"));
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let (cache, mut ended) = (cache.clone(), ended.clone());
            tokio::spawn(async move {
                let compute = || async move {
                    println!("BEGUN");
                    ended.wait_for(|ended| *ended).await.expect("held");
                    Ok::<_, ()>(Computed::new("answer", Keep::For(PATIENCE)))
                };
                let key = key("shared");
                let answer = cache.get_or_compute(&key, POLICY, Mode::Normal, compute);
                answer.await.is_ok_and(|answer| answer.value == "answer")
            })
        })
        .collect();
    // The first one leads, here at least: the others wait for it.
    while cache.stats().flights == 0 {
        tokio::task::yield_now().await;
    }
    println!("ASKED");
    assert_eq!(heard.recv().await.as_deref(), Some("end"));
    end.send_replace(true);
    let answers = join_all(calls).await;
    let answered = answers
        .into_iter()
        .filter(|answer| matches!(answer, Ok(true)));
    println!("DONE {}", answered.count());
    assert!(cache.drain(PATIENCE).await);
}

/// A replica's process, from its parent's side.
struct Process {
    child: Child,
    says: Lines<BufReader<ChildStdout>>,
    ear: ChildStdin,
}

impl Process {
    async fn start(port: u16) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["replica", &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let says = BufReader::new(child.stdout.take().unwrap()).lines();
        let ear = child.stdin.take().unwrap();
        let mut process = Self { child, says, ear };
        assert_eq!(process.line().await, "READY");
        process
    }

    async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.says.next_line()).await;
        line.expect("in time").unwrap().expect("a line")
    }

    async fn tell(&mut self, word: &str) {
        let line = format!("{word}\n");
        self.ear.write_all(line.as_bytes()).await.unwrap();
    }

    /// Starts its calls; says whether it computes.
    async fn asks(&mut self) -> bool {
        self.tell("go").await;
        let mut begun = false;
        loop {
            match &self.line().await[..] {
                "BEGUN" => begun = true,
                "ASKED" => return begun,
                other => panic!("{other}"),
            }
        }
    }

    /// Reads on to the end; how often it began to compute meanwhile.
    async fn done(&mut self) -> usize {
        let mut begun = 0;
        loop {
            match &self.line().await[..] {
                "BEGUN" => begun += 1,
                done => {
                    assert_eq!(done, format!("DONE {CALLS}"));
                    return begun;
                }
            }
        }
    }
}

async fn three(server: &Server) -> Vec<Process> {
    let start = |_| Process::start(server.port());
    join_all((0..REPLICAS).map(start)).await
}

async fn processes_compute_once() {
    let server = Server::start(&[]).await.unwrap();
    let mut processes = three(&server).await;
    let asked = join_all(processes.iter_mut().map(Process::asks)).await;
    let mut begun = asked.iter().filter(|begun| **begun).count();
    for process in &mut processes {
        process.tell("end").await;
    }
    for process in &mut processes {
        begun += process.done().await;
    }
    assert_eq!(begun, 1, "3 × 300 calls, upstream calls");
}

async fn a_killed_leader_costs_one_more_computation() {
    let server = Server::start(&[]).await.unwrap();
    let mut processes = three(&server).await;
    // The first one asks alone, so that it is the leader, and computes.
    processes[0].tell("go").await;
    let mut said = [processes[0].line().await, processes[0].line().await];
    said.sort();
    assert_eq!(said, ["ASKED", "BEGUN"]);
    for process in &mut processes[1..] {
        assert!(!process.asks().await, "two leaders");
    }
    processes[0].child.kill().await.unwrap();
    // One of the two others takes over, once the lease has ended.
    let (one, two) = processes[1..].split_at_mut(1);
    let (one, two) = (&mut one[0], &mut two[0]);
    let promoted = tokio::select! {
        line = one.line() => line,
        line = two.line() => line,
    };
    assert_eq!(promoted, "BEGUN");
    for process in [&mut *one, &mut *two] {
        process.tell("end").await;
    }
    let more = one.done().await + two.done().await;
    assert_eq!(more, 0, "upstream calls beyond two");
}

async fn a_frozen_redis_costs_no_answer() {
    let server = Server::start(&[]).await.unwrap();
    let store = RedisStore::start(RedisConfig::new(Deployment::Standalone(server.host())));
    let store = store.unwrap();
    store.ready(PATIENCE).await.unwrap();
    let store = Arc::new(store) as Arc<dyn Store>;
    let caches = [(); 2].map(|()| {
        let (store, clock) = (Arc::clone(&store), Arc::new(SystemClock));
        Cache::new(&CacheConfig::default(), &["validate"], Some(store), clock).unwrap()
    });
    let ask = async |cache: &Cache, input: &str| {
        let key = key(input);
        let value = format!("answer to {input}");
        let compute = || async move { Ok::<_, ()>(Computed::new(value, Keep::For(PATIENCE))) };
        let answer = cache
            .get_or_compute(&key, POLICY, Mode::Normal, compute)
            .await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.value, format!("answer to {input}"));
        answer.status
    };
    server.freeze().unwrap();
    for cache in &caches {
        for number in 0..3 {
            assert_eq!(ask(cache, &format!("frozen {number}")).await, Status::Miss);
        }
    }
    server.thaw().unwrap();
    // The store comes back by itself: what one writes the other finds.
    let shared = async {
        for number in 0.. {
            let input = format!("thawed {number}");
            ask(&caches[0], &input).await;
            assert!(caches[0].drain(PATIENCE).await);
            if ask(&caches[1], &input).await == Status::Hit {
                return;
            }
        }
    };
    timeout(PATIENCE, shared).await.expect("the store is back");
}
