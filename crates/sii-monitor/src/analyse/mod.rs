//! From what was found to an item: by rules, and by a model over them where there is one.

mod model;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use llm_client::LanguageModel;

use crate::index::Tipo;
use crate::item::{AnalizadoPor, Evento, Impacto, Item, Reemplazo, Vence};
use crate::meaning::{self, Impact, Level, Urgency, leyes, plazos, priority, vigencia};

/// The most characters of a document that the rules look through.
const MAX_TEXT: usize = 60_000;

/// The most characters of a document that its impact is judged by: what it is about stands at
/// its beginning, and every long one says "deberá" somewhere.
const MAX_HEAD: usize = 3_000;

/// The most characters of a summary by rules.
const MAX_SUMMARY: usize = 600;

/// The most characters of a document's own words.
const MAX_EXTRACT: usize = 2_000;

/// The most technical changes of an item.
const MAX_CHANGES: usize = 60;

/// What was found, before anybody says what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The item's id.
    pub id: String,
    /// What happened.
    pub evento: Evento,
    /// The source.
    pub fuente: String,
    /// What the document is.
    pub tipo: Tipo,
    /// Its number.
    pub numero: Option<String>,
    /// Its date.
    pub fecha: Option<Date>,
    /// Its title.
    pub titulo: String,
    /// Where it can be read.
    pub url: Option<String>,
    /// What the index says of it, or a sentence on what changed.
    pub resumen: String,
    /// Of a new document its text, of a change what is new in it.
    pub texto: String,
    /// What changed, line by line.
    pub diff: String,
    /// What changed, named one by one.
    pub cambios: Vec<String>,
    /// Figures that were replaced.
    pub reemplaza: Vec<Reemplazo>,
}

/// Says what findings mean.
#[derive(Debug, Clone)]
pub struct Analyst {
    model: Option<Arc<dyn LanguageModel>>,
    limit: Duration,
}

impl Analyst {
    /// By rules, and by this model over them. `limit` is the time for one question to it.
    #[must_use]
    pub fn new(model: Option<Arc<dyn LanguageModel>>, limit: Duration) -> Self {
        Self { model, limit }
    }

    /// The item of a finding. Never fails: without an answer of the model's the rules stand
    /// alone, and the item says so. `ask` says whether the model may be asked.
    pub async fn item(&self, finding: Finding, today: Date, now: Timestamp, ask: bool) -> Item {
        let by_rules = tokio::task::spawn_blocking({
            let finding = finding.clone();
            move || by_rules(finding, today, now)
        });
        let mut item = match by_rules.await {
            Ok(item) => item,
            Err(_) => bare(finding.clone(), now),
        };
        if let (true, Some(model)) = (ask, &self.model) {
            match model::ask(model.as_ref(), &finding, &item, self.limit).await {
                Ok(answer) => answer.refine(&mut item, today),
                Err(problem) => {
                    metrics::counter!("sii_monitor_model_failures_total", "reason" => problem.as_str())
                        .increment(1);
                    tracing::info!(item = item.id, reason = problem.as_str(), "rules alone");
                }
            }
        }
        item
    }
}

/// The priority by the impact and the nearest of its dates.
fn prioridad(today: Date, item: &Item) -> u8 {
    let level = Level::of(&item.impacto.nivel).unwrap_or(Level::Bajo);
    let dates = item.plazos.iter().map(|plazo| plazo.fecha);
    let urgency = Urgency::of(today, dates.chain(item.vigencia));
    priority(level, urgency, item.impacto.breaking_change)
}

fn by_rules(finding: Finding, today: Date, now: Timestamp) -> Item {
    let head = |text: &str, max| -> String { text.chars().take(max).collect() };
    let (titulo, resumen) = (&finding.titulo, &finding.resumen);
    let opening = head(&finding.texto, MAX_HEAD);
    let whole = head(&format!("{titulo}. {resumen}\n{}", finding.texto), MAX_TEXT);
    let impact = meaning::impact(&format!("{titulo}. {resumen}\n{opening}"));
    let due: Vec<Vence> = plazos(&whole)
        .into_iter()
        .map(|plazo| Vence {
            fecha: plazo.fecha,
            texto: plazo.texto,
        })
        .collect();
    let mut item = Item {
        vigencia: vigencia(&whole),
        leyes: leyes(&whole),
        acciones_requeridas: actions(&impact, &due, vigencia(&whole), today),
        plazos: due,
        impacto: impacto(impact),
        ..bare(finding, now)
    };
    if item.evento == Evento::Eliminado {
        // What is gone asks for a look, whatever it said.
        item.impacto.breaking_change = false;
        item.acciones_requeridas =
            vec!["Revisar en el sitio si el documento fue reemplazado o trasladado.".to_owned()];
    }
    item.prioridad = prioridad(today, &item);
    item
}

/// The item with nothing said of what it means.
fn bare(finding: Finding, now: Timestamp) -> Item {
    let short = |text: &str| -> String { text.chars().take(MAX_SUMMARY).collect() };
    let resumen = if finding.resumen.is_empty() {
        short(&finding.texto)
    } else {
        short(&finding.resumen)
    };
    let mut cambios = finding.cambios;
    cambios.truncate(MAX_CHANGES);
    Item {
        id: finding.id,
        tipo: finding.tipo.as_str().to_owned(),
        numero: finding.numero,
        fecha: finding.fecha,
        vigencia: None,
        titulo: finding.titulo,
        url: finding.url,
        resumen,
        extracto: finding.texto.chars().take(MAX_EXTRACT).collect(),
        cambios_tecnicos: cambios,
        impacto: impacto(meaning::impact("")),
        acciones_requeridas: Vec::new(),
        prioridad: 1,
        detected_at: now,
        diff: finding.diff,
        evento: finding.evento,
        fuente: finding.fuente,
        analizado_por: AnalizadoPor::Reglas,
        plazos: Vec::new(),
        leyes: Vec::new(),
        reemplaza: finding.reemplaza,
    }
}

fn impacto(impact: Impact) -> Impacto {
    Impacto {
        nivel: impact.nivel.as_str().to_owned(),
        componentes_afectados: impact
            .componentes
            .iter()
            .map(|part| part.as_str().to_owned())
            .collect(),
        requiere_certificacion: impact.requiere_certificacion,
        breaking_change: impact.breaking,
        justificacion: impact.justificacion,
    }
}

fn actions(impact: &Impact, due: &[Vence], from: Option<Date>, today: Date) -> Vec<String> {
    let day = |date: Date| date.strftime("%d-%m-%Y").to_string();
    let mut list: Vec<String> = due
        .iter()
        .filter(|plazo| plazo.fecha >= today)
        .map(|plazo| format!("Hasta el {}: {}", day(plazo.fecha), plazo.texto))
        .collect();
    if impact.breaking {
        list.push(match from.filter(|from| *from >= today) {
            Some(from) => format!("Adaptar el ERP antes del {}.", day(from)),
            None => "Revisar si el ERP ya cumple lo que se exige.".to_owned(),
        });
    }
    if impact.requiere_certificacion {
        list.push("Verificar si corresponde certificar de nuevo ante el SII.".to_owned());
    }
    list
}

#[cfg(test)]
mod tests;
