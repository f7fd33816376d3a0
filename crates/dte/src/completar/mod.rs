//! Completing: lines in, totals out.
//!
//! The figures come from [`formulas`](crate::formulas), which the rules compare with as
//! well, so that what is completed here is what [`validate`](crate::validate) calls exact.
//!
//! Source: formato DTE 2026-02, Totales, Detalle and section 4; formato boletas 2024-12.

mod error;
mod lineas;
mod totales;

#[cfg(test)]
mod tests;

pub use error::{CompletarError, CompletarErrorKind};

use crate::model::{Documento, TipoDte};

/// What the lines don't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Opciones {
    /// Whether the sale has the special credit of construction companies: `CredEC` becomes
    /// 65 % of the IVA. Without it, a `CredEC` that is written stays.
    pub credito_constructora: bool,
}

/// Calculates every figure that follows from the lines, the global discounts and surcharges,
/// the tax codes and the type, and writes it into a copy of the document.
///
/// | written | from |
/// |---|---|
/// | `DescuentoMonto`, `RecargoMonto` | their percentages, where only these are given |
/// | `MontoItem` | price times quantity, discount, surcharge; kept where there is no price (0 where there is none of both) |
/// | `MntNeto`, `MntExe`, `TasaIVA`, `IVA` | the lines by class and the globals by class |
/// | `ImptoReten` | the codes of the lines (`CodImpAdic`) with their usual rate, or the rate that `ImptoReten` already gives; other entries stay |
/// | `IVANoRet` | the IVA less what is withheld, in a 46 that withholds a part |
/// | `GrntDep`, `MontoNF`, `MontoPeriodo`, `VlrPagar` | lines with `IndExe` 3, 2 and 6 |
/// | `Comisiones` of the totals | the commissions of a 43 |
/// | `OtraMoneda` | the amounts of an export times `TpoCambio` |
/// | `MntTotal` | all of that; 0 in an export without payment (`FmaPagExp` 21) |
///
/// A global without `IndExeDR` is for the affected lines, as the format says; in a document
/// that has none it changes nothing. Everything else stays as it is, also what is wrong.
///
/// # Errors
///
/// [`CompletarError`], with the place: the type is missing or none that exists, something
/// that is calculated with can't be read or is missing, a tax has no usual rate, or a figure
/// has more digits than can be calculated exactly.
pub fn complete(documento: &Documento, opciones: Opciones) -> Result<Documento, CompletarError> {
    let mut completo = documento.clone();
    let tipo = tipo(&completo)?;
    lineas::completar(&mut completo)?;
    totales::completar(&mut completo, tipo, opciones)?;
    Ok(completo)
}

fn tipo(documento: &Documento) -> Result<TipoDte, CompletarError> {
    const CAMPO: &str = "Encabezado/IdDoc/TipoDTE";
    let error = |kind| CompletarError::new(documento, CAMPO, kind);
    match documento.encabezado.id_doc.tipo_dte.valor_o(0) {
        None => Err(error(CompletarErrorKind::Ilegible)),
        Some(0) => Err(error(CompletarErrorKind::Falta)),
        Some(_) => documento
            .tipo()
            .ok_or_else(|| error(CompletarErrorKind::TipoDesconocido)),
    }
}
