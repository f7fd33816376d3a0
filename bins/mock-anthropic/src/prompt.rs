//! The prompt as the prefix cache sees it: blocks in the order tools, system, messages, some
//! of them marked with `cache_control`.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{
    error::ApiError,
    tokens::{MESSAGE_OVERHEAD, estimate_tokens, of_block},
};

/// Most `cache_control` marks in one request.
pub(crate) const MAX_MARKS: usize = 4;

/// How many blocks before a mark are looked at for an entry that an earlier request wrote.
const LOOKBACK: usize = 20;

/// The part of a request that a block belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Tools,
    System,
    Messages,
}

/// How long a cached prefix lives after it was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ttl {
    FiveMinutes,
    OneHour,
}

impl Ttl {
    pub(crate) fn duration(self) -> Duration {
        match self {
            Self::FiveMinutes => Duration::from_secs(300),
            Self::OneHour => Duration::from_secs(3_600),
        }
    }

    fn parse(mark: &Value, path: &str) -> Result<Self, ApiError> {
        if mark.get("type").and_then(Value::as_str) != Some("ephemeral") {
            let message = format!("{path}.cache_control.type: Input should be 'ephemeral'");
            return Err(ApiError::invalid(message));
        }
        match mark.get("ttl") {
            None | Some(Value::Null) => Ok(Self::FiveMinutes),
            Some(Value::String(ttl)) if ttl == "5m" => Ok(Self::FiveMinutes),
            Some(Value::String(ttl)) if ttl == "1h" => Ok(Self::OneHour),
            Some(_) => Err(ApiError::invalid(format!(
                "{path}.cache_control.ttl: Input should be '5m' or '1h'"
            ))),
        }
    }
}

#[derive(Clone, Debug)]
struct Block {
    section: Section,
    role: Option<&'static str>,
    value: Value,
    tokens: u32,
    mark: Option<Ttl>,
}

/// A place in the prompt where a prefix ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Boundary {
    /// Hash of everything up to here, of the model and of the account.
    pub(crate) key: [u8; 32],
    /// Tokens up to here.
    pub(crate) tokens: u32,
    /// The mark, where one stands here; else this is a place to look back at.
    pub(crate) mark: Option<Ttl>,
}

/// The blocks of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prompt {
    blocks: Vec<Block>,
    salts: Vec<(&'static str, Value)>,
    messages: u32,
}

impl Prompt {
    /// Adds a block, takes its `cache_control` mark off and remembers it.
    pub(crate) fn push(
        &mut self,
        section: Section,
        role: Option<&'static str>,
        mut block: Map<String, Value>,
        path: &str,
    ) -> Result<(), ApiError> {
        let mark = block.remove("cache_control").filter(|mark| !mark.is_null());
        let mark = mark.map(|mark| Ttl::parse(&mark, path)).transpose()?;
        let value = Value::Object(block);
        let text = value.get("type").and_then(Value::as_str) == Some("text");
        // Only what isn't text is counted by its JSON.
        let json = if text {
            String::new()
        } else {
            value.to_string()
        };
        let tokens = of_block(&value, &json);
        self.blocks.push(Block {
            section,
            role,
            value,
            tokens,
            mark,
        });
        Ok(())
    }

    /// Adds a plain text.
    pub(crate) fn push_text(&mut self, section: Section, role: Option<&'static str>, text: String) {
        let tokens = estimate_tokens(&text);
        let value = Value::String(text);
        self.blocks.push(Block {
            section,
            role,
            value,
            tokens,
            mark: None,
        });
    }

    /// Adds what the API itself adds to the prompt, such as the wanted output's schema.
    pub(crate) fn push_plain(&mut self, section: Section, value: Value) {
        let tokens = estimate_tokens(&value.to_string());
        self.blocks.push(Block {
            section,
            role: None,
            value,
            tokens,
            mark: None,
        });
    }

