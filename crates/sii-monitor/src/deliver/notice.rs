//! What is told of an item.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One item as a channel tells it: complete in itself, so that it can be told later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The item's stable id: whoever gets it twice knows by this.
    pub id: String,
    /// `circular`, `resolucion`, …
    pub tipo: String,
    /// Its number, where it has one.
    pub numero: Option<String>,
    /// Its date, where it has one.
    pub fecha: Option<Date>,
    /// From when it holds, where it says so.
    pub vigencia: Option<Date>,
    /// Its title.
    pub titulo: String,
    /// Where it can be read.
    pub url: Option<String>,
    /// What it says, in a few sentences.
    pub resumen: String,
    /// From 1 (to know) to 5 (act today).
    pub prioridad: u8,
    /// Whether documents that were right become wrong.
    pub breaking: bool,
    /// What must be done.
    pub acciones: Vec<String>,
    /// When it was found.
    pub detected_at: Timestamp,
}

impl Notice {
    /// The word for its priority.
    #[must_use]
    pub fn urgency(&self) -> &'static str {
        match self.prioridad {
            0..=1 => "informativa",
            2 => "baja",
            3 => "media",
            4 => "alta",
            _ => "urgente",
        }
    }
}

/// A date as Chileans write it.
pub(super) fn dia(date: Date) -> String {
    date.strftime("%d-%m-%Y").to_string()
}

/// The text with at most so many characters, the last one `…` where it was cut.
pub(super) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
pub(super) fn sample(id: &str, prioridad: u8) -> Notice {
    Notice {
        id: id.into(),
        tipo: "resolucion".into(),
        numero: Some("36".into()),
        fecha: Some(jiff::civil::date(2026, 3, 3)),
        vigencia: Some(jiff::civil::date(2026, 5, 1)),
        titulo: "Resolución Exenta SII N° 36 del 03-03-2026".into(),
        url: Some("https://www.sii.cl/normativa_legislacion/resoluciones/2026/reso36.pdf".into()),
        resumen: "Modifica el formato de la guía de despacho <transporte> & traslado.".into(),
        prioridad,
        breaking: prioridad >= 4,
        acciones: vec!["Actualizar el formato".into(), "Certificar".into()],
        detected_at: Timestamp::UNIX_EPOCH,
    }
}
