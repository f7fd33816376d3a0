//! Changes as findings, each with an id that the same change always has.

use crate::analyse::Finding;
use crate::compare::{Change, Difference, EntryChange, Field};
use crate::index::{Entry, Tipo};
use crate::item::{Evento, Reemplazo};
use crate::source::{Kind, PageRef, Source};
use crate::text::folded;

/// The most figures that one finding replaces.
const MAX_FIGURES: usize = 60;

/// Figures that are looked for, by the words that name them.
const FIGURES: [(&str, &[&str]); 6] = [
    ("utm", &["utm", "unidad tributaria mensual"]),
    ("uta", &["uta", "unidad tributaria anual"]),
    ("uf", &["uf", "unidad de fomento"]),
    (
        "sueldo_minimo",
        &[
            "sueldo minimo",
            "ingreso minimo",
            "remuneracion minima",
            "renta minima",
        ],
    ),
    (
        "tope_imponible",
        &["tope imponible", "renta tope", "rentas topes"],
    ),
    ("impuesto_unico", &["impuesto unico", "segunda categoria"]),
];

/// A new document.
pub(super) fn of_new(source: &Source, page: &PageRef, entry: &Entry, texto: String) -> Finding {
    Finding {
        id: document_id(source, page, entry),
        evento: Evento::Nuevo,
        texto,
        ..of(source, entry)
    }
}

/// An entry that is gone or says something else; `None` for a new one.
pub(super) fn of_entry(
    source: &Source,
    page: &PageRef,
    version: u64,
    change: &EntryChange,
) -> Option<Finding> {
    match change {
        EntryChange::New(_) => None,
        EntryChange::Removed(entry) => Some(Finding {
            id: change_id("baja", page, version, &[&entry.key()]),
            evento: Evento::Eliminado,
            titulo: format!("Eliminado del sitio: {}", entry.titulo),
            diff: format!("- {} {}\n", entry.titulo, entry.resumen),
            ..of(source, entry)
        }),
        EntryChange::Changed {
            before,
            after,
            fields,
        } => {
            let said = [after.titulo.as_str(), after.resumen.as_str()];
            let day = after.fecha.map(|date| date.to_string()).unwrap_or_default();
            Some(Finding {
                id: change_id(
                    "cambio",
                    page,
                    version,
                    &[&after.key(), said[0], said[1], &day],
                ),
                evento: Evento::Modificado,
                titulo: format!("Modificado: {}", after.titulo),
                resumen: format!("Cambió {} en el índice. {}", names(fields), after.resumen),
                texto: only_new(&before.resumen, &after.resumen),
                diff: format!(
                    "~ {} {}\n→ {} {}\n",
                    before.titulo, before.resumen, after.titulo, after.resumen
                ),
                ..of(source, after)
            })
        }
    }
}

/// An index most of whose entries were reworded at once.
pub(super) fn of_rewriting(
    source: &Source,
    page: &PageRef,
    version: u64,
    news: &[&EntryChange],
) -> Finding {
    let mut diff = String::new();
    for change in news {
        if let EntryChange::Changed { before, after, .. } = change {
            diff.push_str(&format!("~ {}\n→ {}\n", before.resumen, after.resumen));
        }
    }
    Finding {
        id: change_id("cambio", page, version, &[&diff]),
        evento: Evento::Modificado,
        fuente: source.key.clone(),
        tipo: Tipo::Publicacion,
        numero: None,
        fecha: None,
        titulo: format!("Índice reescrito: {}", source.key),
        url: Some(page.url.to_string()),
        resumen: format!("Se reescribieron {} entradas a la vez.", news.len()),
        texto: String::new(),
        diff,
        cambios: Vec::new(),
        reemplaza: Vec::new(),
    }
}

/// A page of running text that says something else.
pub(super) fn of_text(
    source: &Source,
    page: &PageRef,
    version: u64,
    titulo: String,
    news: &[Change],
    found: &Difference,
) -> Finding {
    let mut texto = String::new();
    for change in news {
        if let Change::Added { after, .. } | Change::Modified { after, .. } = change {
            texto.push_str(&after.text);
            texto.push('\n');
        }
    }
    let name = if titulo.is_empty() {
        &source.key
    } else {
        &titulo
    };
    Finding {
        id: change_id("cambio", page, version, &[&found.text]),
        evento: Evento::Modificado,
        fuente: source.key.clone(),
        tipo: source.tipo,
        numero: None,
        fecha: None,
        titulo: format!("Cambió: {name}"),
        url: Some(page.url.to_string()),
        resumen: match source.kind {
            Kind::Pdf | Kind::Xsd => found.summary(),
            _ => brief(&texto, &found.text),
        },
        texto,
        diff: found.text.clone(),
        cambios: found.named(),
        reemplaza: figures(&titulo, news),
    }
}

