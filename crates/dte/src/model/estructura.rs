//! What the tables of the format say against an element of a document.

/// An element that isn't as the format has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desajuste {
    /// Where it is, or should be.
    pub ruta: String,
    /// What is wrong with it.
    pub falla: Falla,
}

/// What is wrong with an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Falla {
    /// It isn't there, or is empty. `rechazo`: the tax service rejects a document without it.
    Falta {
        /// Whether it is the schema, or a field so marked in the paper, that asks for it.
        rechazo: bool,
    },
    /// It is there without a value, which its form doesn't allow.
    Vacio,
    /// It stands there too often.
    Repeticion {
        /// How often.
        veces: usize,
        /// How often it may.
        maximo: u16,
    },
    /// The text is too long.
    Largo {
        /// Characters.
        largo: usize,
        /// Characters that it may have.
        maximo: u16,
    },
    /// The value isn't one of those that the format lists.
    Valor {
        /// The value, cut at 80 characters.
        texto: String,
        /// Those that the format lists.
        valores: &'static [&'static str],
    },
    /// The value hasn't the form of its type.
    Forma {
        /// The value, cut at 80 characters.
        texto: String,
        /// The form, in Spanish.
        esperado: &'static str,
    },
    /// The value has the form of its type, and is out of range.
    Rango {
        /// The value, cut at 80 characters.
        texto: String,
        /// The range, in Spanish.
        esperado: String,
    },
    /// The check digit of a RUT is another one.
    Digito {
        /// The RUT.
        texto: String,
        /// The digit that belongs to its body.
        esperado: char,
    },
    /// Characters that ISO-8859-1 doesn't have.
    Latin {
        /// The first of them, at most five.
        caracteres: String,
    },
    /// Control characters.
    Control {
        /// The code of the first.
        codigo: u32,
    },
    /// Letters that were encoded twice.
    DosVeces {
        /// The first of them, as it stands there.
        trozo: String,
    },
    /// The format gives the field to other document types only.
    Ajena,
    /// The schema of this document type doesn't have the element here.
    Inexistente,
}
