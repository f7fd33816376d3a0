//! Notices as a mail: a subject, a plain text and the same in HTML.

use std::fmt::Write as _;

use super::notice::{Notice, cut, dia};

/// The most characters of a subject.
const MAX_SUBJECT: usize = 120;

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The same in HTML, whatever the notices hold is text in it.
    pub html: String,
}

/// The mail that tells these notices.
#[must_use]
pub fn mail(notices: &[Notice]) -> Mail {
    let subject = match notices {
        [one] => cut(
            &one_line(&format!("[SII, {}] {}", one.urgency(), one.titulo)),
            MAX_SUBJECT,
        ),
        many => format!("[SII] {} novedades", many.len()),
    };
    let (mut text, mut html) = (
        String::new(),
        String::from("<!doctype html><html lang=\"es\"><body>"),
    );
    for notice in notices {
        plain(&mut text, notice);
        rich(&mut html, notice);
    }
    html.push_str("</body></html>");
    Mail {
        subject,
        text,
        html,
    }
}

fn facts(notice: &Notice) -> Vec<(&'static str, String)> {
    let mut facts = vec![(
        "Prioridad",
        format!("{} ({})", notice.prioridad, notice.urgency()),
    )];
    facts.extend(notice.fecha.map(|date| ("Fecha", dia(date))));
    facts.extend(notice.vigencia.map(|date| ("Rige desde", dia(date))));
    if notice.breaking {
        facts.push(("Cambio incompatible", "sí".to_owned()));
    }
    facts
}

fn plain(text: &mut String, notice: &Notice) {
    let _ = writeln!(text, "{}", notice.titulo);
    for (name, value) in facts(notice) {
        let _ = writeln!(text, "{name}: {value}");
    }
    let _ = writeln!(text, "\n{}", notice.resumen);
    for action in &notice.acciones {
        let _ = writeln!(text, "- {action}");
    }
    if let Some(url) = &notice.url {
        let _ = writeln!(text, "{url}");
    }
    text.push_str("\n----\n\n");
}

fn rich(html: &mut String, notice: &Notice) {
    let _ = write!(html, "<h2>{}</h2><p>", escaped(&notice.titulo));
    for (name, value) in facts(notice) {
        let _ = write!(html, "<b>{name}:</b> {}<br>", escaped(&value));
    }
    let _ = write!(html, "</p><p>{}</p>", escaped(&notice.resumen));
    if !notice.acciones.is_empty() {
        html.push_str("<ul>");
        for action in &notice.acciones {
            let _ = write!(html, "<li>{}</li>", escaped(action));
        }
        html.push_str("</ul>");
    }
    let web = |url: &&String| url.starts_with("https://") || url.starts_with("http://");
    if let Some(url) = notice.url.as_ref().filter(web) {
        let _ = write!(
            html,
            "<p><a href=\"{}\">Ver el documento</a></p>",
            escaped(url)
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A line break in a subject would begin another header.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::notice::sample;
    use super::*;

    #[test]
    fn what_a_mail_says() {
        let mail = mail(&[sample("a", 5)]);
        assert!(mail.subject.starts_with("[SII, urgente] Resolución"));
        assert!(
            mail.text
                .contains("Rige desde: 01-05-2026\nCambio incompatible: sí\n"),
            "{}",
            mail.text
        );
        assert!(
            mail.html.contains("&lt;transporte&gt; &amp; traslado"),
            "{}",
            mail.html
        );
        assert!(mail.html.contains("<li>Certificar</li>"));
    }

    #[test]
    fn a_title_can_not_add_headers_nor_markup() {
        let mut notice = sample("a", 1);
        notice.titulo = "x\r\nBcc: otro@example.com<script>".into();
        notice.url = Some("javascript:alert(1)".into());
        let mail = mail(&[notice]);
        assert!(!mail.subject.contains(['\r', '\n']));
        assert!(!mail.html.contains("<script") && !mail.html.contains("javascript"));
    }
}
