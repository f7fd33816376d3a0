//! The entries of an index page, whatever its markup: headings with paragraphs under them,
//! items of a list, or rows of a table.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::fecha;
use crate::page::{Block, BlockKind, Link, Page};
use crate::text::folded;

/// The most entries of a page.
const MAX_ENTRIES: usize = 5_000;

/// The most characters of a summary.
const MAX_SUMMARY_CHARS: usize = 2_000;

/// What a document of the tax service is called.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Tipo {
    /// A circular.
    Circular,
    /// A resolution with general effect (`Resolución Exenta SII`).
    Resolucion,
    /// An answer to one question (`Oficio`).
    Oficio,
    /// A law.
    Ley,
    /// A decree.
    Decreto,
    /// Whatever else an index lists: news, questions, manuals, schemas.
    #[default]
    Publicacion,
}

impl Tipo {
    /// The word as the contract's `tipo` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Circular => "circular",
            Self::Resolucion => "resolucion",
            Self::Oficio => "oficio",
            Self::Ley => "ley",
            Self::Decreto => "decreto",
            Self::Publicacion => "publicacion",
        }
    }

    /// The type that a text begins with, and the byte in the folded text after its name.
    fn opening(folded: &str) -> Option<(Self, usize)> {
        const NAMES: [(&str, Tipo); 8] = [
            ("circular", Tipo::Circular),
            ("resolucion", Tipo::Resolucion),
            ("res. ex", Tipo::Resolucion),
            ("res.ex", Tipo::Resolucion),
            ("oficio", Tipo::Oficio),
            ("ord. n", Tipo::Oficio),
            ("ley n", Tipo::Ley),
            ("decreto", Tipo::Decreto),
        ];
        let (name, tipo) = NAMES.iter().find(|(name, _)| folded.starts_with(name))?;
        Some((*tipo, name.len()))
    }
}

/// One entry of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub tipo: Tipo,
    /// Its number, where it has one: `11`, `36`, `2145`.
    pub numero: Option<String>,
    /// Its date, where it has one.
    pub fecha: Option<Date>,
    /// Its title as it stands there.
    pub titulo: String,
    /// Where it leads, as it stands there.
    pub url: Option<String>,
    /// What the index says of it.
    pub resumen: String,
}

impl Entry {
    /// What makes it the same entry at the next visit: type, number and year where it has them,
    /// else where it leads, else its title.
    #[must_use]
    pub fn key(&self) -> String {
        match (&self.numero, self.fecha, &self.url) {
            (Some(numero), Some(fecha), _) => {
                format!("{}:{numero}:{}", self.tipo.as_str(), fecha.year())
            }
            (_, _, Some(url)) => format!("url:{url}"),
            (Some(numero), None, None) => format!("{}:{numero}", self.tipo.as_str()),
            (None, _, None) => format!("titulo:{}", folded(&self.titulo)),
        }
    }
}

/// Every entry of a page, in order.
///
/// `tipo` is what the source's documents are where the page doesn't say: a table of circulars
/// gives only their numbers.
#[must_use]
pub fn entries(page: &Page, tipo: Tipo) -> Vec<Entry> {
    let mut reader = Reader {
        tipo,
        entries: Vec::new(),
        open: false,
        columns: Columns::default(),
    };
    for block in &page.blocks {
        reader.read(block);
    }
    reader.entries.truncate(MAX_ENTRIES);
    reader.entries
}

struct Reader {
    tipo: Tipo,
    entries: Vec<Entry>,
    /// Whether paragraphs that follow are the last entry's summary.
    open: bool,
    columns: Columns,
}

/// What the columns of the open table hold, by the words of its heading row.
#[derive(Debug, Clone, Default)]
struct Columns {
    numero: Option<usize>,
    fecha: Option<usize>,
    materia: Option<usize>,
}

impl Columns {
    fn of(block: &Block) -> Self {
        let at = |words: &[&str]| {
            block.cells.iter().position(|cell| {
                let text = folded(&cell.text);
                words.iter().any(|word| text.starts_with(word))
            })
        };
        Self {
            numero: at(&[
                "n°",
                "nro",
                "numero",
                "num",
                "circular",
                "resolucion",
                "oficio",
                "n ",
            ]),
            fecha: at(&["fecha"]),
            materia: at(&[
                "materia",
                "descripcion",
                "detalle",
                "titulo",
                "nombre",
                "asunto",
            ]),
        }
    }
}

impl Reader {
    fn read(&mut self, block: &Block) {
        match block.kind {
            BlockKind::Row => self.row(block),
            _ => match titled(&block.text, &block.links) {
                Some(entry) => self.push(entry),
                None => self.plain(block),
            },
        }
    }

