//! The token estimate, and what differs by model.
//!
//! Claude's tokenizer is not public, so the mock counts in a way that anyone can repeat:
//! a text is its UTF-8 bytes divided by 4, rounded up; a content block that is not text is
//! its compact JSON counted the same way; an image is 1,600 and a document 3,000 tokens
//! whatever their size; every message adds 4 tokens for its role.

use serde_json::Value;

/// Bytes of UTF-8 that count as one token.
pub(crate) const BYTES_PER_TOKEN: usize = 4;

/// What a message costs beyond its content.
pub(crate) const MESSAGE_OVERHEAD: u32 = 4;

const IMAGE: u32 = 1_600;
const DOCUMENT: u32 = 3_000;

/// Tokens in a text: its UTF-8 bytes divided by 4, rounded up.
///
/// ```
/// assert_eq!(mock_anthropic::estimate_tokens("Hola, ¿qué tal?"), 5);
/// ```
#[must_use]
pub fn estimate_tokens(text: &str) -> u32 {
    of_bytes(text.len())
}

pub(crate) fn of_bytes(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u32::MAX)
}

/// Tokens in a content block; `json` is its compact form.
pub(crate) fn of_block(block: &Value, json: &str) -> u32 {
    let encoded = block.pointer("/source/data").is_some() || block.pointer("/source/url").is_some();
    match block.get("type").and_then(Value::as_str) {
        Some("text") => block
            .get("text")
            .and_then(Value::as_str)
            .map_or(0, estimate_tokens),
        Some("image") => IMAGE,
        Some("document") if encoded => DOCUMENT,
        _ => estimate_tokens(json),
    }
}

/// The longest beginning of `text` that counts no more than `tokens`, cut between characters.
pub(crate) fn truncate(text: &str, tokens: u32) -> &str {
    let mut end = (tokens as usize)
        .saturating_mul(BYTES_PER_TOKEN)
        .min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A model's name taken apart: `claude-haiku-4-5-20251001` is family `haiku`, version 4.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Model<'a> {
    family: &'a str,
    version: (u32, u32),
}

impl<'a> Model<'a> {
    /// None for what is no Claude model's name.
    pub(crate) fn parse(id: &'a str) -> Option<Self> {
        let mut family = "";
        let mut numbers = Vec::new();
        for part in id.strip_prefix("claude-")?.split('-') {
            match part.parse::<u32>() {
                // Longer numbers are release dates.
                Ok(n) if part.len() <= 2 => numbers.push(n),
                Ok(_) => {}
                Err(_) if family.is_empty() => family = part,
                Err(_) => {}
            }
        }
        let number = |at: usize| numbers.get(at).copied().unwrap_or(0);
        Some(Self {
            family,
            version: (number(0), number(1)),
        })
    }

    /// The shortest prefix, in tokens, that is cached. Unknown models: 1,024.
    pub(crate) fn min_cacheable(self) -> u32 {
        match (self.family, self.version) {
            ("opus", (4, 5 | 6)) | ("haiku", (4, 5)) => 4_096,
            ("opus", (4, 7)) | ("haiku", (3, _)) => 2_048,
            _ => 1_024,
        }
    }

    /// Whether `temperature`, `top_p` and `top_k` are still taken (refused from 4.7 on).
    pub(crate) fn takes_sampling(self) -> bool {
        self.version < (4, 7)
    }

    /// Whether a conversation may end with the assistant's turn (refused from 4.6 on).
    pub(crate) fn takes_prefill(self) -> bool {
        self.version < (4, 6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn models_by_name() {
        for (id, min, sampling, prefill) in [
            ("claude-sonnet-4-5", 1_024, true, true),
            ("claude-sonnet-4-5-20250929", 1_024, true, true),
            ("claude-sonnet-4-20250514", 1_024, true, true),
            ("claude-opus-4-1", 1_024, true, true),
            ("claude-opus-4-5-20251101", 4_096, true, true),
            ("claude-opus-4-6", 4_096, true, false),
            ("claude-opus-4-7", 2_048, false, false),
            ("claude-opus-4-8", 1_024, false, false),
            ("claude-haiku-4-5-20251001", 4_096, true, true),
            ("claude-3-5-haiku-20241022", 2_048, true, true),
            ("claude-sonnet-5-5", 1_024, false, false),
        ] {
            let model = Model::parse(id).unwrap();
            assert_eq!(model.min_cacheable(), min, "{id}");
            assert_eq!(model.takes_sampling(), sampling, "{id}");
            assert_eq!(model.takes_prefill(), prefill, "{id}");
        }
        assert_eq!(Model::parse("gpt-4o"), None);
    }

    #[test]
    fn blocks_are_counted_by_kind() {
        let count = |block: Value| of_block(&block, &block.to_string());
        assert_eq!(count(json!({"type": "text", "text": "12345"})), 2);
        assert_eq!(
            count(json!({"type": "image", "source": {"data": "AAAA"}})),
            1_600
        );
        assert_eq!(
            count(json!({"type": "document", "source": {"data": "AAAA"}})),
            3_000
        );
        let tool = json!({"name": "x"});
        assert_eq!(count(tool.clone()), of_bytes(tool.to_string().len()));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(truncate("año nuevo", 1), "año");
        assert_eq!(truncate("aañ", 1), "aañ");
        assert_eq!(truncate("aaañ", 1), "aaa");
        assert_eq!(truncate("corto", 100), "corto");
        assert_eq!(truncate("corto", 0), "");
    }
}
