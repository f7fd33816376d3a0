//! Where the reader fails, a model may read the page: what it is asked, and how its answer is
//! taken. Pure functions; the call is made elsewhere. The answer goes through the same checks as
//! what the reader reads, and is never surer than [`Confianza::Media`].

use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{PreviredError, PreviredErrorKind};
use crate::indicadores::{Campo, Cifra, Confianza, Indicadores, Unidad};
use crate::json::chileno;
use crate::periodo::Periodo;

/// Changes whenever a model could answer otherwise to the same page.
pub const PROMPT_VERSION: &str = "2";

/// The most characters of a page that go into a question.
const MAX_TEXTO: usize = 60_000;

/// The stable prefix of every call.
#[must_use]
pub const fn instructions() -> &'static str {
    include_str!("extraccion.md")
}

/// The question: the month that is asked, and the page's text, fenced as data. Of a page in HTML
/// only the text of its tables is given.
#[must_use]
pub fn question(bytes: &[u8], pedido: Periodo) -> String {
    let texto = super::decodificar(bytes);
    let texto = if texto.trim_start().starts_with('<') {
        let filas = super::html::textos(&texto);
        filas.join("\n")
    } else {
        texto
    };
    let seguro: String = texto
        .chars()
        .take(MAX_TEXTO)
        .map(|letra| match letra {
            '<' => '‹',
            '>' => '›',
            otra => otra,
        })
        .collect();
    format!(
        "Período pedido: {pedido}\n\n<pagina>\n{seguro}\n</pagina>\n\nResponda sólo con el JSON pedido."
    )
}

/// The JSON schema of an answer. Figures are texts, so that none becomes a float. They are a list
/// of pairs: as members of an object, all of them optional, the grammar that a provider makes of
/// the schema would be too large.
#[must_use]
pub fn schema() -> Value {
    let (mut nombres, mut glosario) = (Vec::new(), Vec::new());
    for campo in Campo::TODOS {
        let unidad = match campo.unidad() {
            Unidad::Pesos => "pesos",
            Unidad::Uf => "UF",
            Unidad::Porcentaje => "%",
        };
        nombres.push(campo.nombre());
        let (nombre, descripcion) = (campo.nombre(), campo.descripcion());
        glosario.push(format!("{nombre}: {descripcion} En {unidad}."));
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["periodo", "indicadores"],
        "properties": {
            "periodo": { "type": "string", "description": "El mes que la página dice, AAAA-MM" },
            "indicadores": {
                "type": "array",
                "description": "Sólo lo que la página dice; lo que no está se omite",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["nombre", "valor"],
                    "properties": {
                        "nombre": {
                            "type": "string",
                            "enum": nombres,
                            "description": glosario.join("\n"),
                        },
                        "valor": { "type": "string", "description": "La cifra como en la página" },
                    },
                },
            },
        },
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Respuesta {
    periodo: String,
    indicadores: Vec<Entrada>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entrada {
    nombre: String,
    valor: Value,
}

/// Reads a model's answer for the month that was asked.
///
/// # Errors
///
/// [`PreviredError`] for anything that isn't what [`schema`] describes, for another month, and
/// for a figure that is none.
pub fn leer_respuesta(texto: &str, pedido: Periodo) -> Result<Indicadores, PreviredError> {
    let respuesta: Respuesta = serde_json::from_str(texto).map_err(|_| PreviredErrorKind::Json)?;
    let periodo = Periodo::iso(&respuesta.periodo).ok_or(PreviredErrorKind::NoMonth)?;
    if periodo != pedido {
        return Err(PreviredErrorKind::OtherMonth {
            found: periodo,
            asked: pedido,
        }
        .into());
    }
    let mut indicadores = Indicadores::new(pedido);
    for Entrada { nombre, valor } in &respuesta.indicadores {
        let campo = Campo::de_nombre(nombre).ok_or(PreviredErrorKind::ShapeDrift {
            known: indicadores.len(),
        })?;
        let leido = valor
            .as_str()
            .and_then(chileno)
            .ok_or(PreviredErrorKind::Figure(campo))?;
        if indicadores.get(campo).is_some_and(|otro| otro != leido) {
            return Err(PreviredErrorKind::Conflict(campo).into());
        }
        let cifra = Cifra {
            valor: leido,
            fuente: "Previred, leído por un modelo".into(),
            confianza: Confianza::Media,
        };
        if !indicadores.poner(campo, cifra) {
            return Err(PreviredErrorKind::Figure(campo).into());
        }
    }
    if indicadores.len() < super::cosecha::POCAS {
        let known = indicadores.len();
        return Err(PreviredErrorKind::ShapeDrift { known }.into());
    }
    Ok(indicadores)
}