    /// A block that doesn't say its number: a linked heading or item is an entry as well, text
    /// belongs to the entry above it, another heading ends that.
    fn plain(&mut self, block: &Block) {
        let heading = matches!(block.kind, BlockKind::Heading(_));
        let linked = block.links.iter().find(|link| is_whole(link, &block.text));
        if let (true, Some(link)) = (heading || block.kind == BlockKind::Item, linked) {
            let entry = Entry {
                tipo: Tipo::Publicacion,
                numero: None,
                fecha: fecha::primera(&block.text),
                titulo: block.text.clone(),
                url: Some(link.href.clone()),
                resumen: String::new(),
            };
            self.push(entry);
        } else if heading {
            self.open = false;
        } else if self.open
            && let Some(last) = self.entries.last_mut()
        {
            if last.fecha.is_none() {
                last.fecha = fecha::primera(&block.text);
            }
            if last.url.is_none() {
                last.url = block.links.first().map(|link| link.href.clone());
            }
            append(&mut last.resumen, &block.text);
        }
    }

    fn row(&mut self, block: &Block) {
        if block.cells.iter().all(|cell| cell.heading) {
            self.columns = Columns::of(block);
            return;
        }
        let text = |at: Option<usize>| {
            at.and_then(|at| block.cells.get(at))
                .map(|cell| cell.text.as_str())
        };
        let link = block.links.first().map(|link| link.href.clone());
        // A cell may say all of it, as a heading does.
        let whole = block
            .cells
            .iter()
            .find_map(|cell| titled(&cell.text, &cell.links));
        let numero = whole
            .as_ref()
            .and_then(|entry| entry.numero.clone())
            .or_else(|| text(self.columns.numero).and_then(leading_number))
            .or_else(|| block.cells.first().and_then(|cell| only_number(&cell.text)));
        let date = whole
            .as_ref()
            .and_then(|entry| entry.fecha)
            .or_else(|| text(self.columns.fecha).and_then(fecha::primera))
            .or_else(|| {
                block
                    .cells
                    .iter()
                    .find_map(|cell| fecha::primera(&cell.text))
            });
        if numero.is_none() && (date.is_none() || link.is_none()) {
            return;
        }
        let tipo = whole.as_ref().map_or(self.tipo, |entry| entry.tipo);
        let materia = text(self.columns.materia).map_or_else(
            || longest(block, whole.as_ref().map(|entry| entry.titulo.as_str())),
            str::to_owned,
        );
        let titulo = match (&whole, &numero) {
            (Some(entry), _) => entry.titulo.clone(),
            (None, Some(numero)) => heading(tipo, numero, date),
            (None, None) => materia.clone(),
        };
        self.push(Entry {
            tipo,
            numero,
            fecha: date,
            titulo,
            url: link,
            resumen: materia,
        });
        // What stands under a table is none of its rows'.
        self.open = false;
    }

    fn push(&mut self, mut entry: Entry) {
        if entry.tipo == Tipo::Publicacion && entry.numero.is_some() {
            entry.tipo = self.tipo;
        }
        self.open = true;
        if self.entries.len() < MAX_ENTRIES {
            self.entries.push(entry);
        }
    }
}

/// `Circular N° 11 del 30 de Enero del 2025`, and what may stand after it.
fn titled(text: &str, links: &[Link]) -> Option<Entry> {
    let low = folded(text);
    let (tipo, after) = Tipo::opening(&low)?;
    let rest = low.get(after..)?;
    // The number is near: `Resolución Exenta SII N° 36`.
    let digit = rest
        .find(|c: char| c.is_ascii_digit())
        .filter(|at| *at <= 24)?;
    let before = rest.get(..digit)?;
    if !before.contains("n") && !before.trim().is_empty() {
        return None;
    }
    let numero = number_at(rest.get(digit..)?);
    Some(Entry {
        tipo,
        numero: Some(numero),
        fecha: fecha::primera(text),
        titulo: text.to_owned(),
        url: links.first().map(|link| link.href.clone()),
        resumen: String::new(),
    })
}

/// The digits that a text begins with, without the points of thousands.
fn number_at(text: &str) -> String {
    let run = text
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .next()
        .unwrap_or_default();
    let digits: String = run.chars().filter(char::is_ascii_digit).collect();
    let plain = digits.trim_start_matches('0');
    if plain.is_empty() { "0" } else { plain }.to_owned()
}

/// The number of a cell such as `N° 11`, `11`, `Circular 11`.
fn leading_number(text: &str) -> Option<String> {
    let at = text.find(|c: char| c.is_ascii_digit())?;
    (at <= 24).then(|| number_at(text.get(at..).unwrap_or_default()))
}

/// The number of a cell that has nothing else.
fn only_number(text: &str) -> Option<String> {
    let low = folded(text);
    let bare = low.trim_start_matches("n°").trim_start_matches("n ").trim();
    let plain =
        !bare.is_empty() && bare.len() <= 8 && bare.chars().all(|c| c.is_ascii_digit() || c == '.');
    plain.then(|| number_at(bare))
}

fn is_whole(link: &Link, text: &str) -> bool {
    !link.text.is_empty() && link.text.chars().count() * 2 >= text.chars().count()
}

