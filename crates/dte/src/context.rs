//! What a document is judged against besides itself.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::historia::Anterior;
use crate::model::Documento;

/// What the rules are given besides the document. Time comes from here, never from a clock.
///
/// The three slices are what the caller happens to know; empty ones switch off the rules
/// that need them, and nothing is looked up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Context<'a> {
    /// The day on which the document is judged, in Chile.
    pub today: Date,
    /// Whether the document goes out or came in.
    pub mode: Mode,
    /// Pesos for one UF on 31 December before the document's year, where the caller knows it:
    /// boletas over 135 of them name their receiver (see the rule `boleta_mayor`).
    pub uf: Option<Decimal>,
    /// Documents that this one may correct, as they were issued.
    pub originals: &'a [Documento],
    /// The documents that go in the same envelope; this one may be among them.
    pub envelope: &'a [Documento],
    /// Earlier documents: those issued before (emission), or those of the same suppliers
    /// (reception).
    pub history: &'a [Anterior],
}

impl<'a> Context<'a> {
    /// Nothing known but the day and the direction.
    #[must_use]
    pub const fn new(today: Date, mode: Mode) -> Self {
        Self {
            today,
            mode,
            uf: None,
            originals: &[],
            envelope: &[],
            history: &[],
        }
    }

    /// A document that is about to be sent to the tax service.
    #[must_use]
    pub const fn emission(today: Date) -> Self {
        Self::new(today, Mode::Emission)
    }

    /// A document that a supplier sent.
    #[must_use]
    pub const fn reception(today: Date) -> Self {
        Self::new(today, Mode::Reception)
    }

    /// The same, with documents that the judged one may correct.
    #[must_use]
    pub const fn with_originals(self, originals: &'a [Documento]) -> Self {
        Self { originals, ..self }
    }

    /// The same, with the documents that go in the same envelope. The judged document is
    /// told from its neighbours by its place in memory, so it must be one of the slice.
    #[must_use]
    pub const fn with_envelope(self, envelope: &'a [Documento]) -> Self {
        Self { envelope, ..self }
    }

    /// The same with the value of the UF.
    #[must_use]
    pub const fn with_uf(self, uf: Decimal) -> Self {
        Self {
            uf: Some(uf),
            ..self
        }
    }

    /// The same, with earlier documents.
    #[must_use]
    pub const fn with_history(self, history: &'a [Anterior]) -> Self {
        Self { history, ..self }
    }
}

/// Whether a document goes out or came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The user issues it: everything that the tax service objects to is worth saying.
    #[default]
    Emission,
    /// The user received it and can't change it: defects of form are lowered by one step.
    Reception,
}
