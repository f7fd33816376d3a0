//! Lines to headings and paragraphs.

use std::collections::{HashMap, HashSet};

use super::lines::Line;
use crate::compare::Piece;
use crate::page::noise::masked;

/// A line that so many pages share (and at least three) is the pages' own head or foot.
const SHARED: f64 = 0.4;

/// Heads and feet are among so many lines at the top and at the bottom of a page.
const EDGE: usize = 3;

/// The longest heading, in characters.
const MAX_HEADING: usize = 140;

/// The deepest heading.
const MAX_DEPTH: usize = 6;

/// The most characters of a paragraph.
const MAX_PIECE: usize = 4_000;

/// The pieces of a document.
pub(super) fn of(pages: Vec<Vec<Line>>) -> Vec<Piece> {
    let repeated = repeated(&pages);
    let body = body_size(&pages);
    let mut builder = Builder {
        body,
        section: Vec::new(),
        pieces: Vec::new(),
        open: None,
    };
    for page in pages {
        let own: HashSet<String> = edges(&page)
            .map(|line| masked(&line.text))
            .filter(|line| repeated.contains(line))
            .collect();
        // Once each: a row of a table may read like the page's foot.
        let (mut first, mut last) = (own.clone(), own);
        let top = page.iter().map(|line| line.y).fold(f64::MIN, f64::max);
        let low = page.iter().map(|line| line.y).fold(f64::MAX, f64::min);
        for line in page {
            let edge = if top - line.y < line.y - low {
                &mut first
            } else {
                &mut last
            };
            if !edge.remove(&masked(&line.text)) {
                builder.take(line);
            }
        }
        // A paragraph may go on over the page; where it stands there says nothing.
        if let Some((_, last)) = &mut builder.open {
            last.y = f64::INFINITY;
        }
    }
    builder.close();
    builder.pieces
}

/// The lines at the edges of most pages, digits apart: their heads and feet.
fn repeated(pages: &[Vec<Line>]) -> HashSet<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for page in pages {
        let own: HashSet<String> = edges(page).map(|line| masked(&line.text)).collect();
        for line in own {
            *counts.entry(line).or_default() += 1;
        }
    }
    let enough = (pages.len() as f64 * SHARED).max(3.0);
    counts.retain(|_, count| *count as f64 >= enough);
    counts.into_keys().collect()
}

/// The lines at the top and at the bottom of a page.
fn edges(page: &[Line]) -> impl Iterator<Item = &Line> {
    let mut by_height: Vec<&Line> = page.iter().collect();
    by_height.sort_by(|a, b| b.y.total_cmp(&a.y));
    let last = by_height.len().saturating_sub(EDGE);
    let at_edge = move |at: &usize| *at < EDGE || *at >= last;
    by_height
        .into_iter()
        .enumerate()
        .filter(move |(at, _)| at_edge(at))
        .map(|(_, line)| line)
}

/// The size that most letters have.
fn body_size(pages: &[Vec<Line>]) -> f64 {
    let mut sizes: HashMap<i64, usize> = HashMap::new();
    for line in pages.iter().flatten() {
        *sizes.entry((line.size * 2.0).round() as i64).or_default() += line.text.len();
    }
    let most = sizes
        .into_iter()
        .max_by_key(|(size, count)| (*count, *size));
    most.map_or(10.0, |(size, _)| size as f64 / 2.0)
}

struct Builder {
    body: f64,
    /// The open headings with their depths.
    section: Vec<(usize, String)>,
    pieces: Vec<Piece>,
    /// The open paragraph and its last line.
    open: Option<(String, Line)>,
}

impl Builder {
    fn take(&mut self, line: Line) {
        if let Some(depth) = self.heading(&line) {
            self.close();
            self.section.retain(|(above, _)| *above < depth);
            self.push(line.text.clone());
            self.section.push((depth, line.text));
            return;
        }
        match &mut self.open {
            Some((text, last)) if goes_on(text, last, &line) => {
                text.push(' ');
                text.push_str(&line.text);
                *last = line;
            }
            _ => {
                self.close();
                self.open = Some((line.text.clone(), line));
            }
        }
    }

