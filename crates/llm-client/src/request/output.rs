//! How the answer is to be: its form, and how much chance there is in it.

use std::sync::Arc;

use super::{InvalidRequest, Schema};

/// A sampling temperature from 0.00 to 1.00, kept in hundredths so that it can be compared
/// and hashed exactly (it belongs in a cache key).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Temperature(u8);

impl Temperature {
    /// As repeatable as the model can be.
    pub const ZERO: Self = Self(0);

    /// A temperature of so many hundredths.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest::Temperature`] above 100.
    pub fn try_from_hundredths(hundredths: u8) -> Result<Self, InvalidRequest> {
        if hundredths > 100 {
            return Err(InvalidRequest::Temperature);
        }
        Ok(Self(hundredths))
    }

    /// The temperature in hundredths, from 0 to 100.
    #[must_use]
    pub const fn hundredths(self) -> u8 {
        self.0
    }

    /// The temperature as the number that goes on the wire.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

/// The form of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Output {
    /// Free text.
    #[default]
    Text,
    /// One JSON value.
    Json {
        /// What the value is: 1 to 64 ASCII letters, digits, `_` or `-`.
        name: Arc<str>,
        /// A JSON Schema whose root is an object.
        schema: Schema,
    },
}

impl Output {
    /// Whether a JSON value is asked for.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        matches!(self, Self::Json { .. })
    }
}
