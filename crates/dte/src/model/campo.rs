//! A value as a document holds it: there, not there, or there and not readable.

/// A typed field of a document.
///
/// The third state keeps one defect from becoming many: a field that is written but can't
/// be read as its type is reported once (see [`Lectura::ilegibles`](super::Lectura)), and
/// rules that need it stay silent rather than calculate with a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Campo<T> {
    /// The field isn't in the document, or is empty.
    #[default]
    Ausente,
    /// The field is written, but not in the form that its type has.
    Ilegible,
    /// The field's value.
    Valor(T),
}

impl<T: Copy> Campo<T> {
    /// The value, if there is one that can be read.
    #[must_use]
    pub const fn valor(&self) -> Option<T> {
        match self {
            Self::Valor(valor) => Some(*valor),
            Self::Ausente | Self::Ilegible => None,
        }
    }

    /// The value; `absent` where the field isn't there; `None` where it can't be read.
    #[must_use]
    pub const fn valor_o(&self, absent: T) -> Option<T> {
        match self {
            Self::Valor(valor) => Some(*valor),
            Self::Ausente => Some(absent),
            Self::Ilegible => None,
        }
    }

    /// Whether the field isn't there.
    #[must_use]
    pub const fn es_ausente(&self) -> bool {
        matches!(self, Self::Ausente)
    }

    /// Whether the field is there and can't be read.
    #[must_use]
    pub const fn es_ilegible(&self) -> bool {
        matches!(self, Self::Ilegible)
    }
}

impl<T: Copy> From<Option<T>> for Campo<T> {
    fn from(valor: Option<T>) -> Self {
        valor.map_or(Self::Ausente, Self::Valor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_absent_field_takes_the_default() {
        assert_eq!(Campo::Valor(7).valor_o(0), Some(7));
        assert_eq!(Campo::Ausente.valor_o(0), Some(0));
        assert_eq!(Campo::<i32>::Ilegible.valor_o(0), None);
        assert_eq!(Campo::<i32>::Ilegible.valor(), None);
    }
}
