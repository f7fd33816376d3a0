//! What no provider would accept.

use super::MAX_CACHE_MARKS;

/// Why a request can't be built: a mistake of the calling program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRequest {
    /// `max_tokens` is 0.
    #[error("max_tokens is 0")]
    ZeroMaxTokens,
    /// The limit of an attempt's time is nothing.
    #[error("the limit of an attempt's time is nothing")]
    ZeroAttemptLimit,
    /// There is no message.
    #[error("there is no message")]
    NoMessages,
    /// A message holds nothing but white space.
    #[error("message {index} is blank")]
    BlankMessage {
        /// The message's place, from 0.
        index: usize,
    },
    /// The first or the last message isn't the user's: newer models refuse a prefilled answer.
    #[error("the first and the last message must be the user's")]
    NotFromUser,
    /// A system block holds nothing but white space.
    #[error("system block {index} is blank")]
    BlankSystemBlock {
        /// The block's place, from 0.
        index: usize,
    },
    /// More cache marks than [`MAX_CACHE_MARKS`].
    #[error("{count} cache marks are more than {MAX_CACHE_MARKS}")]
    TooManyCacheMarks {
        /// How many there are.
        count: usize,
    },
    /// A one-hour mark comes after a five-minute one.
    #[error("one-hour cache marks must come before five-minute ones")]
    CacheOrder,
    /// The temperature is above 1.
    #[error("the temperature is above 1")]
    Temperature,
    /// The name of the JSON output isn't 1 to 64 ASCII letters, digits, `_` or `-`.
    #[error("the output's name isn't 1 to 64 ASCII letters, digits, _ or -")]
    OutputName,
    /// The schema's root isn't `"type": "object"`.
    #[error("the schema's root isn't an object")]
    SchemaNotObject,
}
