//! Notices as a message of Slack's Block Kit.

use serde_json::{Value, json};

use super::notice::{Notice, cut, dia};

/// The most characters of a header block (Slack's own bound).
const MAX_HEADER: usize = 150;

/// The most characters of a text in a section (Slack's own bound is 3,000).
const MAX_SECTION: usize = 2_900;

/// The most notices of one message: Slack takes 50 blocks, and a notice takes up to 5.
pub const MAX_NOTICES: usize = 9;

/// The body for an incoming webhook. At most [`MAX_NOTICES`] are told in full; of the others it
/// says how many they are.
#[must_use]
pub fn message(notices: &[Notice]) -> Value {
    let mut blocks = Vec::new();
    for notice in notices.iter().take(MAX_NOTICES) {
        if !blocks.is_empty() {
            blocks.push(json!({"type": "divider"}));
        }
        blocks.extend(sections(notice));
    }
    let more = notices.len().saturating_sub(MAX_NOTICES);
    if more > 0 {
        let text = format!("Y otras {more} novedades del SII.");
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": text}}));
    }
    json!({"text": summary(notices), "blocks": blocks})
}

/// What a phone shows.
fn summary(notices: &[Notice]) -> String {
    match notices {
        [] => "Sin novedades del SII".to_owned(),
        [one] => cut(
            &format!("SII ({}): {}", one.urgency(), escaped(&one.titulo)),
            MAX_HEADER,
        ),
        many => format!("{} novedades del SII", many.len()),
    }
}

fn sections(notice: &Notice) -> Vec<Value> {
    let header = cut(&notice.titulo, MAX_HEADER);
    let mut fields = vec![field(
        "Prioridad",
        &format!("{} ({})", notice.prioridad, notice.urgency()),
    )];
    if let Some(date) = notice.vigencia {
        fields.push(field("Rige desde", &dia(date)));
    }
    if let Some(date) = notice.fecha {
        fields.push(field("Fecha", &dia(date)));
    }
    if notice.breaking {
        fields.push(field("Cambio incompatible", "sí"));
    }
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": header}}),
        json!({"type": "section", "fields": fields}),
    ];
    let mut text = escaped(&notice.resumen);
    for action in &notice.acciones {
        text.push_str("\n• ");
        text.push_str(&escaped(action));
    }
    if !text.trim().is_empty() {
        let text = cut(&text, MAX_SECTION);
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": text}}));
    }
    if let Some(url) = notice.url.as_deref().filter(|url| is_web(url)) {
        let label = json!({"type": "plain_text", "text": "Ver el documento"});
        let button = json!({"type": "button", "text": label, "url": url});
        blocks.push(json!({"type": "actions", "elements": [button]}));
    }
    blocks
}

fn field(name: &str, value: &str) -> Value {
    json!({"type": "mrkdwn", "text": format!("*{name}*\n{}", escaped(value))})
}

/// Slack reads `<…>` as a link or a mention: a page must not be able to call `@channel`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Slack refuses a whole message for one button that leads nowhere.
fn is_web(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && url.len() <= 3_000
}

#[cfg(test)]
mod tests {
    use super::super::notice::sample;
    use super::*;

    #[test]
    fn one_notice() {
        let message = message(&[sample("a", 4)]);
        let text = message.to_string();
        assert!(
            message["text"]
                .as_str()
                .unwrap()
                .starts_with("SII (alta): Resolución")
        );
        assert!(text.contains("&lt;transporte&gt; &amp; traslado"), "{text}");
        assert!(text.contains("Rige desde*\\n01-05-2026"), "{text}");
        assert!(text.contains("\\n• Certificar"), "{text}");
        assert_eq!(message["blocks"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn many_stay_within_slacks_bounds() {
        let mut long = sample("b", 1);
        long.titulo = "x".repeat(400);
        long.resumen = "<".repeat(4_000);
        long.url = Some("javascript:alert(1)".into());
        let message = message(&vec![long; 20]);
        let blocks = message["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50);
        for block in blocks {
            let text = block["text"]["text"].as_str().unwrap_or_default();
            assert!(text.chars().count() <= 3_000);
            assert_ne!(block["type"], "actions");
        }
        assert!(
            blocks.last().unwrap()["text"]["text"]
                .as_str()
                .unwrap()
                .contains("otras 11")
        );
    }
}
