//! An item as a document of the knowledge base.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use knowledge_base::Document;

use crate::item::{Evento, Item};
use crate::text::folded;

/// The module of items that are about payslips, and of all others.
const PAYROLL: &str = "l10n_cl_hr_payroll";
const INVOICING: &str = "l10n_cl_dte";

/// The figures that payslips are made with.
const OF_PAYSLIPS: [&str; 6] = [
    "utm",
    "uta",
    "uf",
    "sueldo_minimo",
    "tope_imponible",
    "impuesto_unico",
];

/// The longest id of a document, in bytes, and the longest line.
const MAX_ID: usize = 150;
const MAX_LINE: usize = 900;

/// Numbers with fewer digits (a day, a year) are no figure.
const MIN_DIGITS: usize = 5;

/// The id of an item's document. Nothing that an id may not have is in it.
pub(super) fn id_of(item: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || "-_.:".contains(c) {
        true => c,
        false => '_',
    };
    let id: String = item.chars().take(MAX_ID).map(plain).collect();
    format!("sii/{id}")
}

/// The document that an item says is gone, by its item's id.
pub(super) fn gone(item: &Item) -> Option<String> {
    if item.evento != Evento::Eliminado {
        return None;
    }
    let (numero, year) = (item.numero.as_ref()?, item.fecha?.year());
    Some(format!("{}-{numero}-{year}", item.tipo))
}

/// An item as a passage with its date and link.
pub(super) fn document(item: &Item, zone: &TimeZone) -> Document {
    let found = item.detected_at.to_zoned(zone.clone()).date();
    let title = match line(&item.titulo) {
        title if title.is_empty() => "Novedad del SII".to_owned(),
        title => title,
    };
    let module = match item.reemplaza.first() {
        Some(figure) if OF_PAYSLIPS.contains(&figure.indicador.as_str()) => PAYROLL,
        _ => INVOICING,
    };
    let document = Document::new(id_of(&item.id), title, body(item, found))
        .module(module)
        .tags(tags(item))
        .updated(found);
    let web = |url: &&String| url.starts_with("https://") || url.starts_with("http://");
    match item
        .url
        .as_ref()
        .filter(web)
        .filter(|url| url.len() <= MAX_LINE)
    {
        Some(url) => document.url(url.as_str()),
        None => document,
    }
}

fn tags(item: &Item) -> Vec<String> {
    let mut tags = vec!["sii".to_owned(), line(&item.tipo)];
    tags.extend(item.reemplaza.iter().map(|figure| line(&figure.indicador)));
    tags.sort();
    tags.dedup();
    tags.truncate(20);
    tags
}

fn body(item: &Item, found: Date) -> String {
    let day = |date: Date| date.strftime("%d-%m-%Y").to_string();
    let mut lines = Vec::new();
    let mut told = format!("Publicado por el SII y detectado el {}.", day(found));
    if let Some(date) = item.fecha {
        told = format!("Del {}. {told}", day(date));
    }
    lines.push(format!("{}. {told}", line(&item.titulo)));
    lines.push(line(&item.resumen));
    if let Some(date) = item.vigencia {
        lines.push(format!("Rige desde el {}.", day(date)));
    }
    for figure in &item.reemplaza {
        lines.push(format!(
            "- {}: ahora «{}»; reemplaza a «{}».",
            name(&figure.indicador),
            line(&figure.despues),
            line(&figure.antes)
        ));
    }
    // What a figure replaced is said above.
    if item.reemplaza.is_empty() {
        lines.extend(
            item.cambios_tecnicos
                .iter()
                .map(|change| format!("- {}", line(change))),
        );
    }
    lines.extend(
        item.acciones_requeridas
            .iter()
            .map(|action| format!("- {}", line(action))),
    );
    for plazo in &item.plazos {
        lines.push(format!(
            "- Plazo {}: {}",
            day(plazo.fecha),
            line(&plazo.texto)
        ));
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n\n")
}

/// A page's words on one line, so that none of them reads as Markdown's structure.
fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let joined: String = words.join(" ").chars().take(MAX_LINE).collect();
    let mut bytes = joined.len().min(MAX_LINE);
    while !joined.is_char_boundary(bytes) {
        bytes -= 1;
    }
    let cut = joined.get(..bytes).unwrap_or_default();
    cut.trim_start_matches(['#', '>', '-', '*', '`', '|', '=', ' '])
        .trim_end()
        .to_owned()
}

fn name(indicador: &str) -> &str {
    match indicador {
        "utm" => "UTM",
        "uta" => "UTA",
        "uf" => "UF",
        "sueldo_minimo" => "sueldo mínimo (ingreso mínimo mensual)",
        "tope_imponible" => "tope imponible",
        "impuesto_unico" => "impuesto único de segunda categoría",
        other => other,
    }
}

/// The numbers that an item replaces, as digits, each with the figure's name.
pub(super) fn replaced_numbers(item: &Item) -> Vec<(&str, String)> {
    let mut all = Vec::new();
    for figure in &item.reemplaza {
        let now = numbers(&figure.despues);
        let old = numbers(&figure.antes);
        let gone = old.into_iter().filter(|number| !now.contains(number));
        all.extend(gone.map(|number| (name(&figure.indicador), number)));
    }
    all.sort();
    all.dedup();
    all
}

/// Whether a text holds a number, however it is written: `69.542`, `$69542`.
pub(super) fn holds(text: &str, number: &str) -> bool {
    numbers(&folded(text)).iter().any(|other| other == number)
}

/// The whole parts of a text's numbers of five digits or more, without points.
fn numbers(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ','));
    parts
        .filter_map(|part| part.split(',').next())
        .map(|part| {
            part.chars()
                .filter(char::is_ascii_digit)
                .collect::<String>()
        })
        .filter(|digits| digits.len() >= MIN_DIGITS)
        .collect()
}
