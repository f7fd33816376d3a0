//! A JSON object's members, before anybody reads their values.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a JSON object, each value still in its own words: for a reader that tells of
/// every member by itself what is wrong with it.
///
/// They lie in a list as they came: an ERP's object has a dozen, which a look through them finds
/// quicker than a tree of their names is made. Of two with one name the last counts.
///
/// ```
/// use findings::Members;
///
/// let members = Members::read(r#"{"folio": 7, "total": 1190.00}"#).unwrap();
/// assert_eq!(members.get("total").unwrap().get(), "1190.00");
/// assert!(members.get("neto").is_none());
/// assert!(Members::read("[1]").is_none());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The members of the object that this JSON is; `None` for anything else.
    #[must_use]
    pub fn read(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        let mut found = self.0.iter().rev().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| *value)
    }

    /// Whether there is a member of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// What a JSON text says, copied only where something in it is escaped; `None` for anything else.
///
/// ```
/// assert_eq!(findings::text_of(r#""Ñuñoa \u00b7 7""#).unwrap(), "Ñuñoa · 7");
/// assert_eq!(findings::text_of("7"), None);
/// ```
#[must_use]
pub fn text_of(json: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str(json).ok().map(|Text(text)| text)
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        /// Enough for a line of an invoice.
        const ROOM: usize = 8;

        let mut members = Vec::with_capacity(ROOM);
        while let Some(Text(name)) = map.next_key()? {
            members.push((name, map.next_value()?));
        }
        Ok(members)
    }
}

/// Borrowed where nothing in it is escaped.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl<'de> Visitor<'de> for Words {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }

        deserializer.deserialize_str(Words).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    proptest! {
        #[test]
        fn they_say_what_a_map_says(
            members in prop::collection::vec(("[a-c\"\\\\é]{0,2}", any::<i32>()), 0..12),
            absent in "[d-f]{1,2}",
        ) {
            let body: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}: {value}", Value::from(name.as_str())))
                .collect();
            let json = format!("{{{}}}", body.join(" , "));
            let read = Members::read(&json).unwrap();
            let map: BTreeMap<String, i32> = members.into_iter().collect();
            for (name, value) in &map {
                prop_assert_eq!(read.get(name).unwrap().get(), value.to_string());
            }
            prop_assert!(!read.contains(&absent));
        }
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        for json in [
            "",
            "null",
            "7",
            "\"a\"",
            "[]",
            "{",
            "{\"a\":}",
            "{\"a\":1,}",
            "{} 1",
        ] {
            assert!(Members::read(json).is_none(), "{json}");
        }
        assert!(Members::read(" { } ").is_some_and(|members| !members.contains("")));
    }
}
