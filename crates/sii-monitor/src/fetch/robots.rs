//! robots.txt (RFC 9309): what a host asks its visitors to leave alone.

use std::time::Duration;

/// How much of the file is read (the standard asks for at least 500 KiB).
pub(super) const MAX_BYTES: usize = 512 * 1024;

/// The most rules that are kept.
const MAX_RULES: usize = 5_000;

/// The longest wait between requests that a host may ask for.
const MAX_DELAY: Duration = Duration::from_secs(30);

/// The rules that hold for one visitor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Robots {
    rules: Vec<Rule>,
    delay: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    pattern: String,
    allow: bool,
}

impl Robots {
    /// Nothing is asked: everything may be visited.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// Reads the file for the visitor of this name: the groups that name it, else those for `*`.
    #[must_use]
    pub fn read(text: &str, agent: &str) -> Self {
        let agent = agent.to_ascii_lowercase();
        let (mut own, mut any) = (Self::default(), Self::default());
        let mut named = false;
        // Whether the open group is about this visitor, and about everybody.
        let (mut is_own, mut is_any, mut heading) = (false, false, false);
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((field, value)) = line.split_once(':') else {
                continue;
            };
            let (field, value) = (field.trim().to_ascii_lowercase(), value.trim());
            if field == "user-agent" {
                if !heading {
                    (is_own, is_any) = (false, false);
                }
                heading = true;
                let value = value.to_ascii_lowercase();
                is_any |= value == "*";
                is_own |= !value.is_empty() && value != "*" && product(&agent) == product(&value);
                named |= is_own;
                continue;
            }
            heading = false;
            for (about, robots) in [(is_own, &mut own), (is_any, &mut any)] {
                if about {
                    robots.take(&field, value);
                }
            }
        }
        if named { own } else { any }
    }

    fn take(&mut self, field: &str, value: &str) {
        match field {
            "allow" | "disallow" if !value.is_empty() && self.rules.len() < MAX_RULES => {
                self.rules.push(Rule {
                    pattern: decoded(value),
                    allow: field == "allow",
                });
            }
            "crawl-delay" => {
                let seconds = value
                    .parse()
                    .ok()
                    .filter(|s: &f64| s.is_finite() && *s > 0.0);
                self.delay =
                    seconds.map(|s| Duration::from_secs_f64(s.min(MAX_DELAY.as_secs_f64())));
            }
            _ => {}
        }
    }

    /// Whether a path (with its query) may be visited: the longest rule that fits counts, of
    /// two as long the one that allows.
    #[must_use]
    pub fn allows(&self, path: &str) -> bool {
        let path = decoded(path);
        let best = self
            .rules
            .iter()
            .filter(|rule| fits(&rule.pattern, &path))
            .max_by_key(|rule| (rule.pattern.len(), rule.allow));
        best.is_none_or(|rule| rule.allow)
    }

    /// The wait between two requests that the host asks for, at most 30 s.
    #[must_use]
    pub const fn delay(&self) -> Option<Duration> {
        self.delay
    }
}

/// The visitor's product: its name without version and notes.
fn product(agent: &str) -> &str {
    let end = agent
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        .unwrap_or(agent.len());
    agent.get(..end).unwrap_or_default()
}

/// Percent-coded letters as themselves, so that both spellings of a path are one.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match tail {
            [a, b, ..] if *first == b'%' => hex(*a).zip(hex(*b)).map(|(a, b)| a * 16 + b),
            _ => None,
        };
        // What has a meaning of its own stays coded.
        match code.filter(|byte| !matches!(byte, b'/' | b'*' | b'$' | b'%' | b'?')) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Whether a pattern, in which `*` is anything and a last `$` the end, fits a path's beginning.
/// Each piece between stars is looked for from where the one before it ended: the first place
/// is always the best, so this takes no time to speak of.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, to_end) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let last = if to_end { pieces.pop() } else { None };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    match last {
        Some(last) => rest.ends_with(last),
        None => !to_end || rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "
        # para todos
        User-agent: *
        Disallow: /cgi-bin/
        Disallow: /*.zip$
        Allow: /cgi-bin/publico
        Crawl-delay: 5

        User-agent: badbot
        User-agent: otherbot
        Disallow: /

        Sitemap: https://www.sii.cl/sitemap.xml
    ";

    #[test]
    fn the_longest_rule_counts() {
        let robots = Robots::read(FILE, "ai-service-sii-monitor/0.1");
        for (path, allowed) in [
            ("/", true),
            ("/normativa/circulares.htm", true),
            ("/cgi-bin/x", false),
            ("/cgi-bin/publico/x", true),
            ("/cgi%2Dbin/x", false),
            ("/a/b.zip", false),
            ("/a/b.zip?x=1", true),
        ] {
            assert_eq!(robots.allows(path), allowed, "{path}");
        }
        assert_eq!(robots.delay(), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_group_that_names_the_visitor_counts_alone() {
        let other = Robots::read(FILE, "OtherBot/2");
        assert!(!other.allows("/normativa"));
        assert_eq!(other.delay(), None);
        let two = "User-agent: a\nDisallow: /x\n\nUser-agent: b\nDisallow: /y\nUser-agent: a\nDisallow: /z";
        let robots = Robots::read(two, "a");
        assert!(!robots.allows("/x") && robots.allows("/y") && !robots.allows("/z"));
    }

    #[test]
    fn nothing_and_everything() {
        assert!(Robots::read("", "a").allows("/"));
        assert!(Robots::read("User-agent: *\nDisallow:", "a").allows("/"));
        assert!(Robots::read("<html>no es</html>", "a").allows("/"));
        assert!(Robots::open().allows("/"));
    }

    #[test]
    fn stars_and_ends() {
        for (pattern, path, expected) in [
            ("/a*b", "/axxb/c", true),
            ("/a*b$", "/axxb/c", false),
            ("/a*b$", "/axbxb", true),
            ("/*", "/", true),
            ("/a$", "/a", true),
            ("/a$", "/ab", false),
            ("*x*y", "/x/y", true),
            ("*y*x", "/x/y", false),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_delay_is_bounded() {
        let read = |delay: &str| {
            Robots::read(&format!("User-agent: *\nCrawl-delay: {delay}"), "a").delay()
        };
        assert_eq!(read("999999"), Some(MAX_DELAY));
        for none in ["-1", "NaN", "inf", "x", "0"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
