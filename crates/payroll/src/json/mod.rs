//! The JSON reader: the contract's body, as sloppy as ERPs write it, and the payslip with its
//! parts as some payroll programs export it.

mod contrato;
mod datos;
mod escalar;
mod objeto;
mod partes;

use serde_json::value::RawValue;

pub(crate) use self::escalar::{Escalar, chileno, decimal};
use self::objeto::Lector;
use crate::error::{ReadError, ReadErrorKind};
use crate::model::Liquidacion;

/// The most bytes of a payslip's JSON, as the HTTP contract's body.
pub const MAX_JSON_BYTES: usize = 2 * 1024 * 1024;

/// The most lines of a payslip, as the HTTP contract has it.
pub const MAX_LINEAS: usize = 100;

/// Reads the text of a payslip.
///
/// Two layouts are read. The contract's (`employee_id`, `period`, `wage`, `lines`), with what
/// is known of worker and contract beside them under English or Spanish names (`contract_type`,
/// `afp`, `health`, `plan_uf`, `worked_days`, `weekly_hours`, `birth_date`, `dependents`, …);
/// and one with `haberesImponibles`, `haberesNoImponibles`, `descuentosLegales`,
/// `otrosDescuentos`, `trabajador`, `mes`.
///
/// Numbers may be numbers or texts (`"1.234.567"` too); `false`, `null` and `""` are nothing;
/// dates may carry a time; Odoo's `[id, name]` is its id or its name. No number goes through a
/// float. Keys that nobody knows are ignored.
///
/// # Errors
///
/// [`ReadErrorKind::Shape`] with every place where the shape is wrong: a member that the
/// contract demands is missing or outside its domain, a list is none, empty or too long.
/// [`ReadErrorKind::Syntax`] for what is no JSON, [`ReadErrorKind::TooLarge`] beyond
/// [`MAX_JSON_BYTES`]. An optional field that can't be read is a finding instead.
pub fn read_json(texto: &str) -> Result<Liquidacion, ReadError> {
    if texto.len() > MAX_JSON_BYTES {
        return Err(ReadError::new(ReadErrorKind::TooLarge {
            bytes: texto.len(),
            limit: MAX_JSON_BYTES,
        }));
    }
    let crudo: &RawValue = serde_json::from_str(texto).map_err(|error| {
        ReadError::new(ReadErrorKind::Syntax {
            line: error.line(),
            column: error.column(),
        })
    })?;
    let mut lector = Lector::default();
    let liquidacion = match objeto::raiz(crudo) {
        None => {
            lector.error(
                Vec::new(),
                "La liquidación debe ser un objeto.",
                "type_error",
            );
            Liquidacion::default()
        }
        Some(raiz) if partes::es(&raiz) => partes::leer(&mut lector, &raiz),
        Some(raiz) => contrato::leer(&mut lector, &raiz),
    };
    lector.terminar(liquidacion)
}

#[cfg(test)]
mod tests;
