//! Chilean payslips: indicators by period, the rules of wages and contributions, the expected
//! payslip.
//!
//! # When to use it
//!
//! A payroll is about to be paid and somebody wants to know what is wrong with a payslip: which
//! line, which figure it should be, how that comes about, and whether to pay it. Text in, report
//! out: the rules do no I/O and know no clock. The indicators of a month come with the crate, from
//! Previred's page or files, or through [`provider`], which keeps what it fetched in a store.
//!
//! # Example
//!
//! ```
//! use payroll::{Recommendation, integrados, read_json, validate};
//!
//! let liquidacion = read_json(r#"{"employee_id": 7, "period": "2024-06", "wage": 786000, "lines": [
//!     {"code": "BASIC", "amount": 786000.0}, {"code": "GRAT", "amount": 182083},
//!     {"code": "AFP", "name": "AFP Provida", "amount": -96326}, {"code": "FONASA", "amount": -67766},
//!     {"code": "AFC", "name": "Seguro de cesantía", "amount": -5808}]}"#)?;
//! let report = validate(&liquidacion, integrados(liquidacion.periodo.unwrap()).as_ref());
//!
//! assert_eq!(report.recommendation(), Recommendation::Reject);
//! let afp = &report.findings[0];
//! assert_eq!((afp.code, afp.path.as_str()), ("LIQ-AFP-MONTO", "lines[2]"));
//! assert_eq!(afp.message, "El descuento de AFP ProVida debería ser $110.846 y dice $96.326: \
//!     la diferencia es de -$14.520. Cálculo: 11,45 % del imponible $968.083; se usó 9,95 %.");
//! # Ok::<(), payroll::ReadError>(())
//! ```
//!
//! `cargo run -p payroll --example payslip -- FILE…` prints a report for each file.
//!
//! # What there is
//!
//! - [`read_json`] and [`validate`]: the payslip as an ERP sends it, judged by [`RULES`].
//! - [`liquidar`]: the payslip that a contract should give, to the peso.
//! - [`integrados`], [`previred`], [`provider`]: a month's [`Indicadores`], each figure with its
//!   source and how sure it is. A figure that nobody has is absent; nothing is extrapolated.
//! - [`TablaImpuesto`]: the tax on wages from the UTM, to the cent as the tax service prints it.
//! - [`review`]: a model's share of a verdict, as pure functions.
//!
//! # Guarantees
//!
//! - **Exact.** Amounts are decimals, never floats. Contributions and tax are rounded to the peso,
//!   half up, one by one; so are caps in pesos (cap in UF × UF of the month's last day).
//! - **No panic, bounded memory** on any text; amounts over 10¹² pesos aren't calculated with.
//! - **One defect, one finding.** Each rule judges over the pay that the lines add up to; what
//!   only follows from another wrong figure is at most an info.
//! - **A finding shows both figures**, the difference, and the formula with its figures.
//! - **A month's rules are the month's**: rates, caps, brackets, hours and the steps of the pension
//!   reform by date. What can't be judged for want of an indicator is said.
//!
//! # Severities
//!
//! An error isn't to be paid, a warning wants a person's look, an info is for knowing. A
//! difference of one peso is an info: systems round at different places. An error rejects, a
//! warning asks for review; [`confidence`] is 100 less 40, 8 and 1 for each of them.
//!
//! # Absent on purpose
//!
//! Annual settlements (reliquidación of gratificación, tax on several employers), subsidies for
//! sick leave (the insurer pays them), and HTTP: who fetches is behind
//! [`provider::IndicatorSource`].

#![deny(clippy::float_arithmetic)]

mod afp;
mod catalogo;
mod concepto;
mod error;
mod impuesto;
mod indicadores;
mod json;
mod ley;
mod liquidar;
mod model;
mod periodo;
mod pesos;
pub mod previred;
pub mod provider;
mod report;
pub mod review;
mod rules;
mod texto;

pub use afp::Afp;
pub use catalogo::catalogo_markdown;
pub use concepto::{Certeza, Clase, Concepto, Reconocida, reconocer};
pub use error::{ReadError, ReadErrorKind};
pub use findings::{PathSegment, Severity, ShapeError, confidence, pesos};
pub use impuesto::{Periodicidad, TablaImpuesto, Tramo, utm_implicita};
pub use indicadores::{
    Campo, Cifra, Confianza, Indicadores, NECESARIOS, PRIMER_INTEGRADO, ULTIMO_INTEGRADO, Unidad,
    integrados,
};
pub use json::{MAX_JSON_BYTES, MAX_LINEAS, read_json};
pub use ley::{
    Reforma, RegimenGratificacion, TipoContrato, asignacion_familiar, hora_extra,
    jornada_ordinaria, tasas_afc, tope_gratificacion,
};
pub use liquidar::{Contrato, Gratificacion, Liquidada, LiquidarError, liquidar};
pub use model::{Datos, Ilegible, Linea, Liquidacion, Salud, Seccion, Totales};
pub use periodo::Periodo;
pub use pesos::{MAX_MONTO, centavos, redondear};
pub use report::{Code, Finding, Recommendation, Report};
pub use rules::{RULES, RULES_VERSION, Rule, validate};
