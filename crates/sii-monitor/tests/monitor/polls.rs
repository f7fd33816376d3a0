//! How long a run keeps a worker thread, while twenty PDFs are read.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use sii_monitor::fetch::HttpFetcher;
use sii_monitor::source::{Kind, Source};

use crate::fetching::quick;
use crate::rig::{Told, clock, monitor, store};
use crate::site::{Answer, Site, pdf};

/// What counts as long.
const LONG: Duration = Duration::from_millis(5);
/// So many long polls are the machine's own stalls, which a virtual one's kernel can't see. Whatever
/// reads or waits in a poll does so for each PDF.
const STALLS: usize = 3;

/// Measures how long each poll keeps its thread: the time that passes, without the time for
/// which the kernel gave the processor to somebody else.
struct Watched<F> {
    inner: Pin<Box<F>>,
    polls: Vec<Duration>,
}

impl<F: Future> Future for Watched<F> {
    type Output = (F::Output, Vec<Duration>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (waited, begun) = (waited(), Instant::now());
        let polled = self.inner.as_mut().poll(context);
        let took = begun.elapsed();
        let others = self::waited().saturating_sub(waited);
        self.polls.push(took.saturating_sub(others));
        polled.map(|output| (output, std::mem::take(&mut self.polls)))
    }
}

/// How long this thread was ready to run and didn't; zero where the system doesn't tell.
fn waited() -> Duration {
    let figures = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let waited = figures
        .split_whitespace()
        .nth(1)
        .and_then(|figure| figure.parse().ok());
    Duration::from_nanos(waited.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_poll_is_long_while_twenty_pdfs_are_read() {
    let site = Site::start().await;
    let mut sources = Vec::new();
    for n in 0..20 {
        let path = format!("/m{n}.pdf");
        let lines: Vec<String> = (0..800)
            .map(|line| format!("Manual {n}, linea {line} de texto corrido."))
            .collect();
        site.set(&path, Answer::Page("application/pdf", pdf(&lines), None));
        sources.push(Source::new(&format!("m{n}"), &site.url(&path), Kind::Pdf));
    }
    let (clock, told) = (clock(), Told::default());
    let fetcher = Arc::new(HttpFetcher::try_new(quick()).unwrap());
    let monitor = monitor(sources, store(&clock), fetcher, &clock, &told);
    for edition in ["baseline", "new edition"] {
        let watched = Watched {
            inner: Box::pin(monitor.run(true)),
            polls: Vec::new(),
        };
        let (report, mut polls) = watched.await;
        let report = report.unwrap();
        assert_eq!((report.urls_scraped, report.errors), (20, vec![]));
        polls.sort_unstable_by(|one, other| other.cmp(one));
        let longest = &polls[..polls.len().min(20)];
        println!("{edition}: longest of {} polls {longest:?}", polls.len());
        let long = polls.iter().filter(|poll| **poll >= LONG).count();
        assert!(long <= STALLS, "{longest:?}");
        for n in 0..20 {
            let lines: Vec<String> = (5..800)
                .map(|line| format!("Manual {n}, linea {line} de texto corrido."))
                .collect();
            let path = format!("/m{n}.pdf");
            site.set(&path, Answer::Page("application/pdf", pdf(&lines), None));
        }
    }
}
