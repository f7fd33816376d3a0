//! x
mod alikeness;
pub mod analytics;
mod assignment;
mod choice;
mod coefficients;
mod compare;
mod corpus;
mod documento;
mod error;
mod evaluate;
mod features;
mod input;
mod json;
mod matcher;
mod outcome;
pub mod projects;
mod reasoning;
mod reference;
mod several;
mod supplier;
mod text;
mod tie;
mod units;

pub use error::{InputError, InputErrorKind};
pub use features::Features;
pub use input::{Invoice, Line, MAX_LINES, MAX_ORDERS, Order, Party, Reference};
pub use json::{read_invoice, read_orders, read_project_query};
pub use matcher::match_order;
pub use outcome::{Candidate, LineMatch, Match, Options};
pub use tie::{
    Choice, ChoiceError, ChoiceErrorKind, MODEL_CEILING, PROMPT_VERSION, Tie, instructions,
};
