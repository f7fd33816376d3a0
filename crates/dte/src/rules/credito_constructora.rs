//! The special credit of construction companies is at most 65 % of the IVA, and ends.
//!
//! Source: formato DTE, Totales/CredEC: 0.65 of the IVA; abolished from 2027-01-01.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use super::{Caso, Rule};
use crate::formulas;
use crate::report::{Code, Findings};
use findings::Severity;

const EXCESO: Code = Code {
    code: "DTE-CREDITO-CONSTRUCTORA-EXCESO",
    title: "El crédito especial de constructoras supera el 65 % del IVA",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/CredEC",
    sii_code: None,
};
const DEROGADO: Code = Code {
    code: "DTE-CREDITO-CONSTRUCTORA-DEROGADO",
    title: "El crédito especial de constructoras ya no existe",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/CredEC (derogado desde 2027-01-01)",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "credito_constructora",
    about: "Crédito especial de empresas constructoras.",
    codes: &[&EXCESO, &DEROGADO],
    check,
};

const DEROGACION: Date = date(2027, 1, 1);

fn check(caso: &Caso<'_>, out: &mut Findings) {
    const CAMPO: &str = "Encabezado/Totales/CredEC";
    let totales = &caso.documento.encabezado.totales;
    let Some(credito) = totales.cred_ec.valor().filter(|credito| !credito.is_zero()) else {
        return;
    };
    let emision = caso.documento.encabezado.id_doc.fch_emis.valor();
    if emision.is_some_and(|emision| emision >= DEROGACION) {
        out.add(
            &DEROGADO,
            caso.ruta(CAMPO),
            "El crédito especial (CredEC) está derogado desde el 1 de enero de 2027.",
        );
    }
    let maximo = totales.iva.valor().and_then(formulas::credito_constructora);
    if let Some(maximo) = maximo
        && credito > maximo.saturating_add(Decimal::ONE)
    {
        let mensaje = format!(
            "El crédito especial dice {} y el máximo (65 % del IVA) es {}: la diferencia es de {}.",
            caso.cifra(credito),
            caso.cifra(maximo),
            caso.cifra(credito - maximo)
        );
        out.add(&EXCESO, caso.ruta(CAMPO), mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Campo;
    use crate::rules::pruebas::{m, tabla};

    #[test]
    fn credit_of_construction_companies() {
        tabla(
            &RULE,
            33,
            &[
                (|doc| doc.encabezado.totales.cred_ec = m("1853"), &[]),
                (|doc| doc.encabezado.totales.cred_ec = m("1000"), &[]),
                (
                    |doc| doc.encabezado.totales.cred_ec = m("1855"),
                    &[("DTE-CREDITO-CONSTRUCTORA-EXCESO", Severity::Error)],
                ),
                (
                    |doc| {
                        doc.encabezado.totales.cred_ec = m("1000");
                        doc.encabezado.id_doc.fch_emis = Campo::Valor(date(2027, 1, 1));
                    },
                    &[("DTE-CREDITO-CONSTRUCTORA-DEROGADO", Severity::Error)],
                ),
            ],
        );
    }
}
