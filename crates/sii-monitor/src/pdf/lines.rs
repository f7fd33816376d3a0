//! A page's content stream to lines of text, in the order in which it is written.

use std::collections::HashMap;
use std::time::Instant;

use lopdf::content::{Content, Operation};
use lopdf::{Document, Object, ObjectId};

use super::fonts::{self, Font, number};
use super::{PdfError, PdfLimits};
use crate::text::squeezed;

/// How deep states may be nested (`q`).
const MAX_STATES: usize = 64;

/// A gap of so much of the font's size is a blank.
const BLANK: f64 = 0.18;

/// A line of a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) size: f64,
    pub(super) bold: bool,
}

/// The lines of each page, and whether there was more.
pub(super) fn of(
    document: &Document,
    limits: PdfLimits,
    until: Instant,
) -> Result<(Vec<Vec<Line>>, bool), PdfError> {
    let (mut pages, mut truncated, mut chars) = (Vec::new(), false, 0);
    for (at, page) in document.get_pages().into_values().enumerate() {
        if Instant::now() > until {
            return Err(PdfError::Timeout);
        }
        if at >= limits.pages || chars >= limits.chars {
            truncated = true;
            break;
        }
        let lines = page_lines(document, page, limits, until)?;
        chars += lines.iter().map(|line| line.text.len()).sum::<usize>();
        pages.push(lines);
    }
    Ok((pages, truncated))
}

fn page_lines(
    document: &Document,
    page: ObjectId,
    limits: PdfLimits,
    until: Instant,
) -> Result<Vec<Line>, PdfError> {
    let content = document.get_page_content_with_limit(page, limits.stream_bytes);
    let Some(content) = content.ok().and_then(|bytes| Content::decode(&bytes).ok()) else {
        // A page that can't be read is like one without text; the others still count.
        return Ok(Vec::new());
    };
    let fonts = fonts::of_page(document, page);
    let mut pen = Pen::new(&fonts);
    for (at, operation) in content.operations.iter().enumerate() {
        if at % 4_096 == 0 && Instant::now() > until {
            return Err(PdfError::Timeout);
        }
        pen.follow(operation);
    }
    pen.end_line();
    Ok(pen.lines)
}

/// `[a b c d e f]` of a transformation.
type Matrix = [f64; 6];

const UNIT: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// First `a`, then `b`.
fn both(a: Matrix, b: Matrix) -> Matrix {
    let ([a0, a1, a2, a3, a4, a5], [b0, b1, b2, b3, b4, b5]) = (a, b);
    [
        a0 * b0 + a1 * b2,
        a0 * b1 + a1 * b3,
        a2 * b0 + a3 * b2,
        a2 * b1 + a3 * b3,
        a4 * b0 + a5 * b2 + b4,
        a4 * b1 + a5 * b3 + b5,
    ]
}

#[derive(Clone)]
struct State<'a> {
    page: Matrix,
    font: Option<&'a Font<'a>>,
    size: f64,
    leading: f64,
    letter_gap: f64,
    scale: f64,
}

struct Pen<'a> {
    fonts: &'a HashMap<Vec<u8>, Font<'a>>,
    state: State<'a>,
    saved: Vec<State<'a>>,
    text: Matrix,
    line: Matrix,
    open: Option<Line>,
    /// Where the open line's last letter ended.
    end: f64,
    lines: Vec<Line>,
}

impl<'a> Pen<'a> {
    fn new(fonts: &'a HashMap<Vec<u8>, Font<'a>>) -> Self {
        Self {
            fonts,
            state: State {
                page: UNIT,
                font: None,
                size: 1.0,
                leading: 0.0,
                letter_gap: 0.0,
                scale: 1.0,
            },
            saved: Vec::new(),
            text: UNIT,
            line: UNIT,
            open: None,
            end: 0.0,
            lines: Vec::new(),
        }
    }

    fn follow(&mut self, operation: &Operation) {
        let operands = &operation.operands;
        let at = |index: usize| operands.get(index).and_then(number).unwrap_or_default();
        match operation.operator.as_str() {
            "q" if self.saved.len() < MAX_STATES => self.saved.push(self.state.clone()),
            "Q" => self.state = self.saved.pop().unwrap_or_else(|| self.state.clone()),
            "cm" => {
                let matrix = [at(0), at(1), at(2), at(3), at(4), at(5)];
                self.state.page = both(matrix, self.state.page);
            }
            "BT" => (self.text, self.line) = (UNIT, UNIT),
            "Tf" => {
                let name = operands.first().and_then(|name| name.as_name().ok());
                self.state.font = name.and_then(|name| self.fonts.get(name));
                self.state.size = at(1);
            }
            "TL" => self.state.leading = at(0),
            "Tc" => self.state.letter_gap = at(0),
            "Tz" => self.state.scale = at(0) / 100.0,
            "Tm" => self.place([at(0), at(1), at(2), at(3), at(4), at(5)]),
            "Td" => self.step(at(0), at(1)),
            "TD" => {
                self.state.leading = -at(1);
                self.step(at(0), at(1));
            }
            "T*" => self.step(0.0, -self.state.leading),
            "Tj" => self.show(operands.first()),
            "'" | "\"" => {
                self.step(0.0, -self.state.leading);
                self.show(operands.last());
            }
            "TJ" => {
                let pieces = operands.first().and_then(|list| list.as_array().ok());
                for piece in pieces.into_iter().flatten() {
                    match number(piece) {
                        Some(back) => self.advance(-back / 1_000.0 * self.state.size),
                        None => self.show(Some(piece)),
                    }
                }
            }
            _ => {}
        }
    }

    fn place(&mut self, matrix: Matrix) {
        (self.text, self.line) = (matrix, matrix);
    }

    fn step(&mut self, x: f64, y: f64) {
        self.place(both([1.0, 0.0, 0.0, 1.0, x, y], self.line));
    }

    fn advance(&mut self, by: f64) {
        let by = by * self.state.scale;
        self.text = both([1.0, 0.0, 0.0, 1.0, by, 0.0], self.text);
    }

    fn show(&mut self, string: Option<&Object>) {
        let (Some(font), Some(Object::String(bytes, _))) = (self.state.font, string) else {
            return;
        };
        let text = font.text(bytes);
        let (width, letters) = font.width(bytes);
        let [_, _, c, d, x, y] = both(self.text, self.state.page);
        let size = (c.hypot(d) * self.state.size).abs();
        self.join(x, y, size, font.bold, &text);
        let gaps = self.state.letter_gap * letters as f64;
        self.advance(width / 1_000.0 * self.state.size + gaps);
        self.end = both(self.text, self.state.page)[4];
    }

    /// Puts text on the open line if it goes on there, else on a new one.
    fn join(&mut self, x: f64, y: f64, size: f64, bold: bool, text: &str) {
        let near = size.max(1.0);
        if let Some(line) = &mut self.open
            && (line.y - y).abs() < near * 0.4
            && x > self.end - near
            && x < self.end + near * 8.0
        {
            if x > self.end + near * BLANK && !line.text.ends_with(' ') {
                line.text.push(' ');
            }
            line.text.push_str(text);
            line.bold &= bold || text.trim().is_empty();
            return;
        }
        self.end_line();
        self.open = Some(Line {
            text: text.to_owned(),
            x,
            y,
            size,
            bold,
        });
    }

    fn end_line(&mut self) {
        if let Some(mut line) = self.open.take() {
            line.text = squeezed(&line.text);
            if !line.text.is_empty() {
                self.lines.push(line);
            }
        }
    }
}
