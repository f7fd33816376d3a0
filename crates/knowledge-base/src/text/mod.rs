//! Text into tokens: the same for what is kept and for what is asked.

mod fold;
mod grams;
mod stem;
mod stopwords;
mod tokens;

pub(crate) use fold::{fold, fold_char};
pub(crate) use grams::{GramKey, each_gram};
pub(crate) use stem::Stems;
pub(crate) use stopwords::is_stop_word;
pub(crate) use tokens::{Token, TokenKind, tokenise};
