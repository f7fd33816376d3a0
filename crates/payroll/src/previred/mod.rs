//! Indicators from Previred: its page, the text of its PDF, the JSON that others make of them,
//! and the checks that tell a wrong page.
//!
//! Everything here is a pure function. [`leer`] reads by labels, never by position; [`comprobar`]
//! holds what was read against itself and the months before. Where the reader fails, a model may
//! read the page by [`extraccion`], under the same checks.

mod comprobacion;
mod cosecha;
mod error;
pub mod extraccion;
mod filas;
mod html;
mod impuesto;
mod json;
mod prueba;
mod tabla;

use crate::indicadores::Indicadores;
use crate::periodo::Periodo;

pub use comprobacion::{Vecinos, comprobar};
pub use error::{PreviredError, PreviredErrorKind};
pub use impuesto::{TablaPublicada, leer_tablas};
pub use prueba::{Fallo, Prueba};

/// The most bytes of a page or file.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Reads what Previred publishes of a month: its page (HTML), text taken out of its PDF, or
/// the JSON of a program that reads it. The kind is told from the content.
///
/// A figure that isn't there is absent. The cap of health is that of the AFP. Nothing is
/// checked yet but that each figure is one and is there once: see [`comprobar`].
///
/// # Errors
///
/// [`PreviredError`]: another month than asked, a shape that holds none of the known labels,
/// one figure with two values, columns that don't belong together, bytes that are no text.
pub fn leer(bytes: &[u8], pedido: Periodo) -> Result<Indicadores, PreviredError> {
    if bytes.len() > MAX_BYTES {
        return Err(PreviredErrorKind::TooLarge { bytes: bytes.len() }.into());
    }
    if bytes.starts_with(b"%PDF") || bytes.contains(&0) {
        return Err(PreviredErrorKind::NotText.into());
    }
    let texto = decodificar(bytes);
    let mut indicadores = match texto.trim_start().chars().next() {
        None => return Err(PreviredErrorKind::Empty.into()),
        Some('{' | '[') => json::leer(&texto, pedido)?,
        Some('<') => tabla::leer(&html::filas(&texto), pedido, "Previred, página")?,
        Some(_) => tabla::leer(&filas::de_texto(&texto), pedido, "Previred, PDF")?,
    };
    let tope_afp = indicadores.cifra(crate::Campo::AfpTopeUf).cloned();
    if let Some(cifra) = tope_afp {
        indicadores.poner(crate::Campo::SaludTopeUf, cifra);
    }
    Ok(indicadores)
}

/// UTF-8, else Latin-1, where every byte is a letter.
fn decodificar(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(texto) => texto.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests;
