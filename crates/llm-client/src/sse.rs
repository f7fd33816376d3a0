//! Server-sent events out of bytes: small, bounded, indifferent to how the bytes are cut.
//!
//! The grammar is the WHATWG's: lines end in LF, CR or CRLF, a byte-order mark at the start is
//! dropped, several `data` lines are joined by LF, an event that was begun but not ended by
//! a blank line is dropped. Data stay bytes: a character that was cut in two between chunks
//! is whole again by the time anybody looks at it.

use bytes::{Buf, Bytes};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One thing that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// An event with data.
    Event(Event),
    /// A comment: a sign of life.
    Comment,
}

/// An event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its name; empty where it has none.
    pub(crate) name: Vec<u8>,
    /// Its data, lines joined by LF.
    pub(crate) data: Vec<u8>,
}

/// One event, or one line, is over the limit.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("one event of the stream is over the size limit")]
pub(crate) struct TooLong;

/// Reads frames out of chunks. It keeps one chunk and one unfinished event, never more.
#[derive(Debug)]
pub(crate) struct Decoder {
    chunk: Bytes,
    /// A line whose end is in a later chunk.
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    /// The last chunk ended in CR: an LF at the start of the next one belongs to it.
    after_cr: bool,
    first_line: bool,
    limit: usize,
}

impl Decoder {
    /// A decoder that takes events of up to `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            chunk: Bytes::new(),
            line: Vec::new(),
            event: Event::default(),
            has_data: false,
            after_cr: false,
            first_line: true,
            limit,
        }
    }

    /// Gives it the next chunk, once [`next`](Self::next) has asked for it by `None`.
    pub(crate) fn feed(&mut self, chunk: Bytes) {
        self.chunk = chunk;
    }

    /// The next frame of what was fed, or `None` where more is needed.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, TooLong> {
        while let Some(line) = self.next_line()? {
            let frame = self.take_line(&line);
            if self.event.data.len().saturating_add(self.event.name.len()) > self.limit {
                return Err(TooLong);
            }
            if frame.is_some() {
                return Ok(frame);
            }
        }
        Ok(None)
    }

    fn next_line(&mut self) -> Result<Option<Bytes>, TooLong> {
        if std::mem::take(&mut self.after_cr) && self.chunk.first() == Some(&b'\n') {
            self.chunk.advance(1);
        }
        let end = self.chunk.iter().position(|b| matches!(b, b'\n' | b'\r'));
        if self
            .line
            .len()
            .saturating_add(end.unwrap_or(self.chunk.len()))
            > self.limit
        {
            return Err(TooLong);
        }
        let Some(end) = end else {
            self.line.extend_from_slice(&self.chunk);
            // Even an empty part of a chunk holds the connection's whole buffer, which then reads
            // into another one.
            self.chunk = Bytes::new();
            return Ok(None);
        };
        let mut line = self.chunk.split_to(end);
        self.after_cr = self.chunk.first() == Some(&b'\r');
        self.chunk.advance(1);
        if !self.line.is_empty() {
            self.line.extend_from_slice(&line);
            line = Bytes::from(std::mem::take(&mut self.line));
        }
        if std::mem::take(&mut self.first_line) && line.starts_with(BYTE_ORDER_MARK) {
            line.advance(BYTE_ORDER_MARK.len());
        }
        Ok(Some(line))
    }

    fn take_line(&mut self, line: &[u8]) -> Option<Frame> {
        let Some(first) = line.first() else {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(Frame::Event(event));
        };
        if *first == b':' {
            return Some(Frame::Comment);
        }
        let colon = line.iter().position(|b| *b == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"event" => self.event.name = value.to_vec(),
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push(b'\n');
                }
                self.event.data.extend_from_slice(value);
            }
            // `id` and `retry` are for a browser that connects again; others are unknown.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests;
