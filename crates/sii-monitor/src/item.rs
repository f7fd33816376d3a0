//! One piece of news, in the contract's shape.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::deliver::Notice;

/// One piece of news, as `GET /api/ai/sii/news` answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Stable: the same document has the same id, from whichever source and replica.
    pub id: String,
    /// `circular`, `resolucion`, `oficio`, `ley`, `decreto` or `publicacion`.
    pub tipo: String,
    /// The document's number.
    pub numero: Option<String>,
    /// The document's date.
    pub fecha: Option<Date>,
    /// From when it holds.
    pub vigencia: Option<Date>,
    /// Its title.
    pub titulo: String,
    /// Where it can be read.
    pub url: Option<String>,
    /// What it says, in a few sentences.
    pub resumen: String,
    /// How a new document begins, or what is new on a page, in its own words.
    #[serde(default)]
    pub extracto: String,
    /// What it changes, technically.
    pub cambios_tecnicos: Vec<String>,
    /// How much it matters.
    pub impacto: Impacto,
    /// What must be done.
    pub acciones_requeridas: Vec<String>,
    /// From 1 (to know) to 5 (act today).
    pub prioridad: u8,
    /// When it was found.
    pub detected_at: Timestamp,
    /// What changed on the page, line by line (`+`, `-`, `~`).
    pub diff: String,
    /// What happened to the document.
    pub evento: Evento,
    /// The source that it was found through first.
    pub fuente: String,
    /// Who says what it means.
    pub analizado_por: AnalizadoPor,
    /// Deadlines that it sets.
    pub plazos: Vec<Vence>,
    /// Laws and decrees that it names.
    pub leyes: Vec<String>,
    /// Figures that it replaces.
    pub reemplaza: Vec<Reemplazo>,
}

/// How much an item matters to who sends tax documents from an ERP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impacto {
    /// `bajo`, `medio` or `alto`.
    pub nivel: String,
    /// The parts of an ERP that it touches.
    pub componentes_afectados: Vec<String>,
    /// Whether software must be certified again.
    pub requiere_certificacion: bool,
    /// Whether documents that were right become wrong.
    pub breaking_change: bool,
    /// Why.
    pub justificacion: String,
}

/// A deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vence {
    /// The last day.
    pub fecha: Date,
    /// The sentence that sets it.
    pub texto: String,
}

/// A figure that is no longer the one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reemplazo {
    /// Which figure: `utm`, `uf`, `uta`, `sueldo_minimo`, `tope_imponible`, `impuesto_unico`.
    pub indicador: String,
    /// The text that held.
    pub antes: String,
    /// The text that holds.
    pub despues: String,
}

/// What happened to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evento {
    /// It is new.
    Nuevo,
    /// It says something else.
    Modificado,
    /// It is gone.
    Eliminado,
}

/// Who says what an item means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalizadoPor {
    /// The rules alone: there is no model, or it didn't answer.
    Reglas,
    /// The rules, and the model over them.
    Modelo,
}

impl Item {
    /// The item as channels tell it.
    #[must_use]
    pub fn notice(&self) -> Notice {
        Notice {
            id: self.id.clone(),
            tipo: self.tipo.clone(),
            numero: self.numero.clone(),
            fecha: self.fecha,
            vigencia: self.vigencia,
            titulo: self.titulo.clone(),
            url: self.url.clone(),
            resumen: self.resumen.clone(),
            prioridad: self.prioridad,
            breaking: self.impacto.breaking_change,
            acciones: self.acciones_requeridas.clone(),
            detected_at: self.detected_at,
        }
    }
}
