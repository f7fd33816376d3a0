//! The events of a file with everything that a canonical form needs: qualified names,
//! attributes, namespaces, text in its place. Flat, in one pass, without recursion.
//!
//! The rules' own tree drops all this and keeps the text of an element in one piece, which is
//! right for reading fields and useless for a digest.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::limits::Limits;

/// An element's place in [`Arbol::elementos`].
pub(super) type Id = usize;

/// One thing in a file, in the order of the file.
#[derive(Debug)]
pub(super) enum Evento<'t> {
    /// A start tag.
    Abre(Id),
    /// Its end tag.
    Cierra(Id),
    /// Text, references resolved.
    Texto(Cow<'t, str>),
    /// A processing instruction, without its marks.
    Instruccion(&'t str),
}

/// An attribute; namespace declarations are kept apart.
#[derive(Debug)]
pub(super) struct Atributo<'t> {
    /// The qualified name.
    pub nombre: &'t str,
    /// The value, references resolved and white space normalised.
    pub valor: Cow<'t, str>,
}

/// A namespace declaration: prefix (empty for the default) and name.
pub(super) type Espacio<'t> = (&'t str, Cow<'t, str>);

/// One element.
#[derive(Debug)]
pub(super) struct Elemento<'t> {
    /// The qualified name.
    pub nombre: &'t str,
    /// The element that it stands in.
    pub padre: Option<Id>,
    /// Its first child.
    primero: Option<Id>,
    /// Its last child so far.
    ultimo: Option<Id>,
    /// The next child of its parent.
    siguiente: Option<Id>,
    /// Its attributes but for namespace declarations.
    pub atributos: Vec<Atributo<'t>>,
    /// Its namespace declarations.
    pub espacios: Vec<Espacio<'t>>,
    /// The events from its start tag to its end tag, both inclusive.
    pub eventos: (usize, usize),
    /// Its bytes in the text, tags inclusive.
    pub fuente: (usize, usize),
}

impl Elemento<'_> {
    /// The name without its prefix.
    pub fn local(&self) -> &str {
        self.nombre
            .rsplit_once(':')
            .map_or(self.nombre, |(_, local)| local)
    }
}

/// A file's events and elements; the first element is the root.
#[derive(Debug)]
pub(super) struct Arbol<'t> {
    /// The text that it was read from, line ends normalised.
    pub texto: &'t str,
    pub eventos: Vec<Evento<'t>>,
    pub elementos: Vec<Elemento<'t>>,
}