    fn close(&mut self) {
        if let Some((text, _)) = self.open.take() {
            self.push(text);
        }
    }

    fn push(&mut self, text: String) {
        self.pieces.push(Piece {
            section: self.section.iter().map(|(_, text)| text.clone()).collect(),
            text,
            links: Vec::new(),
        });
    }

    /// The depth of a heading: numbered and set apart by weight, size or capitals.
    fn heading(&self, line: &Line) -> Option<usize> {
        let text = &line.text;
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        if letters < 4 || text.chars().count() > MAX_HEADING || text.contains("....") {
            return None;
        }
        let depth = numbered(text)?;
        let capitals = text.chars().filter(|c| c.is_uppercase()).count();
        let apart = line.bold || line.size > self.body * 1.1 || capitals * 10 >= letters * 8;
        apart.then_some(depth)
    }
}

/// The depth that a heading's number gives: `2.-` one, `2.1.-` two, `A.-` and `IV.-` three.
/// `1)` is an item of a list, and so is `1. …` that ends like a sentence.
fn numbered(text: &str) -> Option<usize> {
    let (mark, title) = match text.split_once(".-") {
        Some((mark, title)) => (mark, title),
        None => {
            let (mark, title) = text.split_once(' ')?;
            let pointed = mark.contains('.') && !title.ends_with(['.', ':', ';', ',']);
            // A bare figure is none: "21 días".
            (pointed.then(|| mark.trim_end_matches('.'))?, title)
        }
    };
    if !title.trim_start().starts_with(|c: char| c.is_alphabetic()) {
        return None;
    }
    let parts: Vec<&str> = mark.split('.').collect();
    let digits = |part: &&str| {
        part.len() <= 2 && !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
    };
    if parts.len() <= MAX_DEPTH && parts.iter().all(digits) {
        return Some(parts.len());
    }
    let letter = mark.len() <= 4
        && (mark.len() == 1 || mark.bytes().all(|b| b"IVX".contains(&b)))
        && mark.bytes().all(|b| b.is_ascii_uppercase());
    letter.then_some(3)
}

/// Whether a line belongs to the paragraph that the one before it is of.
fn goes_on(text: &str, last: &Line, line: &Line) -> bool {
    let down = last.y - line.y;
    let same_place = (line.x - last.x).abs() < last.size * 6.0;
    let next = down > 0.0 && down < last.size * 1.7;
    let over_the_page = last.y.is_infinite()
        && !text.ends_with(['.', ':', ';'])
        && line.text.starts_with(char::is_lowercase);
    let alike = (last.size - line.size).abs() < 0.6 && last.bold == line.bold;
    let item = line.text.starts_with(['•', '-', '·', '–']) || listed(&line.text);
    let room = text.chars().count() < MAX_PIECE;
    room && alike && !item && (over_the_page || next && same_place)
}

/// `1)`, `a)`: an item of a list.
fn listed(text: &str) -> bool {
    let mark = text.split_once(')').map(|(mark, _)| mark);
    mark.is_some_and(|mark| {
        (1..=3).contains(&mark.len()) && mark.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depths_of_headings() {
        for (text, depth) in [
            ("1.- INTRODUCCIÓN", Some(1)),
            ("2.1.- Zonas del documento", Some(2)),
            ("A.- ENCABEZADO", Some(3)),
            ("IV.- Otros", Some(3)),
            ("2.1 Zonas", Some(2)),
            ("3. Formato", Some(1)),
            ("3) Formato", None),
            ("4. Se agrega el campo.", None),
            ("21 días hábiles", None),
            ("Ley 19.983 sobre", None),
            ("2026-02", None),
            ("1.000 pesos", None),
            ("-", None),
        ] {
            assert_eq!(numbered(text), depth, "{text}");
        }
    }
}
