//! The tax service's monitor on two replicas that are killed while they run: each item is in the
//! store exactly once, is told at least once, and every replica's chat finds it.
//!
//! `AI_SERVICE_KILLS=50 cargo test --test redis killed_anywhere -- --nocapture` tries fifty
//! points; without the variable it is six, as each one waits for a dead one's lease.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use store::test_util::redis::{Server, until};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::alone;
use crate::support::{Options, Request, Service, Site};

/// Points that are tried where nobody says how many.
const KILLS: usize = 6;
/// Longer than a run takes.
const RUN: Duration = Duration::from_secs(5);
/// A debug build on a busy machine hasn't time to read Redis's answers within the defaults' 40 ms.
const PATIENT: &str = "[redis]\ncommand_timeout_ms = 3000\nunresponsive_timeout_ms = 9000\n";

fn entry(name: &str, number: usize) -> String {
    let path = format!("/{name}{number}.htm").to_lowercase();
    format!(
        "<h5><a href='{path}'>{name} N° {number} del 3 de Noviembre del 2026</a></h5>\
         <p>Materia número {number}.</p>"
    )
}

/// Publishes circulars and resolutions up to this one.
fn publish(site: &Site, last: usize) {
    for (name, page) in [
        ("Circular", "/circulares.htm"),
        ("Resolucion", "/resoluciones.htm"),
    ] {
        let text = format!("Instrucciones de la {name} {last} sobre el registro de bodegas.");
        let path = format!("/{name}{last}.htm").to_lowercase();
        site.set(&path, &format!("<p>{text}</p>"));
        let index: String = (1..=last).rev().map(|n| entry(name, n)).collect();
        site.set(page, &index);
    }
}

fn options(site: &Site, server: &Server) -> Options {
    let source = |key: &str, tipo: &str| {
        let url = site.url(&format!("/{key}.htm"));
        format!(
            "[[sii_monitor.sources]]\nkey = \"{key}\"\nurl = \"{url}\"\nkind = \"index\"\ntipo = \"{tipo}\"\n"
        )
    };
    let config = format!(
        "[sii_monitor]\ndefault_sources = false\nrequest_interval_ms = 0\nlook_seconds = 1\n\
         lease_seconds = 3\nallow_private_hosts = [\"127.0.0.1\"]\n\
         webhook = {{ url = \"{}\", secret = \"secreto-de-prueba\" }}\n{}{}{PATIENT}",
        site.url("/aviso"),
        source("circulares", "circular"),
        source("resoluciones", "resolucion"),
    );
    Options::default()
        .env("REDIS_URL", &format!("redis://{}", server.host()))
        .config(&config)
}

/// Starts a replica that knows Redis.
async fn started(options: &Options) -> Service {
    let service = options.start().await;
    until("health to be well", async || {
        service.send(Request::get("/health")).await.status == 200
    })
    .await
    .unwrap();
    service
}

fn request() -> Request {
    Request::post("/api/ai/sii/monitor", &json!({ "force": true }))
}

/// The commands about the monitor that Redis is given, as it tells them itself.
struct Commands(watch::Receiver<usize>);

impl Commands {
    async fn of(server: &Server) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port()))
            .await
            .unwrap();
        stream.write_all(b"MONITOR\r\n").await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "+OK");
        let (sender, count) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let ours = line.contains("ai:sii:") || line.contains("ai:news:");
                sender.send_modify(|count| *count += usize::from(ours));
            }
        });
        Self(count)
    }

    fn so_far(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits for so many more. A run may have fewer than another one: then it is over.
    async fn pass(&mut self, more: usize) {
        let until = self.so_far() + more;
        let passed = self.0.wait_for(|count| *count >= until);
        let _ = timeout(RUN, passed).await;
    }
}

/// Runs, once the lease of whoever died is over.
async fn run(service: &Service) {
    until("a run of one's own", async || {
        let report = service.send(request()).await.json();
        assert!(
            report["status"] == "success" || report["status"] == "running",
            "{report}"
        );
        report["status"] == "success"
    })
    .await
    .unwrap();
}

/// Every item, by its id, as often as it is there.
async fn items(service: &Service) -> BTreeMap<String, usize> {
    let mut items = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/ai/sii/news?limit=7&cursor={cursor}");
        let page = service.send(Request::get(&path)).await.json();
        count(&mut items, &page["items"]);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return items,
        }
    }
}

fn count(counts: &mut BTreeMap<String, usize>, items: &Value) {
    for item in items.as_array().unwrap() {
        let id = item["id"].as_str().unwrap().to_owned();
        *counts.entry(id).or_default() += 1;
    }
}

fn told(site: &Site) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for body in site.posted("/aviso") {
        count(&mut counts, &body["items"]);
    }
    counts
}

async fn finds(service: &Service, number: usize) -> bool {
    let path = format!("/api/chat/knowledge/search?top_k=20&query=circular+{number}+bodegas");
    let found = service.send(Request::get(&path)).await.json();
    let results = found["results"].as_array().unwrap();
    results.iter().any(|hit| {
        let id = hit["id"].as_str().unwrap();
        id.starts_with(&format!("sii/circular-{number}-2026"))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_anywhere_each_item_is_once_in_the_store_and_told() {
    let _turn = alone().await;
    let kills = std::env::var("AI_SERVICE_KILLS");
    let kills = kills.map_or(KILLS, |kills| kills.parse().unwrap());
    let server = Server::start(&[]).await.unwrap();
    let site = Site::start().await;
    publish(&site, 3);
    let options = [options(&site, &server), options(&site, &server)];
    let mut replicas = [started(&options[0]).await, started(&options[1]).await];
    run(&replicas[0]).await;
    assert!(items(&replicas[1]).await.is_empty());
    // How long a run takes that finds something: the points are spread over it.
    publish(&site, 4);
    let mut commands = Commands::of(&server).await;
    run(&replicas[1]).await;
    let whole = commands.so_far();
    println!("a whole run is {whole} commands to Redis");
    println!(
        "{:>5} {:>9} {:>6} {:>8} {:>6}",
        "point", "after", "items", "notices", "twice"
    );
    for point in 0..kills {
        let last = 5 + point;
        publish(&site, last);
        let (victim, other) = (point % 2, (point + 1) % 2);
        let addr = replicas[victim].addr;
        let asked = tokio::spawn(async move { request().try_send(addr).await.is_ok() });
        // Spread by a number that has nothing in common with how many there are.
        let after = point * 7_919 % whole;
        commands.pass(after).await;
        replicas[victim].signal("KILL").await;
        replicas[victim].ended().await;
        let _ = asked.await;
        run(&replicas[other]).await;
        replicas[victim] = started(&options[victim]).await;
        let (items, told) = (items(&replicas[victim]).await, told(&site));
        println!(
            "{point:>5} {after:>9} {:>6} {:>8} {:>6}",
            items.len(),
            told.values().sum::<usize>(),
            told.values().filter(|times| **times > 1).count()
        );
        assert!(items.values().all(|times| *times == 1), "{items:?}");
        // A circular and a resolution, each time.
        assert_eq!(items.len(), 2 * (last - 3), "{items:?}");
    }
    let expected = items(&replicas[0]).await;
    until("every item to be told", async || {
        told(&site).keys().eq(expected.keys())
    })
    .await
    .unwrap();
    for replica in &replicas {
        until("every replica to know the last", async || {
            finds(replica, 4 + kills).await
        })
        .await
        .unwrap();
    }
}
