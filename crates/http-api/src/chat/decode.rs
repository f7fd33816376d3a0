//! The bodies of the chat's routes.

use ::chat::{Ask, MAX_MESSAGE_CHARS, UserContext};
use cache::Mode;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::fields::Fields;
use crate::problem::Problem;

/// `POST /api/chat/session/new`.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) company: Option<u64>,
    pub(super) context: Option<UserContext>,
}

/// `POST /api/chat/message` and `/message/stream`.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) session: Option<Uuid>,
    pub(super) company: Option<u64>,
    message: String,
    context: Option<UserContext>,
}

impl Message {
    pub(super) fn into_ask(self, mode: Mode) -> Ask {
        Ask {
            session: self.session,
            message: self.message,
            context: self.context,
            mode,
        }
    }
}

/// Reads the body of a new session; none at all is an empty one.
pub(super) fn session(body: &[u8]) -> Result<Session, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut fields = Fields::read(body)?;
    let (context, company) = context(&mut fields);
    fields.finish(Some(Session { company, context }))
}

/// Reads a message.
pub(super) fn message(body: &[u8]) -> Result<Message, Problem> {
    let mut fields = Fields::read(body)?;
    let message = text(&mut fields);
    let session = fields.text("session_id").and_then(|text| {
        let id = Uuid::try_parse(&text).ok();
        if id.is_none() {
            fields.wrong(
                "session_id",
                "uuid_parsing",
                "«session_id» debe ser un UUID.",
            );
        }
        id
    });
    let (context, company) = context(&mut fields);
    let built = message.map(|message| Message {
        session,
        company,
        message,
        context,
    });
    fields.finish(built)
}

/// The length counts characters; what is in them is data.
fn text(fields: &mut Fields<'_>) -> Option<String> {
    const NAME: &str = "message";
    if fields.present(NAME).is_none() {
        fields.wrong(NAME, "missing", "Falta «message», la pregunta.");
        return None;
    }
    let text = match fields.given(NAME) {
        Some(_) => fields.text(NAME)?,
        None => String::new(),
    };
    let fits = !text.trim().is_empty() && text.chars().count() <= MAX_MESSAGE_CHARS;
    if !fits {
        let msg = "«message» debe tener entre 1 y 5000 caracteres.";
        fields.wrong(NAME, "string_length", msg);
    }
    fits.then_some(text)
}

/// The user's context, and the company in it where there is one.
fn context(fields: &mut Fields<'_>) -> (Option<UserContext>, Option<u64>) {
    const NAME: &str = "user_context";
    let Some(raw) = fields.given(NAME) else {
        return (None, None);
    };
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(raw.get()) else {
        fields.wrong(
            NAME,
            "object_type",
            "«user_context» debe ser un objeto o null.",
        );
        return (None, None);
    };
    let company = match object.get("company_id") {
        None | Some(Value::Null | Value::Bool(false)) => None,
        Some(value) => {
            let company = value.as_u64().filter(|company| *company > 0);
            if company.is_none() {
                let msg = "«user_context.company_id» debe ser un número entero mayor que 0.";
                fields.wrong(NAME, "greater_than", msg);
            }
            company
        }
    };
    (Some(UserContext::from_json(&object)), company)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_and_what_is_refused() {
        for good in [
            r#"{"message": "hola"}"#,
            r#"{"message": "hola", "session_id": null, "user_context": null}"#,
            r#"{"message": "hola", "session_id": "", "user_context": false}"#,
            r#"{"message": "a\u0000<b>", "user_context": {"company_id": 7, "x": [1]}}"#,
        ] {
            assert!(message(good.as_bytes()).is_ok(), "{good}");
        }
        assert!(session(b"").is_ok() && session(br#"{"user_context": {}}"#).is_ok());
        let long = format!(r#"{{"message": "{}"}}"#, "ñ".repeat(5_001));
        for bad in [
            "{}",
            r#"{"message": ""}"#,
            r#"{"message": "  "}"#,
            r#"{"message": 7}"#,
            r#"{"message": "hola", "session_id": "x"}"#,
            r#"{"message": "hola", "session_id": 7}"#,
            r#"{"message": "hola", "user_context": []}"#,
            r#"{"message": "hola", "user_context": {"company_id": -1}}"#,
            long.as_str(),
        ] {
            assert_eq!(message(bad.as_bytes()).unwrap_err().status(), 422, "{bad}");
        }
        let most = format!(r#"{{"message": "{}"}}"#, "ñ".repeat(5_000));
        assert!(message(most.as_bytes()).is_ok());
    }
}
