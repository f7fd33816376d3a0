//! x
mod assignment;
mod choice;
mod coefficients;
mod compare;
mod corpus;
mod evaluate;
mod features;
mod input;
mod matcher;
mod outcome;
mod reasoning;
mod reference;
mod several;
mod supplier;
mod text;
mod tie;
mod units;

pub use features::Features;
pub use input::{Invoice, Line, MAX_LINES, MAX_ORDERS, Order, Party, Reference};
pub use matcher::match_order;
pub use outcome::{Candidate, LineMatch, Match, Options};
pub use tie::{
    Choice, ChoiceError, ChoiceErrorKind, MODEL_CEILING, PROMPT_VERSION, Tie, instructions,
};
