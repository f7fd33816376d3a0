//! Counting with a bound on the work: a short text whole, a long one by windows.

use tiktoken_rs::CoreBPE;

/// Text up to this size is counted whole: in 0.2 to 2 ms, by what it is.
const WHOLE_BYTES: usize = 6 << 10;
/// Windows over a longer text, and the size of each.
const WINDOWS: usize = 12;
const WINDOW_BYTES: usize = 512;
/// A piece that the tokenizer gets at once. Its merging takes the square of the longest run
/// without a border, so that a run must have an end.
const PIECE_BYTES: usize = 512;

/// A count of a text.
pub(super) struct Counted {
    /// Tokens of the whole text.
    pub(super) tokens: u64,
    /// What the sampling may have missed, as a number of tokens; 0 for a whole count.
    pub(super) margin: u64,
    /// Whether all of the text was counted.
    pub(super) whole: bool,
}

/// Counts the tokens of some texts together.
pub(super) fn count(vocabulary: &CoreBPE, parts: &[&str]) -> Counted {
    let bytes = parts
        .iter()
        .map(|part| part.len())
        .fold(0, usize::saturating_add);
    if bytes <= WHOLE_BYTES {
        let tokens = parts.iter().map(|part| pieces(vocabulary, part)).sum();
        return Counted {
            tokens,
            margin: 0,
            whole: true,
        };
    }
    let rates: Vec<f64> = (0..WINDOWS)
        .filter_map(|window| {
            let start = (bytes - WINDOW_BYTES) / (WINDOWS - 1) * window;
            let text = window_at(parts, start)?;
            Some(to_f64(pieces(vocabulary, text)) / to_f64(to_u64(text.len())))
        })
        .collect();
    extrapolate(&rates, to_f64(to_u64(bytes)))
}

/// Means the windows' rates; the margin is three standard errors of that mean.
fn extrapolate(rates: &[f64], bytes: f64) -> Counted {
    let count = to_f64(to_u64(rates.len())).max(1.0);
    let mean = rates.iter().sum::<f64>() / count;
    let squares = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>();
    let error = (squares / (count * (count - 1.0).max(1.0))).sqrt();
    Counted {
        tokens: to_tokens(mean * bytes),
        margin: to_tokens(3.0 * error * bytes),
        whole: false,
    }
}

/// The window that begins at a byte of the parts put end to end; shorter where its part ends.
fn window_at<'a>(parts: &[&'a str], start: usize) -> Option<&'a str> {
    let mut before = 0;
    for part in parts {
        if start < before + part.len() {
            let from = floor_boundary(part, start - before);
            let to = floor_boundary(part, from.saturating_add(WINDOW_BYTES));
            return part.get(from..to).filter(|text| !text.is_empty());
        }
        before += part.len();
    }
    None
}

/// Counts a text piece by piece, cut at white space where there is any.
fn pieces(vocabulary: &CoreBPE, text: &str) -> u64 {
    let mut rest = text;
    let mut tokens = 0;
    while !rest.is_empty() {
        let (piece, tail) = split_piece(rest);
        tokens += to_u64(vocabulary.count_ordinary(piece));
        rest = tail;
    }
    tokens
}

fn split_piece(text: &str) -> (&str, &str) {
    if text.len() <= PIECE_BYTES {
        return (text, "");
    }
    // A character is at most 4 bytes, so that the border is never the beginning.
    let border = floor_boundary(text, PIECE_BYTES);
    let (piece, _) = text.split_at(border);
    let space = piece
        .rfind(char::is_whitespace)
        .filter(|at| *at > PIECE_BYTES / 2);
    text.split_at(space.unwrap_or(border))
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an estimate: a text has fewer bytes than a float has digits for"
)]
fn to_f64(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float that isn't a count becomes the nearest one"
)]
fn to_tokens(tokens: f64) -> u64 {
    tokens.ceil() as u64
}
