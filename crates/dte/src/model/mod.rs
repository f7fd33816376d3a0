//! The tax document as data: the tax service's own names, in snake case.
//!
//! One type per section of the official format. Text is trimmed and `None` where empty;
//! numbers and dates are [`Campo`]s. Amounts are exact [`Decimal`](rust_decimal::Decimal)s:
//! pesos, or the currency of the document in an export.

mod campo;
mod documento;
mod encabezado;
mod estructura;
mod lectura;
mod rut;
mod tipo;

pub use campo::Campo;
pub use documento::{
    CdgItem, ClaseDocumento, Comision, Detalle, Documento, DscRcgGlobal, Referencia, Retenedor,
};
pub use encabezado::{
    Aduana, Emisor, Encabezado, GuiaExport, IdDoc, ImptoReten, OtraMoneda, Receptor, TipoBultos,
    Totales, TotalesComisiones, Transporte,
};
pub use estructura::{Desajuste, Falla};
pub use lectura::{Ajuste, Extrano, Formato, Ilegible, Lectura, Motivo};
pub(crate) use lectura::{MAX_NOTAS, recortado};
pub use rut::{RUT_BOLETA, RUT_EXTRANJERO, RUT_SII, Rut, RutError, digito_verificador};
pub use tipo::TipoDte;
