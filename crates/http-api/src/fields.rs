//! The members of a JSON body, checked: every wrong value is told, not only the first.
//!
//! ERPs in Python send `false` and `null` for what they don't have, and `7.0` for 7: both are
//! taken as what they mean.

use std::borrow::Cow;

use dte::{Members, PathSegment, ShapeError};
use serde_json::value::RawValue;

use crate::problem::{FieldError, Problem, Segment};

/// The members of a body, and what is wrong with those that were looked at. Of two with one name the
/// last counts here, but none gets far: such a body has no cache key and is refused.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    members: Members<'a>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// Reads a body: 400 where it is no JSON, 422 where it is no object.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(body).map_err(|error| {
            let upto = &body[..error.valid_up_to()];
            let line = upto.iter().filter(|byte| **byte == b'\n').count() + 1;
            let column = upto.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
            Problem::not_json(line, column)
        })?;
        let raw: &RawValue = serde_json::from_str(text)
            .map_err(|error| Problem::not_json(error.line(), error.column()))?;
        let members = Members::read(raw.get()).ok_or_else(|| {
            let mut error =
                FieldError::body("", "object_type", "El cuerpo debe ser un objeto JSON.");
            error.loc.truncate(1);
            Problem::wrong_shape(vec![error])
        })?;
        Ok(Self {
            members,
            errors: Vec::new(),
        })
    }

    /// What was built of the members, if nothing was wrong with any.
    pub(crate) fn finish<T>(self, built: Option<T>) -> Result<T, Problem> {
        match built {
            Some(built) if self.errors.is_empty() => Ok(built),
            _ => Err(Problem::wrong_shape(self.errors)),
        }
    }

    /// The member `name` is wrong.
    pub(crate) fn wrong(&mut self, name: &str, kind: &'static str, msg: impl Into<String>) {
        self.errors.push(FieldError::body(name, kind, msg));
    }

    /// The value at `path` within the body is wrong.
    pub(crate) fn wrong_at(
        &mut self,
        path: impl IntoIterator<Item = Segment>,
        kind: &'static str,
        msg: impl Into<String>,
    ) {
        let mut error = FieldError::body("", kind, msg);
        error.loc.truncate(1);
        error.loc.extend(path);
        self.errors.push(error);
    }

    /// Whether a member isn't written at all, not even as nothing.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        !self.members.contains(name)
    }

    /// A member that is there.
    pub(crate) fn present(&self, name: &str) -> Option<&'a RawValue> {
        present(&self.members, name)
    }

    /// A member that is there and no empty text.
    pub(crate) fn given(&self, name: &str) -> Option<&'a RawValue> {
        self.present(name).filter(|raw| raw.get() != r#""""#)
    }

    /// `company_id`, which must be there.
    pub(crate) fn company(&mut self) -> Option<u64> {
        const NAME: &str = "company_id";
        let Some(raw) = self.present(NAME) else {
            self.wrong(NAME, "missing", "Falta «company_id», la compañía del ERP.");
            return None;
        };
        let company = whole_number(raw.get()).filter(|company| *company > 0);
        if company.is_none() {
            let msg = "«company_id» debe ser un número entero mayor que 0.";
            self.wrong(NAME, "greater_than", msg);
        }
        company
    }

    /// A text that must be one where it is given.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let raw = self.given(name)?;
        let text = serde_json::from_str::<String>(raw.get()).ok();
        if text.is_none() {
            self.wrong(name, "string_type", format!("«{name}» debe ser un texto."));
        }
        text
    }

    /// One of a few words, the default where it isn't given.
    pub(crate) fn word<T: Copy + Default>(&mut self, name: &str, words: &[(&str, T)]) -> T {
        let Some(raw) = self.given(name) else {
            return T::default();
        };
        let text = serde_json::from_str::<Cow<'_, str>>(raw.get()).unwrap_or_default();
        let known = words.iter().find(|(word, _)| *word == text);
        known.map(|(_, value)| *value).unwrap_or_else(|| {
            let list: Vec<_> = words.iter().map(|(word, _)| format!("«{word}»")).collect();
            let msg = format!("«{name}» debe ser {}.", list.join(" o "));
            self.wrong(name, "enum", msg);
            T::default()
        })
    }
}

impl Fields<'_> {
    /// What is wrong within the member `name`, as its own reader says.
    pub(crate) fn wrong_within(&mut self, name: &str, shape: &[ShapeError]) {
        if shape.is_empty() {
            self.wrong(name, "type_error", format!("«{name}» no se puede leer."));
        }
        for wrong in shape {
            let mut error = FieldError::body(name, wrong.kind, wrong.msg.as_str());
            error.loc.extend(wrong.loc.iter().map(segment));
            self.errors.push(error);
        }
    }

    /// What is wrong within the body as a whole, as its own reader says.
    pub(crate) fn wrong_at_top(&mut self, shape: &[ShapeError]) {
        for wrong in shape {
            self.wrong_at(
                wrong.loc.iter().map(segment),
                wrong.kind,
                wrong.msg.as_str(),
            );
        }
    }
}

fn segment(step: &PathSegment) -> Segment {
    match step {
        PathSegment::Key(name) => Segment::Name(name.clone()),
        PathSegment::Index(index) => Segment::Index(*index),
    }
}

/// A member that is there.
pub(crate) fn present<'a>(members: &Members<'a>, name: &str) -> Option<&'a RawValue> {
    members
        .get(name)
        .filter(|raw| !matches!(raw.get(), "null" | "false"))
}

/// A JSON number without a fraction: `7`, and `7.0` as Python writes a float.
pub(crate) fn whole_number(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0');
    whole.parse().ok().filter(|_| plain)
}
