//! An event as one line of JSON, written straight into the line.
//!
//! `tracing-subscriber`'s own JSON format goes through a serializer and costs 5 µs for the
//! line of a request, a third of all that the service does for a cheap one; its layer for plain
//! lines hands each piece of one over by itself, at two and a half times what it costs here.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt::{self, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::journal::Journal;
use super::mask::masked;

/// The longest line whose room a thread keeps for its next one, in bytes.
const KEPT: usize = 16 * 1024;

thread_local! {
    /// Where a thread puts its lines together.
    static LINE: Cell<String> = const { Cell::new(String::new()) };
    /// The second that its last line was written in, and as text up to the point.
    static SECOND: RefCell<(u64, String)> = const { RefCell::new((u64::MAX, String::new())) };
}

/// Writes `{"timestamp":…,"level":…,FIELDS…,"target":…}` for each event; `message` is a field.
pub(super) struct Lines {
    /// Whether there are traces, so that a line says which one it belongs to.
    pub(super) traced: bool,
    /// Where lines go.
    pub(super) journal: Journal,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Taken and not borrowed: a value that is being written may log something itself.
        let mut line = LINE.try_with(Cell::take).unwrap_or_default();
        line.clear();
        self.write(&mut line, event);
        self.journal.append(line.as_bytes());
        if line.capacity() <= KEPT {
            // A thread that ends has no next line.
            let _ = LINE.try_with(|kept| kept.set(line));
        }
    }
}

impl Lines {
    fn write(&self, line: &mut String, event: &Event<'_>) {
        let metadata = event.metadata();
        line.push_str("{\"timestamp\":\"");
        timestamp(line, SystemTime::now());
        line.push_str("\",\"level\":\"");
        line.push_str(metadata.level().as_str());
        line.push('"');
        event.record(&mut Fields { line });
        if let Some((trace, span)) = self.traced.then(crate::traces::ids).flatten() {
            // Writing to a String can't fail.
            let _ = write!(line, ",\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"");
        }
        line.push_str(",\"target\":");
        quoted(line, |line| line.push_str(metadata.target()));
        line.push_str("}\n");
    }
}

/// `2026-11-23T03:30:15.852537Z`. The second's text is made once a second and thread.
fn timestamp(line: &mut String, now: SystemTime) {
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since_epoch.as_secs();
    // A thread that ends, or a value that logs while the text is made, makes its own.
    let cached = SECOND.try_with(|second| {
        let mut second = second.try_borrow_mut().ok()?;
        if second.0 != seconds {
            *second = (seconds, text_of(seconds));
        }
        line.push_str(&second.1);
        Some(())
    });
    if !matches!(cached, Ok(Some(()))) {
        line.push_str(&text_of(seconds));
    }
    let mut digits = *b".000000Z";
    let mut rest = since_epoch.subsec_micros();
    for digit in digits[1..7].iter_mut().rev() {
        // Below ten.
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    // Digits, a point and a letter.
    line.push_str(str::from_utf8(&digits).unwrap_or_default());
}

/// Seconds since 1970 as a date and a time of day, in UTC.
fn text_of(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok();
    let time = time.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let mut text = time.unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    // Whole seconds have no fraction.
    text.truncate(text.len() - 1);
    text
}

/// Writes each field as a member.
struct Fields<'a> {
    line: &'a mut String,
}

impl Fields<'_> {
    fn member(&mut self, field: &Field) -> &mut String {
        // A name is an identifier of our own code: nothing in it needs escaping.
        self.line.push_str(",\"");
        self.line.push_str(field.name());
        self.line.push_str("\":");
        self.line
    }

