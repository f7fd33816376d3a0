//! An object's members, read as ERPs write them.

use std::borrow::Cow;

use dte::{Members, PathSegment, ShapeError, text_of};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use crate::error::{InputError, InputErrorKind};

/// The most shape errors that are reported.
const MAX_ERRORS: usize = 100;
/// The decimals that are kept of a number: what comes after them is the noise of a float.
const DECIMALS: u32 = 6;
/// The most characters of a text.
const MAX_TEXT: usize = 1_000;

/// Where in the input something is.
pub(super) type Path = Vec<PathSegment>;

/// What was wrong so far.
#[derive(Default)]
pub(super) struct Errors(Vec<ShapeError>);

impl Errors {
    pub fn add(&mut self, loc: Path, msg: impl Into<String>, kind: &'static str) {
        if self.0.len() < MAX_ERRORS {
            self.0.push(ShapeError {
                loc,
                msg: msg.into(),
                kind,
            });
        }
    }

    pub fn finish<T>(self, value: T) -> Result<T, InputError> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(InputError::new(InputErrorKind::Shape(self.0)))
        }
    }
}

/// An object's members, each still in its own words.
pub(super) struct Object<'a> {
    members: Members<'a>,
    path: Path,
}

impl<'a> Object<'a> {
    /// `None`, and an error, for what is no object.
    pub fn read(raw: &'a RawValue, path: Path, errors: &mut Errors) -> Option<Self> {
        let Some(members) = Members::read(raw.get()) else {
            errors.add(path, "Debe ser un objeto.", "type_error");
            return None;
        };
        Some(Self { members, path })
    }

    /// The first of these members that says something: `null`, `false` and `""` don't.
    fn raw(&self, names: &[&str]) -> Option<&'a str> {
        let member = |name: &&str| self.members.get(name).map(|raw| raw.get().trim());
        names
            .iter()
            .filter_map(member)
            .find(|text| !matches!(*text, "null" | "false" | "\"\"" | "[]"))
    }

    /// A text; a number in its own words; of Odoo's `[id, "name"]` the name.
    pub fn text(&self, names: &[&str]) -> Option<String> {
        let text = scalar(self.raw(names)?, 1)?;
        let text = text.trim();
        let end = text.char_indices().nth(MAX_TEXT).map(|(end, _)| end);
        let text = end.and_then(|end| text.get(..end)).unwrap_or(text);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Every text of these members, each once.
    pub fn texts(&self, names: &[&str]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for text in names.iter().filter_map(|name| self.text(&[name])) {
            if !found.contains(&text) {
                found.push(text);
            }
        }
        found
    }

    /// A whole number, also written `7.0` or `"7"`; of `[id, "name"]` the id.
    pub fn id(&self, names: &[&str]) -> Option<i64> {
        let value = decimal(&scalar(self.raw(names)?, 0)?)?;
        value.is_integer().then(|| i64::try_from(value).ok())?
    }

    /// An exact number; `None` for what can't be read as one.
    pub fn number(&self, names: &[&str]) -> Option<Decimal> {
        decimal(scalar(self.raw(names)?, 0)?.trim())
    }

    /// A day, also with a time after it, also as `20-11-2026` or `20/11/2026`.
    pub fn date(&self, names: &[&str]) -> Option<Date> {
        let text = self.text(names)?;
        let day = text.get(..10)?;
        day.parse().ok().or_else(|| {
            let mut parts = day.split(['-', '/']);
            let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
            Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
        })
    }

    /// A list of objects under the first of these names; absent is empty.
    pub fn list<T>(
        &self,
        names: &[&'static str],
        most: usize,
        errors: &mut Errors,
        read: fn(&Object<'_>, &mut Errors) -> Option<T>,
    ) -> Vec<T> {
        let given = names.iter().find(|name| self.raw(&[name]).is_some());
        let Some((name, raw)) = given.and_then(|name| Some((*name, self.members.get(name)?)))
        else {
            return Vec::new();
        };
        let mut path = self.path.clone();
        path.push(PathSegment::Key(name.to_owned()));
        list(raw, path, most, errors, read)
    }

    pub fn missing(&self, name: &str, errors: &mut Errors) {
        let mut path = self.path.clone();
        path.push(PathSegment::Key(name.to_owned()));
        errors.add(path, format!("Falta «{name}»."), "missing");
    }
}

/// A list of objects.
pub(super) fn list<T>(
    raw: &RawValue,
    path: Path,
    most: usize,
    errors: &mut Errors,
    read: fn(&Object<'_>, &mut Errors) -> Option<T>,
) -> Vec<T> {
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) else {
        errors.add(path, "Debe ser una lista.", "type_error");
        return Vec::new();
    };
    if items.len() > most {
        let count = items.len();
        errors.add(
            path,
            format!("Tiene {count} elementos; el máximo es {most}."),
            "too_long",
        );
        return Vec::new();
    }
    let mut found = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let mut path = path.clone();
        path.push(PathSegment::Index(index));
        let object = Object::read(item, path, errors);
        found.extend(object.and_then(|object| read(&object, errors)));
    }
    found
}

/// A JSON text, and what is wrong with it.
pub(super) fn parse(json: &str) -> Result<&RawValue, InputError> {
    serde_json::from_str(json).map_err(|_| InputError::new(InputErrorKind::Syntax))
}

/// A text or a number in its own words; of a list of scalars the one at `place`.
fn scalar(raw: &str, place: usize) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'"' => text_of(raw),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw)),
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
            let item = items.get(place)?.get();
            if item.starts_with('[') {
                None
            } else {
                scalar(item, place)
            }
        }
        _ => None,
    }
}

/// A number without going through a float, also with an exponent.
fn decimal(text: &str) -> Option<Decimal> {
    if text.len() > 64 {
        return None;
    }
    let exact = text
        .parse()
        .or_else(|_| Decimal::from_scientific(text))
        .ok();
    exact.map(|number: Decimal| number.round_dp(DECIMALS))
}