/// Line ends as XML 1.0 (2.11) has them before anything is parsed.
pub(super) fn normalizar(texto: Cow<'_, str>) -> Cow<'_, str> {
    if texto.contains('\r') {
        Cow::Owned(texto.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        texto
    }
}

impl<'t> Arbol<'t> {
    /// Reads a text that [`read_xml`](crate::read_xml) took; `None` where it is no XML after
    /// all, or over a limit.
    pub fn leer(texto: &'t str, limits: &Limits) -> Option<Self> {
        let mut obra = Constructor {
            arbol: Self {
                texto,
                eventos: Vec::new(),
                elementos: Vec::new(),
            },
            abiertos: Vec::new(),
        };
        let mut lector = Reader::from_str(texto);
        loop {
            let desde = usize::try_from(lector.buffer_position()).ok()?;
            let evento = lector.read_event().ok()?;
            let hasta = usize::try_from(lector.buffer_position()).ok()?;
            let fuente = texto.get(desde..hasta)?;
            match evento {
                Event::Start(_) => obra.abrir(fuente, desde, limits)?,
                Event::Empty(_) => {
                    obra.abrir(fuente, desde, limits)?;
                    obra.cerrar(hasta)?;
                }
                Event::End(_) => obra.cerrar(hasta)?,
                Event::Text(_) => obra.agregar(Cow::Borrowed(fuente)),
                Event::CData(_) => {
                    let dentro = fuente.strip_prefix("<![CDATA[")?.strip_suffix("]]>")?;
                    obra.agregar(Cow::Borrowed(dentro));
                }
                Event::GeneralRef(_) => {
                    let nombre = fuente.strip_prefix('&')?.strip_suffix(';')?;
                    let mut espacio = [0; 4];
                    let valor = referencia(nombre)?.encode_utf8(&mut espacio);
                    obra.agregar(Cow::Owned(valor.to_owned()));
                }
                Event::PI(_) => obra.instruccion(fuente)?,
                Event::DocType(_) => return None,
                Event::Decl(_) | Event::Comment(_) => {}
                Event::Eof => return obra.terminar(),
            }
        }
    }

    pub fn elemento(&self, id: Id) -> &Elemento<'t> {
        &self.elementos[id]
    }

    /// The children of an element, in order.
    pub fn hijos(&self, id: Id) -> impl Iterator<Item = Id> {
        std::iter::successors(self.elementos[id].primero, |hijo| {
            self.elementos[*hijo].siguiente
        })
    }

    /// The first child with this local name.
    pub fn hijo(&self, id: Id, local: &str) -> Option<Id> {
        self.hijos(id)
            .find(|hijo| self.elementos[*hijo].local() == local)
    }

    /// The descendant that a path of local names leads to.
    pub fn bajo(&self, id: Id, camino: &[&str]) -> Option<Id> {
        camino
            .iter()
            .try_fold(id, |actual, local| self.hijo(actual, local))
    }

    /// An element's own text, in one piece, white space around it removed.
    pub fn texto_de(&self, id: Id) -> String {
        let (desde, hasta) = self.elementos[id].eventos;
        let mut hondura = 0_usize;
        let mut texto = String::new();
        for evento in &self.eventos[desde..=hasta] {
            match evento {
                Evento::Abre(_) => hondura += 1,
                Evento::Cierra(_) => hondura = hondura.saturating_sub(1),
                Evento::Texto(trozo) if hondura == 1 => texto.push_str(trozo),
                Evento::Texto(_) | Evento::Instruccion(_) => {}
            }
        }
        texto.trim().to_owned()
    }

    /// The text of what a path leads to; `None` where that isn't there or is empty.
    pub fn campo(&self, id: Id, camino: &[&str]) -> Option<String> {
        let texto = self.texto_de(self.bajo(id, camino)?);
        (!texto.is_empty()).then_some(texto)
    }

    /// The value of an attribute without a prefix.
    pub fn atributo(&self, id: Id, nombre: &str) -> Option<&str> {
        let atributos = &self.elementos[id].atributos;
        atributos
            .iter()
            .find(|atributo| atributo.nombre == nombre)
            .map(|atributo| atributo.valor.as_ref())
    }

    /// The bytes of an element as they stand in the file, line ends normalised.
    pub fn fuente(&self, id: Id) -> &'t str {
        let (desde, hasta) = self.elementos[id].fuente;
        self.texto.get(desde..hasta).unwrap_or_default()
    }
}

struct Constructor<'t> {
    arbol: Arbol<'t>,
    abiertos: Vec<Id>,
}

impl<'t> Constructor<'t> {
    fn abrir(&mut self, fuente: &'t str, desde: usize, limits: &Limits) -> Option<()> {
        let id = self.arbol.elementos.len();
        if self.abiertos.len() >= limits.depth || id >= limits.elements {
            return None;
        }
        let (nombre, resto) = etiqueta(fuente)?;
        let (atributos, espacios) = atributos(resto, limits.attributes)?;
        let evento = self.arbol.eventos.len();
        let padre = self.abiertos.last().copied();
        if let Some(padre) = padre {
            match self.arbol.elementos[padre].ultimo.replace(id) {
                Some(hermano) => self.arbol.elementos[hermano].siguiente = Some(id),
                None => self.arbol.elementos[padre].primero = Some(id),
            }
        }
        self.arbol.elementos.push(Elemento {
            nombre,
            padre,
            primero: None,
            ultimo: None,
            siguiente: None,
            atributos,
            espacios,
            eventos: (evento, evento),
            fuente: (desde, desde),
        });
        self.arbol.eventos.push(Evento::Abre(id));
        self.abiertos.push(id);
        Some(())
    }

