//! One form for every JSON text that says the same.
//!
//! The form is binary and prefix-free, so two values have one form only if they are equal:
//! `n`, `t`, `f` for the literals; `#` sign digits `e` exponent (8 bytes) for a number, as
//! an exact decimal without zeros at either end; `"` length (4 bytes) and the decoded bytes
//! for a string; `[`…`]`; `{` name value …`}` with the names in the order of their bytes.
//!
//! One pass over the text, no tree: the members of an object are written as they come and
//! moved into order when it ends. Memory is about twice the text.

use crate::error::{KeyError, KeyErrorKind};

/// How deep arrays and objects may be nested in a JSON text that a key is made of.
pub const MAX_JSON_DEPTH: usize = 64;

/// How long a JSON text that a key is made of may be, in bytes.
pub const MAX_JSON_BYTES: usize = 16 * 1024 * 1024;

/// Tag and length before a string's bytes.
const STRING_HEAD: usize = 5;

/// The canonical form of `text` without its top-level members named in `excluded`.
pub(crate) fn canonicalise(text: &str, excluded: &[&str]) -> Result<Vec<u8>, KeyError> {
    if text.len() > MAX_JSON_BYTES {
        return Err(KeyError::new(KeyErrorKind::TooLarge, MAX_JSON_BYTES));
    }
    let mut writer = Writer {
        text: text.as_bytes(),
        at: 0,
        out: Vec::with_capacity(text.len() + text.len() / 2),
        members: Vec::new(),
        scratch: Vec::new(),
        excluded,
    };
    writer.value(0)?;
    writer.skip_space();
    match writer.peek() {
        None => Ok(writer.out),
        Some(_) => Err(writer.fail(KeyErrorKind::Syntax)),
    }
}

/// Where a member of an object stands in the output.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    name_end: usize,
    end: usize,
}

impl Member {
    fn name<'o>(&self, out: &'o [u8]) -> &'o [u8] {
        &out[self.start + STRING_HEAD..self.name_end]
    }
}

struct Writer<'a> {
    text: &'a [u8],
    at: usize,
    out: Vec<u8>,
    /// Members of all objects that are open, the innermost at the end.
    members: Vec<Member>,
    scratch: Vec<u8>,
    excluded: &'a [&'a str],
}

