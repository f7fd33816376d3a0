//! Where log lines wait for the thread that writes them.
//!
//! A line is copied into a buffer under a lock that is held for nothing else; the writer takes
//! the whole buffer at a time, a few times a second. `tracing-appender` hands each line over by
//! itself: at 60,000 requests a second, waking its thread for each cost a third of the
//! service's throughput (`/live` 67,000 against 100,000 requests a second, two cores).

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes that may wait; a line that comes on top is dropped and counted.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Once there is something to write, so long is gathered before it is.
const GATHER: Duration = Duration::from_millis(50);

/// The longest wait for the last lines at the end of the process.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The counter of lines that found no room.
fn dropped_lines() -> metrics::Counter {
    metrics::counter!("log_lines_dropped_total")
}

/// The queue's end for those who log.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    shared: Arc<Shared>,
}

/// The writer; dropping it writes what waits.
#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    done: Receiver<()>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A line is appended whole or not at all: a panic leaves nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next bytes to write; `None` at the end.
    fn next(&self, mut spare: Vec<u8>) -> Option<Vec<u8>> {
        let idle = |waiting: &mut Waiting| waiting.bytes.is_empty() && !waiting.closed;
        let waiting = self.changed.wait_while(self.lock(), idle);
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let gathering = self.changed.wait_timeout_while(waiting, GATHER, |waiting| {
            waiting.bytes.len() < MAX_BYTES / 2 && !waiting.closed
        });
        let (mut waiting, _) = gathering.unwrap_or_else(PoisonError::into_inner);
        if waiting.bytes.is_empty() {
            return None;
        }
        spare.clear();
        Some(std::mem::replace(&mut waiting.bytes, spare))
    }
}

impl Journal {
    /// Starts the thread that writes to `out`.
    pub(super) fn start(mut out: impl Write + Send + 'static) -> io::Result<(Self, Writer)> {
        // So that it is shown before there is any.
        dropped_lines().increment(0);
        let shared = Arc::new(Shared::default());
        let (sender, done) = mpsc::channel();
        let reading = Arc::clone(&shared);
        thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || {
                let mut spare = Vec::new();
                while let Some(bytes) = reading.next(spare) {
                    // A log that can't be written has nowhere to say so.
                    let _ = out.write_all(&bytes).and_then(|()| out.flush());
                    // What a burst needed isn't kept.
                    spare = if bytes.capacity() > 1024 * 1024 {
                        Vec::new()
                    } else {
                        bytes
                    };
                }
                let _ = sender.send(());
            })?;
        Ok((
            Self {
                shared: Arc::clone(&shared),
            },
            Writer { shared, done },
        ))
    }

    /// Queues a whole line, or drops and counts it where there is no room.
    pub(super) fn append(&self, line: &[u8]) {
        let shared = &self.shared;
        let mut waiting = shared.lock();
        if waiting.closed || waiting.bytes.len() + line.len() > MAX_BYTES {
            drop(waiting);
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            dropped_lines().increment(1);
            return;
        }
        let was = waiting.bytes.len();
        waiting.bytes.extend_from_slice(line);
        let is = waiting.bytes.len();
        drop(waiting);
        // The writer sleeps until there is a first line, then until there are too many.
        if was == 0 || (was < MAX_BYTES / 2 && is >= MAX_BYTES / 2) {
            shared.changed.notify_one();
        }
    }
}

impl Writer {
    /// Lines that found no room.
    pub(super) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
        // A pipe that nobody reads must not hold the process.
        let _ = self.done.recv_timeout(LAST_LINES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Out(Arc<Mutex<Vec<u8>>>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Takes nothing until it is let go.
    struct Stuck(Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_from_many_threads_come_whole_and_all() {
        let out = Out::default();
        let (journal, writer) = Journal::start(out.clone()).unwrap();
        let threads: Vec<_> = (0..8)
            .map(|id| {
                let journal = journal.clone();
                thread::spawn(move || {
                    for number in 0..1_000 {
                        let line = format!("{id} {number} {}\n", "x".repeat(number % 50));
                        journal.append(line.as_bytes());
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(writer.dropped(), 0);
        drop(writer);
        let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 8_000);
        for id in 0..8 {
            let own = text
                .lines()
                .filter(|line| line.starts_with(&format!("{id} ")));
            let numbers: Vec<usize> = own
                .map(|line| line.split(' ').nth(1).unwrap().parse().unwrap())
                .collect();
            assert!(
                numbers.iter().copied().eq(0..1_000),
                "{id} is in order and whole"
            );
        }
    }

    #[test]
    fn nobody_waits_for_an_output_that_is_stuck() {
        let (release, stuck) = mpsc::channel();
        let (journal, writer) = Journal::start(Stuck(stuck)).unwrap();
        let line = vec![b'x'; 1024 * 1024];
        // Twice what may wait: one buffer is with the writer, one waits, the rest is dropped.
        for _ in 0..24 {
            journal.append(&line);
        }
        assert!(writer.dropped() >= 8, "{}", writer.dropped());
        drop(release);
        drop(writer);
        let before = journal.shared.dropped.load(Ordering::Relaxed);
        journal.append(b"late\n");
        assert_eq!(journal.shared.dropped.load(Ordering::Relaxed), before + 1);
    }
}