fn longest(block: &Block, except: Option<&str>) -> String {
    block
        .cells
        .iter()
        .map(|cell| cell.text.as_str())
        .filter(|text| Some(*text) != except)
        .max_by_key(|text| text.chars().count())
        .unwrap_or_default()
        .to_owned()
}

fn heading(tipo: Tipo, numero: &str, date: Option<Date>) -> String {
    let name = match tipo {
        Tipo::Circular => "Circular",
        Tipo::Resolucion => "Resolución Exenta SII",
        Tipo::Oficio => "Oficio",
        Tipo::Ley => "Ley",
        Tipo::Decreto => "Decreto",
        Tipo::Publicacion => "Publicación",
    };
    match date {
        Some(date) => format!("{name} N° {numero} del {}", date.strftime("%d-%m-%Y")),
        None => format!("{name} N° {numero}"),
    }
}

fn append(summary: &mut String, text: &str) {
    let room = MAX_SUMMARY_CHARS.saturating_sub(summary.chars().count());
    if room > 1 {
        if !summary.is_empty() {
            summary.push(' ');
        }
        summary.extend(text.chars().take(room - 1));
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::page::Noise;

    fn read(html: &str) -> Vec<Entry> {
        entries(&Page::read(html, Noise::built_in()), Tipo::Circular)
    }

    fn brief(entry: &Entry) -> (Tipo, Option<&str>, Option<Date>, Option<&str>) {
        (
            entry.tipo,
            entry.numero.as_deref(),
            entry.fecha,
            entry.url.as_deref(),
        )
    }

    const SHAPES: [&str; 4] = [
        "<h5><a href='c11.pdf'>Circular N° 11 del 30 de Enero del 2025</a></h5><p>Instruye sobre
         IVA.</p><p>Modifica la Circular N° 4.</p><h5><a href='c10.pdf'>Circular N° 10 del 15 de
         Enero del 2025</a></h5><p>Renta.</p>",
        "<table><tr><th>N°</th><th>Fecha</th><th>Materia</th></tr>
         <tr><td><a href='c11.pdf'>11</a></td><td>30/01/2025</td><td>Instruye sobre IVA.</td></tr>
         <tr><td><a href='c10.pdf'>10</a></td><td>15/01/2025</td><td>Renta.</td></tr></table>",
        "<ul><li><a href='c11.pdf'>Circular Nº 11 del 30 de enero de 2025</a> Instruye sobre IVA.</li>
         <li><a href='c10.pdf'>Circular Nº 10 del 15 de enero de 2025</a>: Renta.</li></ul>",
        "<table><tr><td>Circular N°11 del 30 de Enero del 2025</td><td><a href='c11.pdf'>Ver</a></td>
         <td>Instruye sobre IVA en servicios digitales.</td></tr><tr><td>Circular N°10 del 15 de
         Enero del 2025</td><td><a href='c10.pdf'>Ver</a></td><td>Renta.</td></tr></table>",
    ];

    #[test]
    fn the_same_entries_in_every_markup() {
        for html in SHAPES {
            let found = read(html);
            let briefs: Vec<_> = found.iter().map(brief).collect();
            assert_eq!(
                briefs,
                [
                    (
                        Tipo::Circular,
                        Some("11"),
                        Some(date(2025, 1, 30)),
                        Some("c11.pdf")
                    ),
                    (
                        Tipo::Circular,
                        Some("10"),
                        Some(date(2025, 1, 15)),
                        Some("c10.pdf")
                    ),
                ],
                "{html}"
            );
            let said = format!("{} {}", found[0].titulo, found[0].resumen);
            assert!(said.contains("Instruye sobre IVA"), "{said}");
            assert_eq!(found[0].key(), "circular:11:2025");
        }
    }

    #[test]
    fn a_circular_that_is_only_mentioned_is_none() {
        let found = read(SHAPES[0]);
        assert!(found[0].resumen.ends_with("Modifica la Circular N° 4."));
    }

    #[test]
    fn resolutions_news_and_questions() {
        let found = read(
            "<h4>Resolución Exenta SII N° 2.145 del 03 de Marzo del 2026</h4><p><a href='r.pdf'>Ver</a></p>
             <h3><a href='/noticias/1.htm'>SII extiende plazo</a></h3><p>12 de marzo de 2026. Texto.</p>",
        );
        let expected = Some(date(2026, 3, 3));
        assert_eq!(
            brief(&found[0]),
            (Tipo::Resolucion, Some("2145"), expected, Some("r.pdf"))
        );
        let news = Some(date(2026, 3, 12));
        assert_eq!(
            brief(&found[1]),
            (Tipo::Publicacion, None, news, Some("/noticias/1.htm"))
        );
        assert_eq!(found[1].key(), "url:/noticias/1.htm");
    }

    #[test]
    fn text_without_entries_has_none() {
        assert!(
            read("<p>No hay circulares.</p><table><tr><td>UTM</td><td>68.923</td></tr></table>")
                .is_empty()
        );
    }
}
