//! The cover of an envelope (`Caratula`) against what is in it.
//!
//! Source: EnvioDTE_v10.xsd, EnvioBOLETA_v11.xsd; CRT-3-19 for a wrong resolution.

use rust_decimal::Decimal;

use super::caso::hallazgo;
use super::codigos;
use crate::context::{Context, Mode};
use crate::model::{RUT_SII, recortado};
use crate::report::{Code, Finding};
use crate::valores;
use crate::xml::{Caratula, Envoltorio, Reading};

/// Checks the cover of an `EnvioDTE` or `EnvioBOLETA`.
pub(super) fn verificar(reading: &Reading, context: &Context<'_>, findings: &mut Vec<Finding>) {
    if !matches!(
        reading.envoltorio,
        Envoltorio::EnvioDte | Envoltorio::EnvioBoleta
    ) {
        return;
    }
    let mut decir = |code: &Code, bajo: &str, mensaje: String| {
        let path = format!("SetDTE/Caratula{bajo}");
        findings.push(hallazgo(code, code.severity, path, mensaje));
    };
    let Some(caratula) = &reading.caratula else {
        let mensaje = "El envío no tiene carátula (Caratula).".to_owned();
        decir(&codigos::CARATULA_AUSENTE, "", mensaje);
        return;
    };
    emisor(reading, caratula, &mut decir);
    resolucion(caratula, &mut decir);
    if context.mode == Mode::Emission {
        receptor(caratula, &mut decir);
    }
    subtotales(reading, caratula, findings);
}

fn emisor(reading: &Reading, caratula: &Caratula, decir: &mut impl FnMut(&Code, &str, String)) {
    let Some(suyo) = caratula.rut_emisor.as_deref() else {
        let mensaje = "La carátula no dice quién emite (RutEmisor).".to_owned();
        decir(&codigos::CARATULA_EMISOR, "/RutEmisor", mensaje);
        return;
    };
    let emisores = reading
        .documentos
        .iter()
        .map(|doc| doc.encabezado.emisor.rut_emisor.as_deref());
    let ajeno = emisores
        .enumerate()
        .find_map(|(indice, rut)| Some((indice, rut.filter(|rut| *rut != suyo)?)));
    if let Some((indice, rut)) = ajeno {
        let mensaje = format!(
            "La carátula dice que emite {} y el documento {} lo emite {}: un envío es de un solo emisor.",
            recortado(suyo),
            indice + 1,
            recortado(rut)
        );
        decir(&codigos::CARATULA_EMISOR, "/RutEmisor", mensaje);
    }
}

fn resolucion(caratula: &Caratula, decir: &mut impl FnMut(&Code, &str, String)) {
    let fecha = caratula.fch_resol.as_deref().unwrap_or_default();
    if valores::fecha(fecha).is_none() {
        let mensaje = format!(
            "La fecha de la resolución (FchResol), «{}», no es una fecha AAAA-MM-DD.",
            recortado(fecha)
        );
        decir(&codigos::CARATULA_RESOLUCION, "/FchResol", mensaje);
    }
    let numero = caratula.nro_resol.as_deref().unwrap_or_default();
    let valido = numero.len() <= 6 && valores::entero(numero).is_some_and(|numero| numero >= 0);
    if !valido {
        let mensaje = format!(
            "El número de la resolución (NroResol), «{}», no es un número de hasta 6 dígitos (0 en certificación).",
            recortado(numero)
        );
        decir(&codigos::CARATULA_RESOLUCION, "/NroResol", mensaje);
    }
}

/// An envelope may also go to a customer: an info.
fn receptor(caratula: &Caratula, decir: &mut impl FnMut(&Code, &str, String)) {
    let receptor = caratula.rut_receptor.as_deref().unwrap_or_default();
    if receptor != RUT_SII {
        let mensaje = format!(
            "La carátula va dirigida a «{}» (RutReceptor); para enviarla al SII debe decir {RUT_SII}.",
            recortado(receptor)
        );
        decir(&codigos::CARATULA_RECEPTOR, "/RutReceptor", mensaje);
    }
}

const SUBTOTAL: &str = "SetDTE/Caratula/SubTotDTE";

/// As many documents of each type as the cover says, and no other type.
fn subtotales(reading: &Reading, caratula: &Caratula, findings: &mut Vec<Finding>) {
    let mut tipos: Vec<i64> = Vec::new();
    for doc in &reading.documentos {
        let Some(tipo) = doc.encabezado.id_doc.tipo_dte.valor() else {
            return; // Reported as such; what can't be told apart isn't counted.
        };
        tipos.push(tipo);
    }
    let numero = |texto: &Option<String>| texto.as_deref().and_then(valores::entero);
    let mut declarados: Vec<(i64, i64)> = Vec::new();
    for (tipo, cuantos) in &caratula.sub_tot_dte {
        let (Some(tipo), Some(cuantos)) = (numero(tipo), numero(cuantos)) else {
            let code = &codigos::CARATULA_SUBTOTAL;
            let mensaje = "Un SubTotDTE de la carátula no dice su tipo (TpoDTE) o su cantidad (NroDTE): no se puede comparar con los documentos.";
            findings.push(hallazgo(
                code,
                code.severity,
                SUBTOTAL.to_owned(),
                mensaje.to_owned(),
            ));
            return;
        };
        declarados.push((tipo, cuantos));
    }
    let mut todos: Vec<i64> = tipos.clone();
    todos.extend(declarados.iter().map(|(tipo, _)| *tipo));
    todos.sort_unstable();
    todos.dedup();
    // The schema has at most 20; a file of garbage may hold any number.
    for tipo in todos.into_iter().take(40) {
        let hay = tipos.iter().filter(|otro| **otro == tipo).count();
        let mut dichos = declarados.iter().filter(|(otro, _)| *otro == tipo);
        let dice = dichos.next().map(|(_, cuantos)| *cuantos);
        if dice.is_some() && dichos.next().is_some() {
            findings.push(diferencia(tipo, hay, dice, ", y lo dice más de una vez"));
        } else if dice != i64::try_from(hay).ok() {
            findings.push(diferencia(tipo, hay, dice, ""));
        }
    }
}

fn diferencia(tipo: i64, hay: usize, dice: Option<i64>, ademas: &str) -> Finding {
    let (dice, hay) = (Decimal::from(dice.unwrap_or(0)), Decimal::from(hay));
    let code = &codigos::CARATULA_SUBTOTAL;
    let mut finding = hallazgo(
        code,
        code.severity,
        SUBTOTAL.to_owned(),
        format!(
            "La carátula dice que hay {dice} documentos de tipo {tipo} y en el envío hay {hay}{ademas}."
        ),
    );
    finding.expected = Some(hay);
    finding.actual = Some(dice);
    finding.difference = dice.checked_sub(hay);
    finding
}