impl<'a> Writer<'a> {
    fn fail(&self, kind: KeyErrorKind) -> KeyError {
        KeyError::new(kind, self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Takes the next byte if it is `byte`.
    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), KeyError> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.fail(KeyErrorKind::Syntax))
        }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Recursion is bounded: `depth` ends at [`MAX_JSON_DEPTH`].
    fn value(&mut self, depth: usize) -> Result<(), KeyError> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            _ => Err(self.fail(KeyErrorKind::Syntax)),
        }
    }

    fn literal(&mut self, word: &'static [u8]) -> Result<(), KeyError> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.fail(KeyErrorKind::Syntax));
        }
        self.at += word.len();
        self.out.push(word[0]);
        Ok(())
    }

    /// Opens an array or object: says whether it is empty (and then closes it).
    fn open(&mut self, depth: usize, open: u8, close: u8) -> Result<bool, KeyError> {
        if depth >= MAX_JSON_DEPTH {
            return Err(self.fail(KeyErrorKind::TooDeep));
        }
        self.expect(open)?;
        self.out.push(open);
        self.skip_space();
        let empty = self.eat(close);
        if empty {
            self.out.push(close);
        }
        Ok(empty)
    }

    /// After an element: says whether another one follows.
    fn another(&mut self, close: u8) -> Result<bool, KeyError> {
        self.skip_space();
        if self.eat(b',') {
            return Ok(true);
        }
        self.expect(close).map(|()| false)
    }

    fn array(&mut self, depth: usize) -> Result<(), KeyError> {
        if self.open(depth, b'[', b']')? {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            if !self.another(b']')? {
                break;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), KeyError> {
        if self.open(depth, b'{', b'}')? {
            return Ok(());
        }
        let content = self.out.len();
        let base = self.members.len();
        loop {
            self.skip_space();
            let start = self.out.len();
            self.string()?;
            let name_end = self.out.len();
            self.skip_space();
            self.expect(b':')?;
            self.value(depth + 1)?;
            self.members.push(Member {
                start,
                name_end,
                end: self.out.len(),
            });
            if !self.another(b'}')? {
                break;
            }
        }
        self.put_in_order(base, content, depth == 0)?;
        self.out.push(b'}');
        Ok(())
    }

    /// Moves the members of the innermost object (those from `base` on, written from `content`
    /// on) into the order of their names, and leaves out the excluded ones of the `top` object.
    fn put_in_order(&mut self, base: usize, content: usize, top: bool) -> Result<(), KeyError> {
        let Self {
            out,
            members,
            scratch,
            excluded,
            at,
            ..
        } = self;
        let excluded = if top { *excluded } else { &[] };
        let mine = &mut members[base..];
        let in_order = mine.is_sorted_by(|a, b| a.name(out) < b.name(out));
        if !in_order {
            mine.sort_unstable_by(|a, b| a.name(out).cmp(b.name(out)));
            if mine.windows(2).any(|w| w[0].name(out) == w[1].name(out)) {
                return Err(KeyError::new(KeyErrorKind::DuplicateMember, *at));
            }
        }
        if !in_order || !excluded.is_empty() {
            scratch.clear();
            for member in mine {
                let name = member.name(out);
                if !excluded.iter().any(|other| other.as_bytes() == name) {
                    scratch.extend_from_slice(&out[member.start..member.end]);
                }
            }
            out.truncate(content);
            out.extend_from_slice(scratch);
        }
        members.truncate(base);
        Ok(())
    }

    /// Strings are equal by their Unicode scalar values; nothing is normalised.
    fn string(&mut self) -> Result<(), KeyError> {
        self.expect(b'"')?;
        self.out.extend_from_slice(b"\"\0\0\0\0");
        let begin = self.out.len();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))
                .unwrap_or(rest.len());
            self.out.extend_from_slice(&rest[..plain]);
            self.at += plain;
            if self.eat(b'"') {
                break;
            }
            // A control character or the end of the text is no backslash: refused here.
            self.expect(b'\\')?;
            self.escape()?;
        }
        // A decoded string is no longer than its text, and that is within MAX_JSON_BYTES.
        let length = (self.out.len() - begin) as u32;
        self.out[begin - 4..begin].copy_from_slice(&length.to_le_bytes());
        Ok(())
    }

    fn escape(&mut self) -> Result<(), KeyError> {
        let plain = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return Err(self.fail(KeyErrorKind::Syntax)),
        };
        self.at += 1;
        self.out.push(plain);
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<(), KeyError> {
        let mut code = self.unit()?;
        if (0xd800..0xdc00).contains(&code) {
            self.expect(b'\\')?;
            let low = self.unit()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(self.fail(KeyErrorKind::Syntax));
            }
            code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        // Only a lone low surrogate is left that is no character.
        let character = char::from_u32(code).ok_or(self.fail(KeyErrorKind::Syntax))?;
        let mut utf8 = [0; 4];
        self.out
            .extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
        Ok(())
    }

    /// `u` and four hexadecimal digits.
    fn unit(&mut self) -> Result<u32, KeyError> {
        self.expect(b'u')?;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self
                .peek()
                .and_then(|byte| char::from(byte).to_digit(16))
                .ok_or(self.fail(KeyErrorKind::Syntax))?;
            self.at += 1;
            code = code * 16 + digit;
        }
        Ok(code)
    }

    /// The run of digits from here on.
    fn digits(&mut self) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let length = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// The same, at least one.
    fn some_digits(&mut self) -> Result<&'a [u8], KeyError> {
        match self.digits() {
            [] => Err(self.fail(KeyErrorKind::Syntax)),
            digits => Ok(digits),
        }
    }

    fn number(&mut self) -> Result<(), KeyError> {
        let negative = self.eat(b'-');
        let whole = self.some_digits()?;
        if whole.len() > 1 && whole[0] == b'0' {
            return Err(self.fail(KeyErrorKind::Syntax));
        }
        let fraction = if self.eat(b'.') {
            self.some_digits()?
        } else {
            &[]
        };
        let exponent = self.exponent()?;
        self.decimal(negative, whole, fraction, exponent)
            .ok_or(self.fail(KeyErrorKind::NumberRange))
    }

    /// The exponent, if any; `None` within if it is beyond any that a number can have.
    fn exponent(&mut self) -> Result<Option<i128>, KeyError> {
        if !self.eat(b'e') && !self.eat(b'E') {
            return Ok(Some(0));
        }
        let negative = self.eat(b'-');
        if !negative {
            self.eat(b'+');
        }
        let digits = self.some_digits()?;
        let size = digits.iter().try_fold(0i128, |sum, digit| {
            sum.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
        });
        Ok(size.map(|size| if negative { -size } else { size }))
    }

    /// Writes `whole.fraction × 10^exponent` as digits without zeros at either end and the
    /// exponent that goes with them. Zero has neither sign nor exponent, whatever was written.
    fn decimal(
        &mut self,
        negative: bool,
        whole: &[u8],
        fraction: &[u8],
        exponent: Option<i128>,
    ) -> Option<()> {
        let tag = self.out.len();
        self.out.push(b'#');
        self.out.push(if negative { b'-' } else { b'+' });
        let begin = self.out.len();
        let significant = whole
            .iter()
            .chain(fraction)
            .skip_while(|digit| **digit == b'0');
        self.out.extend(significant);
        let zeros = self.out[begin..]
            .iter()
            .rev()
            .take_while(|digit| **digit == b'0')
            .count();
        self.out.truncate(self.out.len() - zeros);
        if self.out.len() == begin {
            self.out.truncate(tag);
            self.out.extend_from_slice(b"#+e");
            self.out.extend_from_slice(&0i64.to_le_bytes());
            return Some(());
        }
        // The two lengths are small; the sum decides, so that the spelling doesn't.
        let exponent = exponent?.checked_add(zeros as i128 - fraction.len() as i128)?;
        let exponent = i64::try_from(exponent).ok()?;
        self.out.push(b'e');
        self.out.extend_from_slice(&exponent.to_le_bytes());
        Some(())
    }
}

#[cfg(test)]
mod tests;
