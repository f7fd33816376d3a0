//! The longest time that a run keeps a worker thread, while twenty PDFs are read.

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

/// Measures how long each poll keeps its thread: the time that passes, without the time for
/// which the kernel gave the processor to somebody else.
struct Watched<F> {
    inner: Pin<Box<F>>,
    longest: Duration,
    polls: usize,
}

impl<F: Future> Future for Watched<F> {
    type Output = (F::Output, Duration, usize);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (waited, begun) = (waited(), Instant::now());
        let polled = self.inner.as_mut().poll(context);
        let took = begun.elapsed();
        let others = self::waited().saturating_sub(waited);
        self.longest = self.longest.max(took.saturating_sub(others));
        self.polls += 1;
        polled.map(|output| (output, self.longest, self.polls))
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
            longest: Duration::ZERO,
            polls: 0,
        };
        let (report, longest, polls) = watched.await;
        let report = report.unwrap();
        assert_eq!((report.urls_scraped, report.errors), (20, vec![]));
        println!("{edition}: longest of {polls} polls {longest:?}");
        assert!(longest < Duration::from_millis(5), "{longest:?}");
        for n in 0..20 {
            let lines: Vec<String> = (5..800)
                .map(|line| format!("Manual {n}, linea {line} de texto corrido."))
                .collect();
            let path = format!("/m{n}.pdf");
            site.set(&path, Answer::Page("application/pdf", pdf(&lines), None));
        }
    }
}
