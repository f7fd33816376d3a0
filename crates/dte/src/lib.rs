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
//! `cargo run -p dte --example check -- FILE…` prints a report for each file, and with
//! `--json` the same for a machine.
//!
//! # Completing
//!
//! [`complete`] takes a document with its lines and writes what follows from them: amounts
//! of lines, net, exempt, IVA, taxes by code, total. It has the rules' own arithmetic.
//!
//! # What else may be known
//!
//! A [`Context`] also takes the documents that a note corrects, those of the same envelope
//! and earlier ones ([`Anterior`]): then totals are compared with their originals, repeated
//! folios are found, and what a supplier sends is compared with what it sent before.
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
//!   sources, [`catalogo`] adds causes and cures; [`RULES_VERSION`] changes whenever a verdict
//!   can.
//! - **A document is judged by the rules of its own day**: see [`Vigencia`].
//!
//! # Severities and levels
//!
//! A finding has two marks. Its [`Severity`] is what the user should do: an error isn't to be
//! sent, a warning wants a person's look, an info is for knowing. Its
//! [`level`](Finding::level) predicts what the tax service does: [`Level::Rechazo`],
//! [`Level::Reparo`] or [`Level::Aviso`]. A rejection is always an error, a warning at most an
//! objection, an info never more than a remark; but an error may be less than a rejection,
//! where the tax service is more lenient than the receiver (ADR 5).
//!
//! A difference of one peso, or of one peso a line in a sum, is an [`Severity::Info`]: no
//! tolerance is documented, and real documents that were accepted differ so. More is an
//! [`Severity::Error`]: the tax service may take such a document with an objection, but its
//! receiver won't, and it can't be unsent. What practice handles differently is a
//! [`Severity::Warning`]. In [`Mode::Reception`] defects of form count one step less.
//!
//! # Absent on purpose
//!
//! The order of elements isn't judged, and nothing is looked up: whether a folio was used or a
//! RUT exists, only the tax service knows. [`validate`] judges what a document says; stamp, CAF
//! and signature are verified over the bytes of its file by [`firma`] (a feature, on by default).

#![deny(clippy::float_arithmetic)]

mod calculo;
#[cfg(feature = "test-util")]
pub mod casos;
mod catalogo;
mod codificacion;
mod completar;
mod context;
mod error;
mod estadistica;
mod estructura;
#[cfg(feature = "firma")]
pub mod firma;
mod formulas;
mod historia;
mod json;
mod limits;
mod model;
mod nivel;
mod report;
pub mod review;
mod rules;
mod serial;
mod valores;
mod vigencia;
mod xml;

pub use catalogo::{Entrada, Ficha, catalogo, catalogo_markdown};
pub use codificacion::{Charset, Codificacion};
pub use completar::{CompletarError, CompletarErrorKind, Opciones, complete};
pub use context::{Context, Mode};
pub use error::{Bound, Found, NotXml, ReadError, ReadErrorKind};
pub use findings::{Members, PathSegment, Severity, ShapeError, pesos, text_of};
pub use historia::{Anterior, Corregido};
pub use json::{MAX_JSON_BYTES, read_json};
pub use limits::Limits;
pub use model::{
    Aduana, Ajuste, Campo, CdgItem, ClaseDocumento, Comision, Desajuste, Detalle, Documento,
    DscRcgGlobal, Emisor, Encabezado, Extrano, Falla, Formato, GuiaExport, IdDoc, Ilegible,
    ImptoReten, Lectura, Motivo, OtraMoneda, RUT_BOLETA, RUT_EXTRANJERO, RUT_SII, Receptor,
    Referencia, Retenedor, Rut, RutError, TipoBultos, TipoDte, Totales, TotalesComisiones,
    Transporte, digito_verificador,
};
pub use nivel::Level;
pub use report::{Code, Finding, Recommendation, Report};
pub use rules::{RULES, RULES_VERSION, Rule, validate};
pub use vigencia::Vigencia;
pub use xml::{Caratula, Envoltorio, Reading, read_xml};
