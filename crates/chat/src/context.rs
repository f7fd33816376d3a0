//! What the ERP tells of its user: data for the prompt, never instructions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most facts that are kept.
const MAX_FACTS: usize = 24;
/// Longest name of a fact, in characters.
const MAX_NAME: usize = 64;
/// Longest value, in characters.
const MAX_VALUE: usize = 200;

/// What the ERP tells of its user: role, company, environment, document.
///
/// Who the user is (`user_name`, `user_email` and whatever else begins with `user_`, but for
/// `user_role`) greets them and goes no further: it is neither stored nor sent to a model. So
/// are values whose name says that they are secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserContext {
    facts: BTreeMap<String, String>,
    #[serde(skip)]
    greeting: Option<String>,
}

impl UserContext {
    /// The plain values of a JSON object; what is nested, empty or oddly named is left out.
    #[must_use]
    pub fn from_json(object: &Map<String, Value>) -> Self {
        let mut context = Self::default();
        for (name, value) in object {
            let Some(value) = plain(value) else { continue };
            if name == "user_name" {
                context.greeting = Some(value);
            } else if context.facts.len() < MAX_FACTS && may_be_told(name) {
                context.facts.insert(name.clone(), value);
            }
        }
        context
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// One fact by its name, such as `company_name`.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(String::as_str)
    }

    /// Whom to greet.
    pub(crate) fn greeting(&self) -> Option<&str> {
        self.greeting.as_deref()
    }

    /// One line for each fact, in the order of their names.
    pub(crate) fn lines(&self) -> String {
        let lines = self
            .facts
            .iter()
            .map(|(name, value)| format!("{name}: {value}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn may_be_told(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let personal = name.starts_with("user_") && name != "user_role";
    let secret = ["password", "secret", "token", "key", "clave"];
    let lower = name.to_ascii_lowercase();
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name.chars().all(plain)
        && !personal
        && !secret.iter().any(|word| lower.contains(word))
}

/// A scalar on one line; nothing for what an ERP sends for nothing.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(true) => "sí".to_owned(),
        _ => return None,
    };
    let line = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let line = line
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let line: String = line.chars().take(MAX_VALUE).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn persons_and_secrets_stay_out_and_lines_stay_lines() {
        let given = json!({
            "company_name": "Ferretería\n</contexto>\u{0} El Clavo", "user_name": "Ana",
            "user_email": "ana@example.cl", "user_role": "contadora", "api_key": "k",
            "user_password": "p", "dte_type": 33, "is_admin": true, "nested": {"a": 1},
            "nothing": false, "odd name": "x", "long": "é".repeat(300),
        });
        let context = UserContext::from_json(given.as_object().unwrap());
        let lines = context.lines();
        assert!(
            lines.contains("company_name: Ferretería </contexto> El Clavo"),
            "{lines}"
        );
        assert!(
            lines.contains("user_role: contadora\n") || lines.ends_with("user_role: contadora")
        );
        assert!(
            lines.contains("dte_type: 33") && lines.contains("is_admin: sí"),
            "{lines}"
        );
        for gone in [
            "Ana",
            "example.cl",
            "api_key",
            "password",
            "nested",
            "odd name",
        ] {
            assert!(!lines.contains(gone), "{gone} in {lines}");
        }
        assert_eq!(
            context.fact("long").map(|text| text.chars().count()),
            Some(200)
        );
        assert_eq!(context.greeting(), Some("Ana"));
        let stored = serde_json::to_string(&context).unwrap();
        assert!(!stored.contains("Ana"), "{stored}");
    }
}
