//! Why a project, or why none, in Spanish.

use super::features::{Reader, is_closed};
use super::{Project, ProjectFeatures, SUGGEST_AT};
use crate::choice::percent;
use crate::reasoning::short;

pub(super) fn of(
    reader: &Reader,
    ranked: &[(&Project, ProjectFeatures, f64)],
    named: bool,
) -> String {
    let Some((project, features, probability)) = ranked.first() else {
        return "No se ofreció ningún proyecto para elegir.".to_owned();
    };
    let name = short(&project.name);
    let mut text = if named {
        format!("Se sugiere el proyecto «{name}».")
    } else {
        format!(
            "Ningún proyecto llega al {SUGGEST_AT} % de confianza; el más cercano es «{name}» ({} %).",
            percent(*probability)
        )
    };
    let mut reasons = Vec::new();
    let count = reader.count(project);
    if count > 0 {
        let all = reader.purchases;
        reasons.push(format!(
            "{count} de {all} compras anteriores a este proveedor fueron para él"
        ));
    } else if reader.purchases == 0 {
        reasons.push("no hay compras anteriores a este proveedor".to_owned());
    } else {
        reasons.push("ninguna compra anterior a este proveedor fue para él".to_owned());
    }
    if features.latest > 0.0 {
        reasons.push("también la más reciente".to_owned());
    }
    if features.mention > 0.0 {
        reasons.push("las líneas nombran el proyecto o su código".to_owned());
    } else if features.text >= 0.5 {
        reasons.push("las líneas se parecen a su nombre o a sus compras".to_owned());
    }
    if features.client >= 0.7 {
        reasons.push("las líneas nombran a su cliente".to_owned());
    }
    if is_closed(project) {
        reasons.push("pero no está abierto".to_owned());
    }
    if reader.is_over_budget(project) {
        reasons.push("pero el monto supera su presupuesto".to_owned());
    }
    let reasons = reasons.join("; ");
    let mut letters = reasons.chars();
    text.push(' ');
    text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
    text.push_str(letters.as_str());
    text.push('.');
    text
}
