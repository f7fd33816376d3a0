//! Chilean tax documents (DTE): tolerant readers for XML and JSON, and the rules that tell
//! whether a document is right before it goes to the tax service (SII).
//!
//! # When to use it
//!
//! An ERP is about to send an invoice, or has received one, and wants to know what is wrong
//! with it: which field, which figure it should be, by how much it is off, and whether to
//! send it. Bytes in, report out: no network, no clock, no async, no global state. The HTTP
//! service around it is another crate.
//!
//! # Example
//!
//! ```
//! use dte::{Context, Limits, Recommendation, read_xml, validate};
//! use jiff::civil::date;
//!
//! let xml = r#"<DTE><Documento><Encabezado>
//!   <IdDoc><TipoDTE>33</TipoDTE><Folio>7</Folio><FchEmis>2026-11-20</FchEmis></IdDoc>
//!   <Emisor><RUTEmisor>76192083-9</RUTEmisor></Emisor>
//!   <Receptor><RUTRecep>60803000-K</RUTRecep></Receptor>
//!   <Totales><MntNeto>1000</MntNeto><TasaIVA>19</TasaIVA><IVA>109</IVA><MntTotal>1109</MntTotal></Totales>
//! </Encabezado><Detalle><NroLinDet>1</NroLinDet><NmbItem>Perno</NmbItem><QtyItem>4</QtyItem>
//!   <PrcItem>250</PrcItem><MontoItem>1000</MontoItem></Detalle></Documento></DTE>"#;
//!
//! let reading = read_xml(xml.as_bytes(), &Limits::default())?;
//! let report = validate(&reading.documentos[0], &Context::emission(date(2026, 11, 22)));
//!
//! assert_eq!(report.recommendation(), Recommendation::Reject);
//! let finding = &report.findings[0];
//! assert_eq!(finding.code, "DTE-IVA-CALCULO");
//! assert_eq!(finding.path, "Documento/Encabezado/Totales/IVA");
//! assert_eq!(
//!     finding.message,
//!     "El IVA (19 % de $1.000) debería ser $190 y dice $109: la diferencia es de -$81."
//! );
//! # Ok::<(), dte::ReadError>(())
//! ```
//!
//! `cargo run -p dte --example check -- FILE…` prints a report for each file.
//!
//! # Guarantees
//!
//! - **Exact.** Amounts are decimals, never floats, also those that come as JSON numbers;
//!   rounding is half up; all arithmetic is checked, and an overflow is a finding.
//! - **No panic, no recursion on input depth, bounded memory** on any bytes: see [`Limits`].
//!   Document type declarations and entities are refused, nothing external is followed.
//! - **One defect, one finding.** A value that can't be read is reported once, and no rule
//!   calculates with a guess.
//! - **A finding names the field** in the words of the input: `Documento/Detalle[3]/MontoItem`
//!   for an XML (`DTE[2]/Documento/…` in an envelope of many), `lineas[2].monto` for JSON; its
//!   message shows both figures and the difference.
//! - **Tolerant reading**: any wrapping from a bare body to a cession, with or without a
//!   namespace, in ISO-8859-1, windows-1252 or UTF-8 whatever the declaration says.
//! - **Codes are stable.** [`RULES`] lists every rule with its codes, titles, severities and
//!   sources; [`RULES_VERSION`] changes whenever a verdict can.
//!
//! # Severities
//!
//! A difference of one peso, or of one peso a line in a sum, is an [`Severity::Info`]: no
//! tolerance is documented, and real documents that were accepted differ so. More is an
//! [`Severity::Error`]: the tax service may take such a document with an objection, but its
//! receiver won't, and it can't be unsent. What practice handles differently is a
//! [`Severity::Warning`]. In [`Mode::Reception`] defects of form count one step less.
//!
//! # Absent on purpose
//!
//! [`validate`] judges what a document says; stamp, signature and CAF are verified over the
//! bytes of its file, by [`firma`] (a feature, on by default). Presence and length of every field are not checked (only of
//! those that other rules need), and nothing is looked up: whether a folio was used or a RUT
//! exists, only the tax service knows.

#![deny(clippy::float_arithmetic)]

mod calculo;
mod codificacion;
mod context;
mod error;
#[cfg(feature = "firma")]
pub mod firma;
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
    Encabezado, Extrano, Formato, IdDoc, Ilegible, ImptoReten, Lectura, Motivo, OtraMoneda,
    RUT_BOLETA, RUT_EXTRANJERO, RUT_SII, Receptor, Referencia, Retenedor, Rut, RutError, TipoDte,
    Totales, TotalesComisiones, Transporte, digito_verificador,
};
pub use pesos::pesos;
pub use report::{Code, Finding, Recommendation, Report, Severity};
pub use rules::{RULES, RULES_VERSION, Rule, validate};
pub use xml::{Caratula, Envoltorio, Reading, read_xml};
