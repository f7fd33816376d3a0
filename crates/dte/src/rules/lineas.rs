//! How many lines, and their numbers.
//!
//! Source: formato DTE: 1 to 60 lines, boletas up to 1,000; lines are numbered from 1.

use super::{Caso, Rule};
use crate::model::TipoDte;
use crate::report::{Code, Findings};
use findings::Severity;

const AUSENTES: Code = Code {
    code: "DTE-LINEAS-AUSENTES",
    title: "El documento no tiene líneas de detalle",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Detalle; DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};
const EXCESO: Code = Code {
    code: "DTE-LINEAS-EXCESO",
    title: "El documento tiene demasiadas líneas",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Detalle (60); formato boletas 2024-12 (1.000)",
    sii_code: Some("ENV-3-0"),
};
const REPETIDA: Code = Code {
    code: "DTE-LINEA-NUMERO-REPETIDO",
    title: "Dos líneas tienen el mismo número",
    severity: Severity::Warning,
    source: "formato DTE 2026-02, Detalle/NroLinDet",
    sii_code: None,
};
const FUERA: Code = Code {
    code: "DTE-LINEA-NUMERO",
    title: "Falta el número de una línea, o está fuera de rango",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Detalle/NroLinDet; DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};

const ORDEN: Code = Code {
    code: "DTE-LINEA-NUMERO-ORDEN",
    title: "Las líneas no están numeradas de corrido desde 1",
    severity: Severity::Info,
    source: "formato DTE 2026-02, Detalle/NroLinDet",
    sii_code: None,
};
const VACIA: Code = Code {
    code: "DTE-LINEA-VACIA",
    title: "Una línea no tiene ningún dato en su lugar",
    severity: Severity::Error,
    source: "formato DTE 2026-02, Detalle; DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};

pub(super) static RULE: Rule = Rule {
    name: "lineas",
    about: "Cantidad y numeración de las líneas.",
    codes: &[&AUSENTES, &EXCESO, &REPETIDA, &FUERA, &ORDEN, &VACIA],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let lineas = &caso.documento.detalle;
    if lineas.is_empty() {
        caso.falta(
            out,
            &AUSENTES,
            caso.ruta("Detalle"),
            "El documento no tiene líneas de detalle.",
        );
        return;
    }
    let maximo = if caso.tipo.is_some_and(TipoDte::es_boleta) {
        1000
    } else {
        60
    };
    if lineas.len() > maximo {
        let mensaje = format!(
            "El documento tiene {} líneas; el máximo es {maximo}.",
            lineas.len()
        );
        out.add(&EXCESO, caso.ruta("Detalle"), mensaje);
    }
    let bien = numeros(caso, out, maximo);
    if bien && !caso.es_json() {
        orden(caso, out);
    }
}

/// Whether each line has a number of its own.
fn numeros(caso: &Caso<'_>, out: &mut Findings, maximo: usize) -> bool {
    // One bit for each number that the format allows: no allocation, no search.
    let mut vistos = [0_u64; 1000 / 64 + 1];
    let mut bien = true;
    for (indice, linea) in caso.documento.detalle.iter().enumerate() {
        if linea.es_vacia() {
            let mensaje =
                "La línea no tiene número, nombre, cantidad, precio ni monto en su lugar.";
            caso.falta(out, &VACIA, caso.ruta_linea(indice, ""), mensaje);
            bien = false;
            continue;
        }
        let campo = linea.nro_lin_det;
        if campo.es_ausente() && !caso.es_json() {
            out.add_form(
                &FUERA,
                caso.ruta_linea(indice, "NroLinDet"),
                "La línea no tiene número (NroLinDet).",
            );
        }
        let Some(numero) = campo.valor() else {
            continue;
        };
        let Some(lugar) = usize::try_from(numero)
            .ok()
            .filter(|n| (1..=maximo).contains(n))
        else {
            bien = false;
            // Beyond the maximum there are too many lines, which is said already.
            if numero < 1 && !caso.es_json() {
                let mensaje = format!("El número de línea {numero} está fuera de rango.");
                out.add_form(&FUERA, caso.ruta_linea(indice, "NroLinDet"), mensaje);
            }
            continue;
        };
        let (palabra, bit) = (&mut vistos[lugar / 64], 1_u64 << (lugar % 64));
        if *palabra & bit != 0 {
            let mensaje = format!("El número de línea {numero} está repetido.");
            out.add(&REPETIDA, caso.ruta_linea(indice, "NroLinDet"), mensaje);
            bien = false;
        }
        *palabra |= bit;
    }
    bien
}

/// The first line whose number isn't its place.
fn orden(caso: &Caso<'_>, out: &mut Findings) {
    let mut lineas = caso.documento.detalle.iter().enumerate();
    let salto = lineas.find_map(|(indice, linea)| {
        let numero = linea.nro_lin_det.valor()?;
        let lugar = indice + 1;
        (usize::try_from(numero) != Ok(lugar)).then_some((indice, numero, lugar))
    });
    if let Some((indice, numero, lugar)) = salto {
        let ruta = caso.ruta_linea(indice, "NroLinDet");
        let mensaje = format!("La línea {lugar} lleva el número {numero}: van de corrido desde 1.");
        out.add(&ORDEN, ruta, mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Campo, Detalle};
    use crate::rules::pruebas::{linea, tabla};

    fn con(doc: &mut crate::model::Documento, cuantas: i64) {
        doc.detalle = (1..=cuantas).map(|n| linea(n, "1", "1", "1")).collect();
    }

    #[test]
    fn number_of_lines_and_their_numbers() {
        tabla(
            &RULE,
            33,
            &[
                (
                    |doc| doc.detalle.clear(),
                    &[("DTE-LINEAS-AUSENTES", Severity::Error)],
                ),
                (|doc| con(doc, 60), &[]),
                (
                    |doc| con(doc, 61),
                    &[("DTE-LINEAS-EXCESO", Severity::Error)],
                ),
                (
                    |doc| doc.detalle[1].nro_lin_det = Campo::Valor(1),
                    &[("DTE-LINEA-NUMERO-REPETIDO", Severity::Warning)],
                ),
                (
                    |doc| doc.detalle[1].nro_lin_det = Campo::Ausente,
                    &[("DTE-LINEA-NUMERO", Severity::Error)],
                ),
                (
                    |doc| doc.detalle[1].nro_lin_det = Campo::Valor(-3),
                    &[("DTE-LINEA-NUMERO", Severity::Error)],
                ),
                (
                    |doc| doc.detalle[1].nro_lin_det = Campo::Valor(i64::MAX),
                    &[],
                ),
                (|doc| doc.detalle[1].nro_lin_det = Campo::Ilegible, &[]),
                (
                    |doc| doc.detalle[1] = Detalle::default(),
                    &[("DTE-LINEA-VACIA", Severity::Error)],
                ),
            ],
        );
        tabla(
            &RULE,
            39,
            &[
                (|doc| con(doc, 1000), &[]),
                (
                    |doc| con(doc, 1001),
                    &[("DTE-LINEAS-EXCESO", Severity::Error)],
                ),
            ],
        );
    }
}
