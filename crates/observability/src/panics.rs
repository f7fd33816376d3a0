//! Panics as log lines.

use std::panic;

/// From now on a panic is one log line that says where it was, and nothing else.
///
/// The default hook writes several lines that are no JSON, with the panic's message; and a
/// message may quote what was worked on (a slice out of bounds shows the text that it cuts),
/// which belongs in no log.
pub fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string);
        let thread = std::thread::current();
        tracing::error!(location, thread = thread.name(), "panicked");
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_panic_says_where_and_not_what() {
        let out = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::fmt()
            .with_writer(Arc::new(Shared(Arc::clone(&out))))
            .finish();
        let usual = panic::take_hook();
        log_panics();
        let caught = tracing::subscriber::with_default(subscriber, || {
            panic::catch_unwind(|| panic!("la factura de Juan"))
        });
        panic::set_hook(usual);
        assert!(caught.is_err());
        let text = String::from_utf8(out.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            text.contains("panics.rs:") && !text.contains("Juan"),
            "{text}"
        );
    }

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for &Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
