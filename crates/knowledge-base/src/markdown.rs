//! Markdown cut at its headings into passages.

use std::sync::Arc;

use crate::document::Passage;

/// Joins the headings above a passage.
const JOIN: &str = " > ";
/// Headings deeper than this count as this deep.
const DEEPEST: usize = 6;

/// The passages of a text, each below its headings. A section over `max_chars` characters is
/// split at blank lines, and a paragraph over it at a space.
pub(crate) fn split(text: &str, max_chars: usize) -> Vec<Passage> {
    let mut passages = Vec::new();
    let mut headings: Vec<(usize, String)> = Vec::new();
    let mut section = String::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        match heading(line).filter(|_| !fenced) {
            Some((level, title)) => {
                finish(&headings, &mut section, max_chars, &mut passages);
                headings.retain(|(above, _)| *above < level);
                headings.push((level, title.to_owned()));
            }
            None => {
                section.push_str(line);
                section.push('\n');
            }
        }
    }
    finish(&headings, &mut section, max_chars, &mut passages);
    passages
}

/// The level and the text of a heading (`## Text ##`).
fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let title = line.get(level..)?;
    if level == 0 || level > DEEPEST || !title.starts_with([' ', '\t']) {
        return None;
    }
    let title = title.trim().trim_end_matches('#').trim_end();
    (!title.is_empty()).then_some((level, title))
}

fn finish(
    headings: &[(usize, String)],
    section: &mut String,
    max_chars: usize,
    out: &mut Vec<Passage>,
) {
    let text = std::mem::take(section);
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let titles: Vec<&str> = headings.iter().map(|(_, title)| title.as_str()).collect();
    let path: Arc<str> = titles.join(JOIN).into();
    for part in parts(text, max_chars.max(1)) {
        out.push(Passage {
            section: Arc::clone(&path),
            content: part.into(),
        });
    }
}

/// The text in pieces of at most `max` characters, cut at a blank line, else at a space, else
/// where it must be.
fn parts(text: &str, max: usize) -> Vec<&str> {
    let mut rest = text;
    let mut parts = Vec::new();
    while let Some((limit, _)) = rest.char_indices().nth(max) {
        let head = rest.get(..limit).unwrap_or(rest);
        let at = head
            .rfind("\n\n")
            .filter(|at| *at > limit / 4)
            .or_else(|| head.rfind(char::is_whitespace))
            .filter(|at| *at > 0)
            .unwrap_or(limit);
        let (part, after) = rest.split_at(at);
        parts.push(part.trim());
        rest = after.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, max: usize) -> Vec<(String, String)> {
        split(text, max)
            .into_iter()
            .map(|passage| (passage.section.to_string(), passage.content.to_string()))
            .collect()
    }

    fn pair(section: &str, content: &str) -> (String, String) {
        (section.to_owned(), content.to_owned())
    }

    #[test]
    fn sections_keep_the_headings_above_them() {
        let text =
            "Intro.\n\n# Uno\n\na\n## Dos ##\nb\n\n# Tres\n#no\n```\n# code\n```\n### Vacío\n";
        assert_eq!(
            cut(text, 2_000),
            [
                pair("", "Intro."),
                pair("Uno", "a"),
                pair("Uno > Dos", "b"),
                pair("Tres", "#no\n```\n# code\n```"),
            ]
        );
        assert!(cut("", 10).is_empty() && cut("# Only\n\n", 10).is_empty());
    }

    #[test]
    fn long_sections_are_cut_at_paragraphs_then_at_spaces() {
        assert_eq!(
            cut("uno dos\n\ntres cuatro", 14),
            [pair("", "uno dos"), pair("", "tres cuatro")]
        );
        assert_eq!(cut("ññññ", 3), [pair("", "ñññ"), pair("", "ñ")]);
        for (_, part) in cut(&"palabra ".repeat(1_000), 100) {
            assert!(part.chars().count() <= 100 && !part.is_empty());
        }
    }
}
