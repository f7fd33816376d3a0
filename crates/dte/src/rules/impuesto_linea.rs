//! A tax of the totals belongs to lines, which carry its code.
//!
//! Source: formato DTE 2026-02, Detalle/CodImpAdic. Only of documents that sell or move goods:
//! a note over an amount may have no line of goods.

use super::impuestos::existe;
use super::{Caso, Rule};
use crate::model::{Campo, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const SIN_LINEA: Code = Code {
    code: "DTE-IMPUESTO-SIN-LINEA",
    title: "Los totales tienen un impuesto que ninguna línea tiene",
    severity: Severity::Info,
    source: "formato DTE 2026-02, Detalle/CodImpAdic y Totales/ImptoReten",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "impuesto_linea",
    about: "Impuestos de los totales que ninguna línea lleva.",
    codes: &[&SIN_LINEA],
    check,
};

/// More taxes than a document may have aren't looked for.
const MAXIMO: usize = 20;

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let con_bienes = matches!(
        caso.tipo,
        Some(TipoDte::Factura | TipoDte::FacturaCompra | TipoDte::GuiaDespacho)
    );
    if !con_bienes || caso.es_json() {
        return;
    }
    let documento = caso.documento;
    let impuestos = documento.encabezado.totales.impto_reten.iter();
    for (indice, impuesto) in impuestos.take(MAXIMO).enumerate() {
        let Some(codigo) = impuesto.tipo_imp.valor().filter(|codigo| existe(*codigo)) else {
            continue;
        };
        let lo_lleva = |codigos: &[Campo<i64>]| codigos.contains(&Campo::Valor(codigo));
        let lineas = &documento.detalle;
        if !lineas.iter().any(|linea| lo_lleva(&linea.cod_imp_adic)) {
            let mensaje = format!(
                "El impuesto {codigo} está en los totales y ninguna línea lo lleva (CodImpAdic): su base no se puede comprobar."
            );
            let ruta = caso.ruta_de("Encabezado/Totales/ImptoReten", indice, "TipoImp");
            out.add(&SIN_LINEA, ruta, mensaje);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pruebas::tabla;

    #[test]
    fn a_tax_has_a_line() {
        tabla(
            &RULE,
            46,
            &[
                (|doc| doc.detalle[0].cod_imp_adic.clear(), &[]),
                (
                    |doc| {
                        doc.detalle
                            .iter_mut()
                            .for_each(|linea| linea.cod_imp_adic.clear())
                    },
                    &[("DTE-IMPUESTO-SIN-LINEA", Severity::Info)],
                ),
                (
                    |doc| {
                        doc.detalle.clear();
                        doc.encabezado.totales.impto_reten[0].tipo_imp = Campo::Valor(999);
                    },
                    &[],
                ),
            ],
        );
    }
}
