//! The shape of an answer.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::chars;

/// A JSON Schema that an answer is to fit.
///
/// Clones share its text: a schema that many calls have is written out once where it is made once.
#[derive(Clone)]
pub struct Schema(Arc<Written>);

struct Written {
    value: Value,
    json: OnceLock<Box<RawValue>>,
}

impl Schema {
    /// The schema.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// Its text, written once.
    #[must_use]
    pub fn text(&self) -> &str {
        self.json().get()
    }

    /// The same, as a part of a larger JSON.
    pub(crate) fn json(&self) -> &RawValue {
        // A value that is JSON already can always be written.
        let write = || to_raw_value(&self.0.value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        self.0.json.get_or_init(write)
    }

    /// The text's characters.
    pub(crate) fn chars(&self) -> u64 {
        chars(self.text())
    }
}

impl From<Value> for Schema {
    fn from(value: Value) -> Self {
        Self(Arc::new(Written {
            value,
            json: OnceLock::new(),
        }))
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}

impl Eq for Schema {}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(self.value()).finish()
    }
}
