//! Affected and exempt must not be mixed up with the type of the document.
//!
//! Source: formato DTE: a 33 has at least one affected line, else it is a 34; a 34
//! has no net amount and no IVA, and marks each line; formato boletas: the same for 39 and 41.

use super::{Caso, Rule};
use crate::model::{Campo, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const TODO_EXENTO: Code = Code {
    code: "DTE-EXENTO-TIPO",
    title: "Todo es exento en un documento afecto",
    severity: Severity::Error,
    source: "formato DTE 2026-02, IdDoc/TipoDTE; formato boletas 2024-12",
    sii_code: None,
};
const CON_NETO: Code = Code {
    code: "DTE-EXENTO-CON-NETO",
    title: "Un documento exento tiene monto neto",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/MntNeto",
    sii_code: None,
};
const CON_IVA: Code = Code {
    code: "DTE-EXENTO-CON-IVA",
    title: "Un documento exento tiene IVA",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/IVA",
    sii_code: None,
};
const LINEA_SIN_MARCA: Code = Code {
    code: "DTE-EXENTO-LINEA-SIN-MARCA",
    title: "Una línea de una factura exenta no está marcada como exenta",
    severity: Severity::Info,
    source: "formato DTE 2026-02, Detalle/IndExe",
    sii_code: None,
};
const EXENTO_SIN_LINEAS: Code = Code {
    code: "DTE-EXENTO-LINEAS-SIN-MONTO",
    title: "Hay líneas exentas, pero no monto exento",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Totales/MntExe",
    sii_code: Some("HED-2-220"),
};

pub(super) static RULE: Rule = Rule {
    name: "exencion",
    about: "Líneas y montos exentos según el tipo de documento.",
    codes: &[
        &TODO_EXENTO,
        &CON_NETO,
        &CON_IVA,
        &LINEA_SIN_MARCA,
        &EXENTO_SIN_LINEAS,
    ],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let Some(tipo) = caso.tipo else {
        return;
    };
    if tipo.es_exento() {
        exento(caso, out, tipo);
    } else {
        afecto(caso, out, tipo);
    }
}

fn afecto(caso: &Caso<'_>, out: &mut Findings, tipo: TipoDte) {
    let calculo = &caso.calculo;
    let correcto = match tipo {
        TipoDte::Factura => TipoDte::FacturaExenta,
        TipoDte::Boleta => TipoDte::BoletaExenta,
        _ => tipo,
    };
    let todo_exento =
        calculo.exento.lineas > 0 && calculo.exento.lineas == caso.documento.detalle.len();
    if todo_exento && correcto != tipo {
        let mensaje = format!(
            "Todas las líneas son exentas: corresponde una {} ({}), no una {} ({}).",
            correcto.nombre(),
            correcto.codigo(),
            tipo.nombre(),
            tipo.codigo()
        );
        out.add(&TODO_EXENTO, caso.ruta("Encabezado/IdDoc/TipoDTE"), mensaje);
    }
    // A boleta's exempt amount may go without saying: its total is checked against its lines.
    let suma = calculo.exento.final_.filter(|suma| !suma.is_zero());
    let sin_monto = caso.documento.encabezado.totales.mnt_exe.es_ausente();
    if let Some(suma) = suma
        && sin_monto
        && tipo != TipoDte::Boleta
    {
        let mensaje = format!(
            "Las líneas exentas suman {}, pero falta el monto exento (MntExe).",
            caso.cifra(suma)
        );
        caso.falta(
            out,
            &EXENTO_SIN_LINEAS,
            caso.ruta("Encabezado/Totales/MntExe"),
            mensaje,
        );
    }
}

fn exento(caso: &Caso<'_>, out: &mut Findings, tipo: TipoDte) {
    let totales = &caso.documento.encabezado.totales;
    let nombre = tipo.nombre();
    if let Some(neto) = totales.mnt_neto.valor().filter(|neto| !neto.is_zero()) {
        let mensaje = format!(
            "Una {nombre} no lleva monto neto, y dice {}.",
            caso.cifra(neto)
        );
        out.add(&CON_NETO, caso.ruta("Encabezado/Totales/MntNeto"), mensaje);
    }
    if let Some(iva) = totales.iva.valor().filter(|iva| !iva.is_zero()) {
        let mensaje = format!("Una {nombre} no lleva IVA, y dice {}.", caso.cifra(iva));
        out.add(&CON_IVA, caso.ruta("Encabezado/Totales/IVA"), mensaje);
    }
    // Exports and exempt boletas are often written without the mark, and nothing hangs on it.
    if tipo != TipoDte::FacturaExenta || caso.es_json() {
        return;
    }
    let sin_marca = |linea: &crate::model::Detalle| linea.ind_exe == Campo::Ausente;
    if let Some(indice) = caso.documento.detalle.iter().position(sin_marca) {
        let mensaje = "La línea no está marcada como exenta (IndExe 1).";
        out.add(&LINEA_SIN_MARCA, caso.ruta_linea(indice, "IndExe"), mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pruebas::{m, tabla};

    #[test]
    fn affected_types() {
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| {
                        doc.detalle
                            .iter_mut()
                            .for_each(|l| l.ind_exe = Campo::Valor(1));
                        doc.encabezado.totales.mnt_exe = m("15000");
                    },
                    &[("DTE-EXENTO-TIPO", Severity::Error)],
                ),
                (
                    |doc| doc.detalle[0].ind_exe = Campo::Valor(1),
                    &[("DTE-EXENTO-LINEAS-SIN-MONTO", Severity::Error)],
                ),
                (
                    |doc| {
                        doc.detalle[0].ind_exe = Campo::Valor(1);
                        doc.encabezado.totales.mnt_exe = m("10000");
                    },
                    &[],
                ),
            ],
        );
        tabla(
            &RULE,
            39,
            &[
                (
                    |doc| {
                        doc.detalle
                            .iter_mut()
                            .for_each(|l| l.ind_exe = Campo::Valor(1))
                    },
                    &[("DTE-EXENTO-TIPO", Severity::Error)],
                ),
                (|doc| doc.detalle[0].ind_exe = Campo::Valor(1), &[]),
            ],
        );
    }

    #[test]
    fn exempt_types() {
        for tipo in [34, 41, 110, 111, 112] {
            tabla(
                &RULE,
                tipo,
                &[
                    (
                        |doc| doc.encabezado.totales.mnt_neto = m("1"),
                        &[("DTE-EXENTO-CON-NETO", Severity::Error)],
                    ),
                    (|doc| doc.encabezado.totales.mnt_neto = m("0"), &[]),
                    (
                        |doc| doc.encabezado.totales.iva = m("2850"),
                        &[("DTE-EXENTO-CON-IVA", Severity::Error)],
                    ),
                ],
            );
        }
        tabla(
            &RULE,
            34,
            &[(
                |doc| doc.detalle[1].ind_exe = Campo::Ausente,
                &[("DTE-EXENTO-LINEA-SIN-MARCA", Severity::Info)],
            )],
        );
    }
}
