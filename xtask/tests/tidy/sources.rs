//! Rules for Rust sources.

use super::files;
use super::report;

/// No file is longer, tests or not.
const HARD_LIMIT: usize = 800;
/// No file has more lines than this before its tests.
const LIMIT: usize = 400;
/// Files that are over [`LIMIT`] with good reason, and by how much. This list only shrinks: an
/// entry that is no longer needed, or grew, fails the test.
const LONGER: &[(&str, usize)] = &[];

/// This test names what it looks for, so it spells the words in two halves.
const UNFINISHED_WORDS: [&str; 3] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];
const UNFINISHED_CALLS: [&str; 3] = [
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
    concat!("dbg", "!"),
];

#[test]
fn every_file_says_what_it_is() {
    let silent = sources().filter(|source| !source.text.starts_with("//!"));
    let silent: Vec<String> = silent.map(|source| source.path).collect();
    report("a .rs file begins with `//!` and what it is for", &silent);
}

#[test]
fn no_file_is_too_long() {
    let mut violations = Vec::new();
    for source in sources() {
        let (all, before_tests) = (source.text.lines().count(), source.production().count());
        let path = &source.path;
        if all > HARD_LIMIT {
            violations.push(format!("{path}: {all} lines, over {HARD_LIMIT}"));
        }
        let allowed = LONGER
            .iter()
            .find(|(longer, _)| longer == path)
            .map(|(_, lines)| *lines);
        match allowed {
            None if before_tests > LIMIT && !source.is_test() => {
                violations.push(format!("{path}: {before_tests} lines before its tests"));
            }
            Some(lines) if before_tests > lines || before_tests <= LIMIT => {
                violations.push(format!("{path}: {before_tests} lines; correct LONGER"));
            }
            _ => {}
        }
    }
    for (path, _) in LONGER {
        if !files::root().join(path).is_file() {
            violations.push(format!("{path}: gone; take it off LONGER"));
        }
    }
    report(
        &format!("files have at most {LIMIT} lines before tests"),
        &violations,
    );
}

#[test]
fn nothing_is_left_unfinished() {
    let violations = lines_where(|line| {
        UNFINISHED_WORDS.iter().any(|word| has_word(line, word))
            || UNFINISHED_CALLS.iter().any(|call| line.contains(call))
    });
    report("finish it, or say in an issue what is left", &violations);
}

#[test]
fn no_test_is_switched_off() {
    let ignore = concat!("#[", "ignore");
    report(
        "a test runs or goes",
        &lines_where(|line| line.trim_start().starts_with(ignore)),
    );
}

#[test]
fn exceptions_from_lints_are_expected_ones() {
    let violations = lines_where(|line| {
        let line = line.trim_start();
        let attribute = line.starts_with("#[") || line.starts_with("#![");
        attribute && has_word(line, "allow") && line.contains("allow(")
    });
    report("use #[expect(lint, reason = \"…\")]", &violations);
}

#[test]
fn no_test_waits_for_the_clock_on_the_wall() {
    let mut violations = Vec::new();
    for source in sources() {
        let paused = source.text.contains("start_paused") || source.text.contains("time::pause()");
        for (number, line) in source.test_lines() {
            let code = line.split("//").next().unwrap_or_default();
            let blocks = code.contains(concat!("thread::", "sleep"));
            if blocks || (calls_sleep(code) && !paused) {
                violations.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    report(
        "pause the runtime's clock (start_paused), or wait for an event",
        &violations,
    );
}

#[test]
fn the_rules_see_what_they_are_for() {
    assert!(has_word("// TODOS: x", "TODOS") && !has_word("TODOS", &"TODOS"[..4]));
    assert!(has_word("(allow", "allow") && !has_word("disallow(", "allow"));
    assert!(calls_sleep("    sleep(SECOND).await") && calls_sleep("tokio::time::sleep_until(x)"));
    assert!(!calls_sleep("fn no_test_sleeps() {") && !calls_sleep("asleep(1)"));
    let source = Source {
        path: "crates/x/src/lib.rs".to_owned(),
        text: "//! x\nfn a() {}\n#[cfg(test)]\nmod tests {\n}\n".to_owned(),
    };
    assert_eq!(
        (source.production().count(), source.test_lines().count()),
        (2, 3)
    );
    assert!(opens_module(&[
        "#[expect(",
        "    x,",
        ")]",
        "pub(crate) mod tests {"
    ]));
    assert!(!opens_module(&["#[expect(x)]", "mod tests;"]) && !opens_module(&["fn a() {"]));
    let elsewhere = Source {
        path: "crates/x/src/a/tests.rs".to_owned(),
        text: "//! x\n".into(),
    };
    assert_eq!(
        (
            elsewhere.production().count(),
            elsewhere.test_lines().count()
        ),
        (1, 1)
    );
    let declared = "//! x\n#[cfg(test)]\nmod tests;\nfn a() {}\n".to_owned();
    let declared = Source {
        path: "src/lib.rs".to_owned(),
        text: declared,
    };
    assert_eq!(
        (declared.production().count(), declared.test_lines().count()),
        (4, 0)
    );
}

struct Source {
    path: String,
    text: String,
}

fn sources() -> impl Iterator<Item = Source> {
    files::with_extension(".rs").into_iter().map(|path| Source {
        text: files::read(&path),
        path,
    })
}

impl Source {
    /// True for a file that holds nothing but tests or what they need.
    fn is_test(&self) -> bool {
        let mut parts = self.path.split('/');
        // The package of end-to-end tests is called `tests` as a whole.
        parts.any(|part| ["tests", "tests.rs", "benches"].contains(&part))
    }

    /// The line on which an inline test module begins, from 0. A `mod tests;` is no such: what
    /// follows it is the file's own code.
    fn inline_tests(&self) -> Option<usize> {
        let lines: Vec<&str> = self.text.lines().collect();
        let gates = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.trim() == "#[cfg(test)]");
        gates
            .map(|(at, _)| at)
            .find(|at| opens_module(&lines[at + 1..]))
    }

    fn production(&self) -> impl Iterator<Item = &str> {
        self.text
            .lines()
            .take(self.inline_tests().unwrap_or(usize::MAX))
    }

    /// The lines of tests with their numbers, from 1.
    fn test_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let from = if self.is_test() {
            Some(0)
        } else {
            self.inline_tests()
        };
        let numbered = self
            .text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        numbered.skip(from.unwrap_or(usize::MAX))
    }
}

/// True when an inline module comes next, after further attributes of one or more lines.
fn opens_module(lines: &[&str]) -> bool {
    let mut inside_attribute = false;
    let item = lines.iter().map(|line| line.trim()).find(|line| {
        let attribute = inside_attribute || line.starts_with("#[");
        inside_attribute = attribute && !line.ends_with(']');
        !attribute
    });
    item.is_some_and(|item| item.contains("mod ") && item.ends_with('{'))
}

/// Lines of all sources that match, with their places.
fn lines_where(matches: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for Source { path, text } in sources() {
        for (index, line) in text.lines().enumerate().filter(|(_, line)| matches(line)) {
            found.push(format!("{path}:{}: {}", index + 1, line.trim()));
        }
    }
    found
}

/// True where `word` stands alone, not inside a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

fn calls_sleep(code: &str) -> bool {
    ["sleep", "sleep_until"].iter().any(|name| {
        code.match_indices(&format!("{name}(")).any(|(at, _)| {
            let before = code[..at].chars().next_back();
            !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
        })
    })
}