    /// Makes the prefixes that reach into the messages depend on a parameter.
    pub(crate) fn salt_messages(&mut self, name: &'static str, value: Option<&Value>) {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            self.salts.push((name, value.clone()));
        }
    }

    /// Counts the next message's own tokens.
    pub(crate) fn begin_message(&mut self) {
        self.messages += 1;
    }

    /// The request's own `cache_control`: a mark on the last block.
    pub(crate) fn mark_last(&mut self, mark: &Value) -> Result<(), ApiError> {
        let ttl = Ttl::parse(mark, "request")?;
        if let Some(block) = self.blocks.last_mut()
            && block.mark.is_none()
        {
            block.mark = Some(ttl);
        }
        Ok(())
    }

    /// At most four marks, and none of an hour after one of five minutes.
    pub(crate) fn check_marks(&self) -> Result<(), ApiError> {
        let marks: Vec<Ttl> = self.blocks.iter().filter_map(|block| block.mark).collect();
        if marks.len() > MAX_MARKS {
            return Err(ApiError::invalid(format!(
                "A maximum of {MAX_MARKS} blocks with cache_control may be provided. Found {}.",
                marks.len()
            )));
        }
        if marks
            .windows(2)
            .any(|pair| pair == [Ttl::FiveMinutes, Ttl::OneHour])
        {
            return Err(ApiError::invalid(
                "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control \
                 block. Note that blocks are processed in the following order: `tools`, \
                 `system`, `messages`.",
            ));
        }
        Ok(())
    }

    /// Tokens of the whole prompt.
    pub(crate) fn tokens(&self) -> u32 {
        let blocks = self
            .blocks
            .iter()
            .fold(0_u32, |sum, block| sum.saturating_add(block.tokens));
        blocks.saturating_add(self.messages.saturating_mul(MESSAGE_OVERHEAD))
    }

    /// The last text that the user wrote: what a made-up answer is drawn from.
    pub(crate) fn last_words(&self) -> &str {
        let text = |block: &'_ Block| block.role == Some("user");
        let last = self.blocks.iter().rev().find(|block| text(block));
        last.and_then(|block| match &block.value {
            Value::String(text) => Some(text.as_str()),
            value => value.get("text").and_then(Value::as_str),
        })
        .unwrap_or_default()
    }

    /// Every place where a prefix can be read or written, first to last; none without a mark.
    pub(crate) fn boundaries(&self, model: &str, account: &str) -> Vec<Boundary> {
        let Some(last_mark) = self.blocks.iter().rposition(|block| block.mark.is_some()) else {
            return Vec::new();
        };
        let mut hasher = blake3::Hasher::new();
        feed(&mut hasher, model.as_bytes());
        feed(&mut hasher, account.as_bytes());
        let (mut tokens, mut salted) = (0_u32, false);
        let mut boundaries = Vec::new();
        for (index, block) in self.blocks[..=last_mark].iter().enumerate() {
            if block.section == Section::Messages && !salted {
                self.salts.iter().for_each(|(name, value)| {
                    feed(&mut hasher, name.as_bytes());
                    feed_value(&mut hasher, value);
                });
                salted = true;
            }
            feed(&mut hasher, &[block.section as u8]);
            feed(&mut hasher, block.role.unwrap_or_default().as_bytes());
            feed_value(&mut hasher, &block.value);
            tokens = tokens.saturating_add(block.tokens);
            if self.in_reach(index) {
                let key = *hasher.finalize().as_bytes();
                boundaries.push(Boundary {
                    key,
                    tokens,
                    mark: block.mark,
                });
            }
        }
        boundaries
    }

    /// Whether a mark stands on this block or within the look-back after it.
    fn in_reach(&self, index: usize) -> bool {
        let end = (index + LOOKBACK).min(self.blocks.len());
        self.blocks[index..end]
            .iter()
            .any(|block| block.mark.is_some())
    }
}

/// Length first, so that no two sequences of parts give the same bytes.
fn feed(hasher: &mut blake3::Hasher, part: &[u8]) {
    hasher.update(&(part.len() as u64).to_le_bytes());
    hasher.update(part);
}

fn feed_value(hasher: &mut blake3::Hasher, value: &Value) {
    // A plain string and a text block of the same words are the same prompt.
    let text = match value {
        Value::String(text) => Some(text.as_str()),
        Value::Object(block) if block.len() == 2 && block.get("type") == Some(&"text".into()) => {
            block.get("text").and_then(Value::as_str)
        }
        _ => None,
    };
    match text {
        Some(text) => feed(hasher, text.as_bytes()),
        None => feed(hasher, value.to_string().as_bytes()),
    }
}
