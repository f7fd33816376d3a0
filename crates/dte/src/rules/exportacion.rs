//! What an export says to customs: how it is sold, and in how many packages.
//!
//! Source: formato DTE 2026-02, Transporte/Aduana: CodModVenta is mandatory in 110 but for
//! services (IndServicio 3, 4, 5); TipoBultos goes with TotBultos, each with its quantity, and
//! with its marks or, a container, its number and seal. The tax service answers HED-2-804.

use super::{Caso, Rule};
use crate::model::{Aduana, Campo, TipoBultos, TipoDte};
use crate::report::{Code, Findings};
use findings::Severity;

const MODALIDAD: Code = Code {
    code: "DTE-EXPORTACION-MODALIDAD",
    title: "Una exportación de bienes no dice su modalidad o su cláusula de venta",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Transporte/Aduana/CodModVenta y CodClauVenta",
    sii_code: None,
};
const BULTOS: Code = Code {
    code: "DTE-EXPORTACION-BULTOS",
    title: "Los bultos de una exportación no suman su total",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Transporte/Aduana/TotBultos y TipoBultos",
    sii_code: Some("HED-2-804"),
};
const DESCRIPCION: Code = Code {
    code: "DTE-EXPORTACION-BULTOS-DESCRIPCION",
    title: "Los bultos de una exportación no están descritos",
    severity: Severity::Info,
    source: "formato DTE 2026-02, Transporte/Aduana/TipoBultos",
    sii_code: Some("HED-2-804"),
};

pub(super) static RULE: Rule = Rule {
    name: "exportacion",
    about: "Modalidad de venta y bultos de las exportaciones.",
    codes: &[&MODALIDAD, &BULTOS, &DESCRIPCION],
    check,
};

const SECCION: &str = "Encabezado/Transporte/Aduana";

fn check(caso: &Caso<'_>, out: &mut Findings) {
    if !caso.tipo.is_some_and(TipoDte::es_exportacion) || caso.es_json() {
        return;
    }
    let encabezado = &caso.documento.encabezado;
    let aduana = encabezado.transporte.aduana.as_ref();
    if caso.es(TipoDte::FacturaExportacion) && !es_servicio(encabezado.id_doc.ind_servicio) {
        modalidad(caso, out, aduana);
    }
    if let Some(aduana) = aduana {
        bultos(caso, out, aduana);
    }
}

fn es_servicio(indicador: Campo<i64>) -> bool {
    matches!(indicador, Campo::Valor(3..=6) | Campo::Ilegible)
}

fn modalidad(caso: &Caso<'_>, out: &mut Findings, aduana: Option<&Aduana>) {
    let falta =
        |campo: fn(&Aduana) -> Campo<i64>| aduana.is_none_or(|aduana| campo(aduana).es_ausente());
    for (nombre, que, falta) in [
        (
            "CodModVenta",
            "la modalidad",
            falta(|aduana| aduana.cod_mod_venta),
        ),
        (
            "CodClauVenta",
            "la cláusula",
            falta(|aduana| aduana.cod_clau_venta),
        ),
    ] {
        if falta {
            let mensaje = format!("La exportación de bienes no dice {que} de venta ({nombre}).");
            out.add(
                &MODALIDAD,
                caso.ruta(&format!("{SECCION}/{nombre}")),
                mensaje,
            );
        }
    }
}

fn bultos(caso: &Caso<'_>, out: &mut Findings, aduana: &Aduana) {
    let Some(total) = aduana.tot_bultos.valor() else {
        return;
    };
    if aduana.tipo_bultos.is_empty() {
        let mensaje = format!("Se informan {total} bultos y no de qué tipo son (TipoBultos).");
        out.add(
            &DESCRIPCION,
            caso.ruta(&format!("{SECCION}/TipoBultos")),
            mensaje,
        );
        return;
    }
    for (indice, bultos) in aduana.tipo_bultos.iter().enumerate() {
        descripcion(caso, out, indice, bultos);
    }
    let suma = aduana.tipo_bultos.iter().try_fold(0_i64, |suma, bultos| {
        suma.checked_add(bultos.cant_bultos.valor()?)
    });
    if let Some(suma) = suma.filter(|suma| *suma != total) {
        let mensaje = format!(
            "TotBultos dice {total} y los tipos de bulto suman {suma}: la diferencia es de {}.",
            total.saturating_sub(suma)
        );
        out.add(&BULTOS, caso.ruta(&format!("{SECCION}/TotBultos")), mensaje);
    }
}

/// What the format asks of each kind of package.
fn descripcion(caso: &Caso<'_>, out: &mut Findings, indice: usize, bultos: &TipoBultos) {
    let mut faltan = Vec::new();
    if bultos.cant_bultos.es_ausente() {
        faltan.push("la cantidad (CantBultos)");
    }
    match &bultos.id_container {
        Some(_) if bultos.sello.is_none() => faltan.push("el sello del contenedor (Sello)"),
        None if bultos.marcas.is_none() => {
            faltan.push("las marcas (Marcas) o el contenedor (IdContainer)");
        }
        _ => {}
    }
    if !faltan.is_empty() {
        let mensaje = format!(
            "El tipo de bulto {} no dice {}.",
            indice + 1,
            faltan.join(" ni ")
        );
        let ruta = caso.ruta_de(&format!("{SECCION}/TipoBultos"), indice, "");
        out.add(&DESCRIPCION, ruta, mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::pruebas::tabla;

    fn aduana(doc: &mut crate::model::Documento) -> &mut Aduana {
        doc.encabezado.transporte.aduana.as_mut().unwrap()
    }

    #[test]
    fn goods_that_leave_the_country_are_described() {
        let modalidad: &[(&str, Severity)] = &[("DTE-EXPORTACION-MODALIDAD", Severity::Warning)];
        let bultos: &[(&str, Severity)] = &[("DTE-EXPORTACION-BULTOS", Severity::Warning)];
        let descripcion: &[(&str, Severity)] =
            &[("DTE-EXPORTACION-BULTOS-DESCRIPCION", Severity::Info)];
        tabla(
            &RULE,
            110,
            &[
                (
                    |doc| doc.encabezado.transporte.aduana = None,
                    &[
                        ("DTE-EXPORTACION-MODALIDAD", Severity::Warning),
                        ("DTE-EXPORTACION-MODALIDAD", Severity::Warning),
                    ],
                ),
                (|doc| aduana(doc).cod_mod_venta = Campo::Ausente, modalidad),
                (|doc| aduana(doc).cod_clau_venta = Campo::Ausente, modalidad),
                (
                    |doc| {
                        doc.encabezado.id_doc.ind_servicio = Campo::Valor(3);
                        doc.encabezado.transporte.aduana = None;
                    },
                    &[],
                ),
                (|doc| aduana(doc).tot_bultos = Campo::Valor(11), bultos),
                (
                    |doc| aduana(doc).tipo_bultos[0].cant_bultos = Campo::Valor(i64::MAX),
                    bultos,
                ),
                (|doc| aduana(doc).tipo_bultos[0].marcas = None, descripcion),
                (|doc| aduana(doc).tipo_bultos.clear(), descripcion),
                (
                    |doc| {
                        let bultos = &mut aduana(doc).tipo_bultos[0];
                        bultos.marcas = None;
                        bultos.id_container = Some("MSKU123456-7".into());
                    },
                    descripcion,
                ),
            ],
        );
    }
}
