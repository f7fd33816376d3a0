//! The JSON reader: the contract's `dte_data` object, as sloppy as ERPs write it.

mod escalar;
mod interpretar;
mod lector;

use self::lector::Lector;
use crate::error::{ReadError, ReadErrorKind};
use crate::model::Documento;

/// The most bytes of a `dte_data` object, as the HTTP contract's body.
pub const MAX_JSON_BYTES: usize = 2 * 1024 * 1024;

/// Reads the text of a `dte_data` object.
///
/// Numbers may be numbers or texts; `false`, `null` and `""` are nothing; a date may carry a
/// time; `tipo_dte` may be a text; a RUT may have dots, a lower-case `k` or the prefix `CL`
/// and is normalised, with a note in [`Lectura::ajustes`](crate::Lectura::ajustes). No number
/// goes through a float. Keys that the contract doesn't name are ignored.
///
/// Three things are told from the figures, because ERPs differ: a line's `descuento` and
/// `recargo` are amounts, or percentages where only that makes the line right; the lines of a
/// boleta are gross, or net where they sum up to `monto_neto`; a tax of code 14 that is the
/// IVA itself (Odoo's numbering) isn't an additional tax.
///
/// # Errors
///
/// [`ReadErrorKind::JsonShape`] with every place where the shape is wrong: not an object,
/// `tipo_dte` missing or no number, a list that is none or too long, an object where a scalar
/// belongs. A scalar that can't be read as its type is a finding of
/// [`validate`](crate::validate) instead. [`ReadErrorKind::JsonSyntax`] for what is no JSON,
/// [`ReadErrorKind::TooLarge`] beyond [`MAX_JSON_BYTES`].
pub fn read_json(dte_data: &str) -> Result<Documento, ReadError> {
    if dte_data.len() > MAX_JSON_BYTES {
        return Err(ReadError::new(ReadErrorKind::TooLarge {
            bytes: dte_data.len(),
            limit: MAX_JSON_BYTES,
        }));
    }
    if dte_data.trim().is_empty() {
        return Err(ReadError::new(ReadErrorKind::Empty));
    }
    let crudo = serde_json::from_str(dte_data).map_err(|error| {
        ReadError::new(ReadErrorKind::JsonSyntax {
            line: error.line(),
            column: error.column(),
        })
    })?;
    let mut lector = Lector::default();
    let documento = lector.documento(crudo);
    lector.terminar(documento)
}
