//! What a change means, by rules: dates from which it holds, deadlines, laws, impact, priority.

mod impact;
mod priority;
mod terms;

pub use impact::{Component, Impact, Level, impact};
pub use priority::{Urgency, priority};
pub use terms::{Plazo, leyes, plazos, vigencia};