    fn integer(&mut self, field: &Field, value: impl itoa::Integer) {
        let mut digits = itoa::Buffer::new();
        self.member(field).push_str(digits.format(value));
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        quoted(self.member(field), |line| line.push_str(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.integer(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.integer(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        let word = if value { "true" } else { "false" };
        self.member(field).push_str(word);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        let line = self.member(field);
        // JSON has no infinities.
        let _ = if value.is_finite() {
            write!(line, "{value}")
        } else {
            line.write_str("null")
        };
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        quoted(self.member(field), |line| {
            // What fails half way has said the rest.
            let _ = write!(line, "{value:?}");
        });
    }
}

/// A JSON string with what `write` writes.
fn quoted(line: &mut String, write: impl FnOnce(&mut String)) {
    line.push('"');
    let from = line.len();
    write(line);
    mend(line, from);
    line.push('"');
}

/// Masks and escapes what was written from `from` on: as a whole, since what is to be masked may
/// come in pieces. Most texts stay as they are.
fn mend(line: &mut String, from: usize) {
    let text = line.get(from..).unwrap_or_default();
    let found = signs(text.as_bytes());
    if found == PLAIN {
        return;
    }
    let special = found & SPECIAL != 0;
    if !special && is_uuid(text) {
        return;
    }
    let text = if found & SIGN == 0 {
        Cow::Borrowed(text)
    } else {
        masked(text)
    };
    let text = match text {
        Cow::Borrowed(_) if !special => return,
        text => text.into_owned(),
    };
    line.truncate(from);
    escape(line, &text);
}

/// The usual form of a request's id, which has the sign of a RUT and is none.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

const PLAIN: u8 = 0;
/// What JSON wants escaped.
const SPECIAL: u8 = 1;
/// What stands in everything that is masked.
const SIGN: u8 = 2;

/// What is among some bytes, eight at a time: most texts are short and have nothing.
fn signs(text: &[u8]) -> u8 {
    let (words, rest) = text.as_chunks::<8>();
    let mut last = [b'a'; 8];
    if let Some(last) = last.get_mut(..rest.len()) {
        last.copy_from_slice(rest);
    }
    let (mut special, mut sign) = (0, 0);
    for word in words.iter().chain([&last]) {
        let word = u64::from_ne_bytes(*word);
        special |= below(word, b' ') | equal(word, b'"') | equal(word, b'\\');
        sign |= equal(word, b'@') | equal(word, b'-');
    }
    (u8::from(special != 0) * SPECIAL) | (u8::from(sign != 0) * SIGN)
}

/// Not 0 where a byte of the word is below another, which is 128 at most.
const fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(each(bound)) & !word & each(0x80)
}

/// Not 0 where a byte of the word is this one.
const fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ each(byte), 1)
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

fn escape(line: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| signs(&[byte]) & SPECIAL != 0) {
        // What needs escaping is one byte long.
        let (plain, tail) = rest.split_at(at);
        let (special, tail) = tail.split_at(1);
        line.push_str(plain);
        match special {
            "\"" => line.push_str("\\\""),
            "\\" => line.push_str("\\\\"),
            "\n" => line.push_str("\\n"),
            _ => {
                let _ = write!(line, "\\u{:04x}", special.as_bytes()[0]);
            }
        }
        rest = tail;
    }
    line.push_str(rest);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn text_of_every_kind_stays_one_json_string() {
        for text in [
            "",
            "plain",
            "\"",
            "\\",
            "a\nb\tc\u{0}d\u{1f}",
            "ñandú 🦤",
            "\\\"\\",
            "\u{7f}",
            "a-b",
        ] {
            let mut out = String::new();
            quoted(&mut out, |out| out.push_str(text));
            let read: String = serde_json::from_str(&out).unwrap();
            assert_eq!(read, text, "{out}");
        }
    }

    #[test]
    fn every_byte_is_known_at_every_place() {
        for length in 1..=20 {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'z'; length];
                    text[place] = byte;
                    let special = u8::from(byte < b' ' || byte == b'"' || byte == b'\\');
                    let sign = u8::from(byte == b'@' || byte == b'-');
                    assert_eq!(
                        signs(&text),
                        special * SPECIAL + sign * SIGN,
                        "{byte} at {place}"
                    );
                }
            }
        }
        assert_eq!(signs(b""), PLAIN);
    }

    #[test]
    fn what_passes_for_an_id_is_none_that_would_be_masked() {
        for digits in ["0", "1", "9"] {
            let group = |length| digits.repeat(length);
            let (long, short, rest) = (group(8), group(4), group(12));
            let id = format!("{long}-{short}-{short}-{short}-{rest}");
            assert!(
                is_uuid(&id) && matches!(masked(&id), Cow::Borrowed(_)),
                "{id}"
            );
        }
        for other in [
            "12345678-5",
            "12345678-5234-1234-1234-12345678901-",
            "ñ2345678-5234-1234-1234-1234567890",
        ] {
            assert!(!is_uuid(other), "{other}");
        }
    }

    #[test]
    fn masking_and_escaping_leave_what_was_written_before() {
        let mut out = String::from("12345678-5 \"");
        quoted(&mut out, |out| out.push_str("rut 12345678-5 \"x\""));
        assert_eq!(out, "12345678-5 \"\"rut [rut] \\\"x\\\"\"");
        out.clear();
        // A mask as long as what it hides.
        quoted(&mut out, |out| out.push_str("ab@d.cl"));
        assert_eq!(out, "\"[email]\"");
    }

    #[test]
    fn times_are_in_utc_with_six_digits() {
        let mut out = String::new();
        for (nanos, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (999_999_999, "1970-01-01T00:00:00.999999Z"),
            (1_000_001_000, "1970-01-01T00:00:01.000001Z"),
            (1_795_404_615_852_537_000, "2026-11-23T03:30:15.852537Z"),
        ] {
            out.clear();
            timestamp(&mut out, UNIX_EPOCH + Duration::from_nanos(nanos));
            assert_eq!(out, text);
        }
    }
}
