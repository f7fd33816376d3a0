//! What a document is judged against besides itself.

use jiff::civil::Date;
use rust_decimal::Decimal;

/// What the rules are given besides the document. Time comes from here, never from a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The day on which the document is judged, in Chile.
    pub today: Date,
    /// Whether the document goes out or came in.
    pub mode: Mode,
    /// Pesos for one UF on 31 December before the document's year, where the caller knows it:
    /// boletas over 135 of them name their receiver (see the rule `boleta_mayor`).
    pub uf: Option<Decimal>,
}

impl Context {
    /// A document that is about to be sent to the tax service.
    #[must_use]
    pub const fn emission(today: Date) -> Self {
        Self {
            today,
            mode: Mode::Emission,
            uf: None,
        }
    }

    /// A document that a supplier sent.
    #[must_use]
    pub const fn reception(today: Date) -> Self {
        Self {
            today,
            mode: Mode::Reception,
            uf: None,
        }
    }

    /// The same with the value of the UF.
    #[must_use]
    pub const fn with_uf(mut self, uf: Decimal) -> Self {
        self.uf = Some(uf);
        self
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
