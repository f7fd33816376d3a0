//! Chilean tax documents (DTE): tolerant readers for XML and JSON, and the rules.

#![deny(clippy::float_arithmetic)]

mod calculo;
mod codificacion;
mod context;
mod error;
mod json;
mod limits;
mod model;
mod pesos;
mod report;
pub mod review;
mod rules;
mod valores;
mod xml;

pub use codificacion::{Charset, Codificacion};
pub use context::{Context, Mode};
pub use error::{Bound, Found, NotXml, PathSegment, ReadError, ReadErrorKind, ShapeError};
pub use json::{MAX_JSON_BYTES, read_json};
pub use limits::Limits;
pub use model::{
    Ajuste, Campo, CdgItem, ClaseDocumento, Comision, Detalle, Documento, DscRcgGlobal, Emisor,
    Encabezado, Extrano, Formato, IdDoc, Ilegible, ImptoReten, Lectura, OtraMoneda, RUT_BOLETA,
    RUT_EXTRANJERO, RUT_SII, Receptor, Referencia, Retenedor, Rut, RutError, TipoDte, Totales,
    TotalesComisiones, Transporte, digito_verificador,
};
pub use pesos::pesos;
pub use report::{Code, Finding, Recommendation, Report, Severity};
pub use rules::{RULES, RULES_VERSION, Rule, validate};
pub use xml::{Caratula, Envoltorio, Reading, read_xml};
