//! A write that waits to be told to the shared store, and how it lies in the local engine.

use bytes::Bytes;

/// The layout that this code writes, and the only one it reads.
const VERSION: u8 = 1;

/// A write, with the name that makes an addition happen once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Who wrote it: a name that no other process has.
    pub(super) writer: String,
    /// The writer's number for it.
    pub(super) number: u64,
    pub(super) change: Change,
}

/// What is to change. Ends are Unix milliseconds; none lasts for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Set(String, Bytes, Option<u64>),
    CompareAndSet(String, Option<Bytes>, Bytes, Option<u64>),
    Delete(String),
    Expire(String, u64),
    Add(Vec<(String, i64, Option<u64>)>),
    Insert(String, String, Option<u64>),
    Remove(String, String),
}

impl Change {
    /// The keys that it touches.
    pub(super) fn keys(&self) -> Vec<&str> {
        match self {
            Self::Set(key, ..)
            | Self::CompareAndSet(key, ..)
            | Self::Delete(key)
            | Self::Expire(key, _)
            | Self::Insert(key, ..)
            | Self::Remove(key, _) => vec![key],
            Self::Add(items) => items.iter().map(|(key, ..)| key.as_str()).collect(),
        }
    }
}

impl Entry {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = Writer(vec![VERSION]);
        out.bytes(self.writer.as_bytes());
        out.number(self.number);
        match &self.change {
            Change::Set(key, value, end) => {
                out.tag(1, key);
                out.bytes(value);
                out.option(*end);
            }
            Change::CompareAndSet(key, expected, value, end) => {
                out.tag(2, key);
                out.0.push(u8::from(expected.is_some()));
                out.bytes(expected.as_deref().unwrap_or_default());
                out.bytes(value);
                out.option(*end);
            }
            Change::Delete(key) => out.tag(3, key),
            Change::Expire(key, end) => {
                out.tag(4, key);
                out.number(*end);
            }
            Change::Add(items) => {
                out.0.push(5);
                out.number(items.len() as u64);
                for (key, by, end) in items {
                    out.bytes(key.as_bytes());
                    out.number(by.cast_unsigned());
                    out.option(*end);
                }
            }
            Change::Insert(key, member, end) => {
                out.tag(6, key);
                out.bytes(member.as_bytes());
                out.option(*end);
            }
            Change::Remove(key, member) => {
                out.tag(7, key);
                out.bytes(member.as_bytes());
            }
        }
        out.0.into()
    }

    /// None for bytes that no entry has.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut input = Reader(bytes);
        if input.byte()? != VERSION {
            return None;
        }
        let (writer, number) = (input.text()?, input.number()?);
        let change = match input.byte()? {
            1 => Change::Set(input.text()?, input.bytes()?, input.option()?),
            2 => {
                let key = input.text()?;
                let is_some = input.flag()?;
                let expected = input.bytes()?;
                let expected = is_some.then_some(expected);
                Change::CompareAndSet(key, expected, input.bytes()?, input.option()?)
            }
            3 => Change::Delete(input.text()?),
            4 => Change::Expire(input.text()?, input.number()?),
            5 => {
                let mut items = Vec::new();
                for _ in 0..input.number()? {
                    let (key, by) = (input.text()?, input.number()?.cast_signed());
                    items.push((key, by, input.option()?));
                }
                Change::Add(items)
            }
            6 => Change::Insert(input.text()?, input.text()?, input.option()?),
            7 => Change::Remove(input.text()?, input.text()?),
            _ => return None,
        };
        input.0.is_empty().then_some(Self {
            writer,
            number,
            change,
        })
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn tag(&mut self, tag: u8, key: &str) {
        self.0.push(tag);
        self.bytes(key.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn option(&mut self, number: Option<u64>) {
        self.0.push(u8::from(number.is_some()));
        self.number(number.unwrap_or_default());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_be_bytes(*number))
    }

    fn option(&mut self) -> Option<Option<u64>> {
        let (is_some, number) = (self.flag()?, self.number()?);
        Some(is_some.then_some(number))
    }

    fn bytes(&mut self) -> Option<Bytes> {
        let len = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(Bytes::copy_from_slice(bytes))
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.into()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change() -> impl Strategy<Value = Change> {
        let key = || ".{1,20}";
        let value = || any::<Vec<u8>>().prop_map(Bytes::from);
        let end = || any::<Option<u64>>();
        prop_oneof![
            (key(), value(), end()).prop_map(|(k, v, e)| Change::Set(k, v, e)),
            (key(), proptest::option::of(value()), value(), end())
                .prop_map(|(k, x, v, e)| Change::CompareAndSet(k, x, v, e)),
            key().prop_map(Change::Delete),
            (key(), any::<u64>()).prop_map(|(k, e)| Change::Expire(k, e)),
            prop::collection::vec((key(), any::<i64>(), end()), 0..4).prop_map(Change::Add),
            (key(), key(), end()).prop_map(|(k, m, e)| Change::Insert(k, m, e)),
            (key(), key()).prop_map(|(k, m)| Change::Remove(k, m)),
        ]
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(change in change(), writer in ".{0,9}", number: u64) {
            let entry = Entry { writer, number, change };
            let bytes = entry.encode();
            prop_assert_eq!(Entry::decode(&bytes), Some(entry));
            prop_assert_eq!(Entry::decode(&bytes[..bytes.len() - 1]), None);
            prop_assert_eq!(Entry::decode(&[&bytes[..], b"x"].concat()), None);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = Entry::decode(&bytes).is_some();
            let _ = Entry::decode(&[&[VERSION][..], &bytes].concat()).is_some();
        }
    }
}