    fn cerrar(&mut self, hasta: usize) -> Option<()> {
        let id = self.abiertos.pop()?;
        let evento = self.arbol.eventos.len();
        self.arbol.eventos.push(Evento::Cierra(id));
        let elemento = &mut self.arbol.elementos[id];
        elemento.eventos.1 = evento;
        elemento.fuente.1 = hasta;
        Some(())
    }

    /// Text outside of the root is white space, and no part of any element.
    fn agregar(&mut self, trozo: Cow<'t, str>) {
        if !self.abiertos.is_empty() && !trozo.is_empty() {
            self.arbol.eventos.push(Evento::Texto(trozo));
        }
    }

    fn instruccion(&mut self, fuente: &'t str) -> Option<()> {
        if !self.abiertos.is_empty() {
            let dentro = fuente.strip_prefix("<?")?.strip_suffix("?>")?;
            self.arbol.eventos.push(Evento::Instruccion(dentro));
        }
        Some(())
    }

    fn terminar(self) -> Option<Arbol<'t>> {
        let entero = self.abiertos.is_empty() && !self.arbol.elementos.is_empty();
        entero.then_some(self.arbol)
    }
}

/// The name of a start tag, and what stands between it and the closing mark.
fn etiqueta(fuente: &str) -> Option<(&str, &str)> {
    let dentro = fuente.strip_prefix('<')?.strip_suffix('>')?;
    let dentro = dentro.strip_suffix('/').unwrap_or(dentro);
    let fin = dentro
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(dentro.len());
    let (nombre, resto) = dentro.split_at(fin);
    (!nombre.is_empty()).then_some((nombre, resto))
}

type Atributos<'t> = (Vec<Atributo<'t>>, Vec<Espacio<'t>>);

fn atributos(mut resto: &str, maximo: usize) -> Option<Atributos<'_>> {
    let (mut atributos, mut espacios) = (Vec::new(), Vec::new());
    loop {
        resto = resto.trim_ascii_start();
        if resto.is_empty() {
            return Some((atributos, espacios));
        }
        if atributos.len() + espacios.len() >= maximo {
            return None;
        }
        let (nombre, despues) = resto.split_once('=')?;
        let nombre = nombre.trim_ascii_end();
        let despues = despues.trim_ascii_start();
        let comilla = despues.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (valor, siguiente) = despues[1..].split_once(comilla)?;
        let valor = valor_de_atributo(valor)?;
        if nombre == "xmlns" {
            espacios.push(("", valor));
        } else if let Some(prefijo) = nombre.strip_prefix("xmlns:") {
            espacios.push((prefijo, valor));
        } else {
            atributos.push(Atributo { nombre, valor });
        }
        resto = siguiente;
    }
}

/// A value as XML 1.0 (3.3.3) has it: literal white space is blanks, references stay.
fn valor_de_atributo(crudo: &str) -> Option<Cow<'_, str>> {
    if !crudo.contains(['&', '\t', '\n']) {
        return Some(Cow::Borrowed(crudo));
    }
    let mut valor = String::with_capacity(crudo.len());
    let mut resto = crudo;
    while let Some(primero) = resto.chars().next() {
        let largo = primero.len_utf8();
        match primero {
            '&' => {
                let (nombre, despues) = resto[1..].split_once(';')?;
                valor.push(referencia(nombre)?);
                resto = despues;
            }
            '\t' | '\n' => {
                valor.push(' ');
                resto = &resto[largo..];
            }
            otro => {
                valor.push(otro);
                resto = &resto[largo..];
            }
        }
    }
    Some(Cow::Owned(valor))
}

/// One of the five predefined entities, or a character by its number.
fn referencia(nombre: &str) -> Option<char> {
    match nombre {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let numero = nombre.strip_prefix('#')?;
            let codigo = match numero.strip_prefix('x') {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => numero.parse(),
            };
            char::from_u32(codigo.ok()?)
        }
    }
}