fn of(source: &Source, entry: &Entry) -> Finding {
    Finding {
        id: String::new(),
        evento: Evento::Nuevo,
        fuente: source.key.clone(),
        tipo: entry.tipo,
        numero: entry.numero.clone(),
        fecha: entry.fecha,
        titulo: entry.titulo.clone(),
        url: entry.url.clone(),
        resumen: entry.resumen.clone(),
        texto: String::new(),
        diff: String::new(),
        cambios: Vec::new(),
        reemplaza: Vec::new(),
    }
}

/// What identifies a document whichever source lists it: type, number and year; else where it
/// is; else what it is called.
fn document_id(source: &Source, page: &PageRef, entry: &Entry) -> String {
    let tipo = entry.tipo.as_str();
    let year = entry.fecha.map(|date| date.year()).or(page.year);
    match (&entry.numero, year, &entry.url) {
        // Publications are numbered by each source for itself.
        (Some(numero), Some(year), _) if entry.tipo == Tipo::Publicacion => {
            format!("{tipo}-{}-{numero}-{year}", source.key)
        }
        (Some(numero), Some(year), _) => format!("{tipo}-{numero}-{year}"),
        (_, _, Some(url)) => format!("{tipo}-{}", sum(&[url])),
        (numero, _, None) => {
            let numero = numero.as_deref().unwrap_or_default();
            format!("{tipo}-{}", sum(&[numero, &folded(&entry.titulo)]))
        }
    }
}

/// What identifies a change: the page, the version that it changed, and what is new. The same
/// change back and forth is two.
fn change_id(kind: &str, page: &PageRef, version: u64, parts: &[&str]) -> String {
    let version = version.to_string();
    let mut all = vec![page.key.as_str(), &version];
    all.extend(parts);
    format!("{kind}-{}", sum(&all))
}

fn sum(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex().chars().take(20).collect()
}

fn names(fields: &[Field]) -> String {
    let names: Vec<&str> = fields
        .iter()
        .map(|field| match field {
            Field::Fecha => "la fecha",
            Field::Titulo => "el título",
            Field::Url => "el enlace",
            Field::Resumen => "la descripción",
        })
        .collect();
    names.join(", ")
}

/// The words of a text that another doesn't have.
fn only_new(before: &str, after: &str) -> String {
    let known: std::collections::HashSet<String> = before.split_whitespace().map(folded).collect();
    let words = after
        .split_whitespace()
        .filter(|word| !known.contains(&folded(word)));
    words.collect::<Vec<_>>().join(" ")
}

fn brief(texto: &str, diff: &str) -> String {
    let said = if texto.is_empty() { diff } else { texto };
    let lines: Vec<&str> = said.lines().take(3).collect();
    lines.join(" ").chars().take(400).collect()
}

/// The figures that a page's changed blocks replace: a block that names one, or stands under a
/// heading or on a page that does, and has other digits than before.
fn figures(titulo: &str, news: &[Change]) -> Vec<Reemplazo> {
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    news.iter()
        .filter_map(|change| match change {
            Change::Modified { before, after, .. } => Some((before, after)),
            _ => None,
        })
        .filter(|(before, after)| digits(&before.text) != digits(&after.text))
        .filter_map(|(before, after)| {
            let near = [after.text.as_str(), &after.section.join(" "), titulo];
            let indicador = near.iter().find_map(|text| figure(text))?;
            Some(Reemplazo {
                indicador: indicador.to_owned(),
                antes: before.text.clone(),
                despues: after.text.clone(),
            })
        })
        .take(MAX_FIGURES)
        .collect()
}

fn figure(text: &str) -> Option<&'static str> {
    let low = format!(
        " {} ",
        folded(text).replace(|c: char| !c.is_alphanumeric(), " ")
    );
    FIGURES
        .iter()
        .find(|(_, words)| words.iter().any(|word| low.contains(&format!(" {word} "))))
        .map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_their_names() {
        for (text, expected) in [
            ("Valor UTM: $68.923", Some("utm")),
            ("Unidad de Fomento (UF)", Some("uf")),
            ("Ingreso mínimo mensual", Some("sueldo_minimo")),
            ("computador", None),
        ] {
            assert_eq!(figure(text), expected, "{text}");
        }
    }
}
