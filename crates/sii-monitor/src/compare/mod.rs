//! What changed between two visits: blocks of a page, entries of an index; and the shapes that
//! are no change but a broken page.

mod blocks;
mod entries;
mod habits;
mod sections;

pub use blocks::{Change, Piece, changes, pieces};
pub use entries::{EntryChange, Field, entry_changes};
pub use habits::{Habits, Slot};
pub use sections::{Difference, SectionChange, difference};

/// A page that can't be believed: an error with a name, never "no change".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alarm {
    /// It had entries, and suddenly has none.
    NoEntries {
        /// How many it had.
        before: usize,
    },
    /// It lost more than half of what it said.
    Shrunk {
        /// Characters (of an index: entries) at the last good visit.
        before: usize,
        /// And now.
        after: usize,
    },
    /// It says nothing at all.
    Empty,
}

impl Alarm {
    /// The stable English word for metrics and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoEntries { .. } => "no_entries",
            Self::Shrunk { .. } => "shrunk",
            Self::Empty => "empty",
        }
    }

    /// What an operator reads.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::NoEntries { before } => format!(
                "El índice tenía {before} entradas y ahora no se reconoce ninguna: la página cambió de forma o está rota."
            ),
            Self::Shrunk { before, after } => format!(
                "La página se redujo a menos de la mitad ({before} → {after}): está rota o cambió de forma."
            ),
            Self::Empty => "La página llegó sin contenido.".to_owned(),
        }
    }
}

/// Looks for a broken shape of a page of running text. `before` are the characters of the last
/// good visit, where there was one.
///
/// # Errors
/// The [`Alarm`].
pub fn check_text(before: Option<usize>, after: usize) -> Result<(), Alarm> {
    match before {
        _ if after == 0 => Err(Alarm::Empty),
        Some(before) if after * 2 < before => Err(Alarm::Shrunk { before, after }),
        _ => Ok(()),
    }
}

/// Looks for a broken shape of an index. On 1 January a new year's index begins small: it is
/// another page, with no visit before.
///
/// # Errors
/// The [`Alarm`].
pub fn check_index(before: Option<usize>, after: usize) -> Result<(), Alarm> {
    match before {
        Some(before) if before > 0 && after == 0 => Err(Alarm::NoEntries { before }),
        Some(before) if after * 2 < before => Err(Alarm::Shrunk { before, after }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_shapes_have_names() {
        assert_eq!(check_text(None, 10), Ok(()));
        assert_eq!(check_text(Some(100), 50), Ok(()));
        let (before, after) = (100, 49);
        assert_eq!(
            check_text(Some(100), 49),
            Err(Alarm::Shrunk { before, after })
        );
        assert_eq!(check_text(None, 0), Err(Alarm::Empty));
        assert_eq!(check_index(None, 0), Ok(()));
        assert_eq!(check_index(Some(0), 0), Ok(()));
        assert_eq!(check_index(Some(3), 0), Err(Alarm::NoEntries { before: 3 }));
        assert_eq!(
            check_index(Some(3), 1),
            Err(Alarm::Shrunk {
                before: 3,
                after: 1
            })
        );
    }
}
