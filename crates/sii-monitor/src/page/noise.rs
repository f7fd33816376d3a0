//! The rules, as data, for what of a page is not its content.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::text::folded;

/// What of a page is left out. [`Noise::built_in`] fits the tax service's pages; another set is
/// read from a file of the same form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Elements that are left out with all that is in them.
    pub elements: HashSet<String>,
    /// Values of `role` that are left out.
    pub roles: HashSet<String>,
    /// Words of `class` and `id` that mark what is left out.
    pub classes: HashSet<String>,
    /// Parameters of a link's query that say nothing of what it leads to.
    pub link_parameters: HashSet<String>,
    /// Beginnings of short blocks that say something of the visit; see [`masked`].
    pub openings: Vec<String>,
    /// Up to so many characters a block is short.
    pub opening_max_chars: usize,
}

static BUILT_IN: LazyLock<Noise> = LazyLock::new(|| {
    // The file is compiled in and a test reads it.
    toml::from_str(include_str!("noise.toml")).unwrap_or_else(|_| Noise::none())
});

impl Noise {
    /// The rules that come with the crate.
    #[must_use]
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// No rule: everything is content.
    #[must_use]
    pub fn none() -> Self {
        Self {
            elements: HashSet::new(),
            roles: HashSet::new(),
            classes: HashSet::new(),
            link_parameters: HashSet::new(),
            openings: Vec::new(),
            opening_max_chars: 0,
        }
    }

    /// Whether an element is left out: by its name, its role, or a word of its class or id.
    pub(crate) fn hides(&self, name: &str, role: Option<&str>, marks: [Option<&str>; 2]) -> bool {
        self.elements.contains(name)
            || role.is_some_and(|role| self.roles.contains(role))
            || marks.into_iter().flatten().any(|mark| {
                mark.to_lowercase()
                    .split(|c: char| c.is_whitespace() || c == '-' || c == '_')
                    .any(|word| self.classes.contains(word))
            })
    }

    /// Whether a block's text says something of the visit and not of the matter.
    pub(crate) fn is_chatter(&self, text: &str) -> bool {
        if text.chars().count() > self.opening_max_chars {
            return false;
        }
        let masked = masked(text);
        self.openings
            .iter()
            .any(|opening| masked.starts_with(opening.as_str()))
    }

    /// The link without what only tells who looks.
    #[must_use]
    pub fn plain_link(&self, link: &str) -> String {
        let (link, _fragment) = link.split_once('#').unwrap_or((link, ""));
        let (path, query) = link.split_once('?').unwrap_or((link, ""));
        // `;jsessionid=…` is a parameter of the path.
        let path = path.split_once(';').map_or(path, |(path, _)| path);
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| {
                let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
                !pair.is_empty() && !self.link_parameters.contains(&name.to_ascii_lowercase())
            })
            .collect();
        if kept.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{}", kept.join("&"))
        }
    }
}

/// The text folded, with every run of digits (also with points and commas within) as one `#`.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let folded = folded(text);
    let mut chars = folded.chars().peekable();
    while let Some(c) = chars.next() {
        if !c.is_ascii_digit() {
            out.push(c);
            continue;
        }
        out.push('#');
        while let Some(next) = chars.peek() {
            let inner = matches!(next, '.' | ',' | ':');
            if next.is_ascii_digit() {
                chars.next();
            } else if inner {
                let mut ahead = chars.clone();
                ahead.next();
                if ahead.peek().is_some_and(char::is_ascii_digit) {
                    chars.next();
                } else {
                    break;
                }
            } else {
                break;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_are_there() {
        assert!(Noise::built_in().elements.contains("script"));
    }

    #[test]
    fn by_name_role_and_class() {
        let noise = Noise::built_in();
        assert!(noise.hides("nav", None, [None, None]));
        assert!(noise.hides("div", Some("banner"), [None, None]));
        assert!(noise.hides("div", None, [Some("row main-menu"), None]));
        assert!(noise.hides("div", None, [None, Some("contador_visitas")]));
        assert!(!noise.hides("div", None, [Some("contenido documentacion"), Some("main")]));
    }

    #[test]
    fn what_says_something_of_the_visit() {
        let noise = Noise::built_in();
        for text in [
            "Última actualización: 12/03/2026 10:33",
            "Visitas: 1.234.567",
            "Hoy es jueves 12 de marzo",
            "Jueves 12 de marzo de 2026",
        ] {
            assert!(noise.is_chatter(text), "{text}");
        }
        for text in [
            "Circular N° 11 del 30 de enero del 2025",
            "UTM: $68.923",
            "30 de abril: vence la Operación Renta",
        ] {
            assert!(!noise.is_chatter(text), "{text}");
        }
    }

    #[test]
    fn links_without_who_looks() {
        let noise = Noise::built_in();
        for (link, plain) in [
            ("/a/b.pdf;jsessionid=1A2B?x=1", "/a/b.pdf?x=1"),
            ("/a?JSESSIONID=1&id=7&_=99#top", "/a?id=7"),
            ("/a?utm_source=x", "/a"),
            ("/a", "/a"),
        ] {
            assert_eq!(noise.plain_link(link), plain);
        }
    }

    #[test]
    fn digits_are_masked_as_numbers() {
        assert_eq!(masked("Total: 1.234,50. Año 2026"), "total: #. ano #");
        assert_eq!(masked("10:33:05,"), "#,");
    }
}
