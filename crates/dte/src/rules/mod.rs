//! The rules: one file each, listed in [`RULES`].
//!
//! A code is `DTE-AREA-WHAT`: the area is the section or the subject in Spanish
//! (`RUT-EMISOR`, `LINEA`, `NETO`, `REF`), the rest says what is wrong with it. A code is
//! never reused for something else. Sources are the tax service's own papers (formato DTE
//! 2026-02, formato boletas 2024-12, the schemas); its codes were seen in the field.

mod boleta;
mod boleta_mayor;
pub(crate) mod caso;
mod codificacion;
mod comisiones;
mod correccion;
mod credito_constructora;
mod descuento_global;
mod estructura;
mod estructura_json;
mod exencion;
mod exento;
mod exportacion;
mod fechas;
mod folio;
mod guia;
mod impuesto_linea;
pub(crate) mod impuestos;
pub(crate) mod iva;
mod lectura;
mod linea_monto;
mod lineas;
mod moneda;
mod montos;
mod neto;
mod no_facturable;
mod otra_moneda;
mod recepcion;
mod referencias;
mod referencias_forma;
mod referencias_orden;
mod repetido;
mod retenciones;
mod rut;
mod tipo;
mod total;
mod transporte;

#[cfg(test)]
pub(crate) mod pruebas;
#[cfg(test)]
mod tests;

use self::caso::Caso;
use crate::context::Context;
use crate::model::Documento;
use crate::report::{Code, Findings, Report};

/// When rules hold that haven't always done so.
pub(crate) mod vigencias {
    pub(crate) use super::boleta_mayor::VIGENCIA as BOLETA_MAYOR;
    pub(crate) use super::otra_moneda::VIGENCIA as OTRA_MONEDA;
    pub(crate) use super::transporte::VIGENCIA as TRANSPORTE;
}

/// Changes whenever a verdict can change; part of the key of every cached answer.
pub const RULES_VERSION: &str = "2026-11-22.5";

/// One rule: a few related checks in a file of their own.
pub struct Rule {
    /// Its name: that of its file.
    pub name: &'static str,
    /// What it looks at, in a Spanish sentence.
    pub about: &'static str,
    /// The kinds of finding that it makes.
    pub codes: &'static [&'static Code],
    check: fn(&Caso<'_>, &mut Findings),
}

/// Every rule, in the order in which they run.
pub static RULES: &[&Rule] = &[
    &lectura::RULE,
    &codificacion::RULE,
    &tipo::RULE,
    &folio::RULE,
    &fechas::RULE,
    &rut::RULE,
    &guia::RULE,
    &moneda::RULE,
    &montos::RULE,
    &lineas::RULE,
    &linea_monto::RULE,
    &exencion::RULE,
    &descuento_global::RULE,
    &neto::RULE,
    &exento::RULE,
    &iva::RULE,
    &impuestos::RULE,
    &impuesto_linea::RULE,
    &retenciones::RULE,
    &credito_constructora::RULE,
    &comisiones::RULE,
    &no_facturable::RULE,
    &boleta::RULE,
    &total::RULE,
    &referencias::RULE,
    &referencias_forma::RULE,
    &referencias_orden::RULE,
    &correccion::RULE,
    &repetido::RULE,
    &recepcion::RULE,
    &transporte::RULE,
    &boleta_mayor::RULE,
    &otra_moneda::RULE,
    &exportacion::RULE,
    // Last: of a field that another rule spoke of, the tables have nothing to add.
    &estructura_json::RULE,
    &estructura::RULE,
];

/// Judges a document: runs every rule. Pure, and without a clock: the day is the context's.
///
/// Nothing is allocated for a document that is right.
#[must_use]
pub fn validate(documento: &Documento, context: &Context<'_>) -> Report {
    let caso = Caso::nuevo(documento, context);
    let mut findings = Findings::new(context.mode);
    for rule in RULES {
        (rule.check)(&caso, &mut findings);
    }
    findings.into_report()
}

impl Rule {
    /// Runs this rule alone, for measurements and examinations; [`validate`] runs all.
    #[must_use]
    pub fn check_alone(&self, documento: &Documento, context: &Context<'_>) -> Report {
        let mut findings = Findings::new(context.mode);
        (self.check)(&Caso::nuevo(documento, context), &mut findings);
        findings.into_report()
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule")
            .field("name", &self.name)
            .field("codes", &self.codes)
            .finish_non_exhaustive()
    }
}
