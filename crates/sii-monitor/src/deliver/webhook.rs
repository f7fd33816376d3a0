//! Notices as a signed JSON body, for programs.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use sha2::Sha256;

use super::notice::Notice;

/// The header with the moment and the signature: `t=SECONDS,v1=HEX`.
pub const SIGNATURE_HEADER: &str = "x-signature";

/// The header with the id of this delivery: the same at every retry of it.
pub const EVENT_HEADER: &str = "x-event-id";

#[derive(Serialize)]
struct Body<'a> {
    event: &'static str,
    event_id: &'a str,
    items: &'a [Notice],
}

/// The body that tells these notices.
#[must_use]
pub fn body(event_id: &str, notices: &[Notice]) -> Vec<u8> {
    let body = Body {
        event: "sii.news",
        event_id,
        items: notices,
    };
    // Strings, numbers and lists of them: nothing here can fail to encode.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// The value of [`SIGNATURE_HEADER`]: HMAC-SHA256, with the shared secret, over the moment in
/// seconds, a point, and the body's bytes. With the moment in it an old delivery can't be
/// replayed: receivers refuse what is older than five minutes.
#[must_use]
pub fn signature(secret: &SecretString, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.as_second();
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return String::new();
    };
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::super::notice::sample;
    use super::*;

    #[test]
    fn the_signature_is_what_anybody_computes() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secreto
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(
            signature(&"secreto".into(), at, br#"{"a":1}"#),
            "t=1700000000,v1=b066ea5660a5cec64764b2352f7f0817fd722e527a09b7225028bb29454d1595"
        );
    }

    #[test]
    fn the_body_names_its_event() {
        let body = body("e-1", &[sample("a", 2)]);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["event"], "sii.news");
        assert_eq!(value["event_id"], "e-1");
        assert_eq!(value["items"][0]["vigencia"], "2026-05-01");
    }
}
