//! A bounded element tree over the decoded text, built in one pass without recursion.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::errors::{Error as XmlError, IllFormedError};
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::error::{Bound, ReadError, ReadErrorKind};
use crate::limits::Limits;
use crate::model::recortado;

/// An element's place in the tree.
pub(super) type Id = usize;

/// One element: its local name, its own text, its kin.
#[derive(Debug)]
pub(super) struct Nodo<'t> {
    pub nombre: &'t str,
    /// The `ID` attribute.
    pub id: Option<&'t str>,
    pub padre: Option<Id>,
    texto: Cow<'t, str>,
    primer_hijo: Option<Id>,
    ultimo_hijo: Option<Id>,
    siguiente: Option<Id>,
}

/// The elements of a file in the order of their start tags; the first is the root.
#[derive(Debug)]
pub(super) struct Arbol<'t> {
    nodos: Vec<Nodo<'t>>,
}

impl<'t> Arbol<'t> {
    /// Reads a whole file. Prefixes are dropped: the tax service's documents come with and
    /// without a namespace, and no two of its names differ by namespace alone.
    pub fn leer(texto: &'t str, limits: &Limits) -> Result<Self, ReadError> {
        let mut obra = Constructor {
            texto,
            limits,
            nodos: Vec::new(),
            abiertos: Vec::new(),
            repetidos: 0,
        };
        let mut lector = Reader::from_str(texto);
        loop {
            let inicio = posicion(lector.buffer_position());
            let evento = lector
                .read_event()
                .map_err(|error| obra.mal_formado(&error, posicion(lector.error_position())))?;
            match evento {
                Event::Start(etiqueta) => obra.abrir(&etiqueta, inicio)?,
                Event::Empty(etiqueta) => {
                    obra.abrir(&etiqueta, inicio)?;
                    obra.abiertos.pop();
                }
                Event::End(_) => {
                    obra.abiertos.pop();
                }
                Event::Text(texto) => obra.agregar(texto.into_inner(), inicio)?,
                Event::CData(texto) => obra.agregar(texto.into_inner(), inicio)?,
                Event::GeneralRef(referencia) => obra.referencia(&referencia, inicio)?,
                Event::DocType(_) => return Err(ReadError::new(ReadErrorKind::Doctype)),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => return obra.terminar(),
            }
        }
    }

    pub fn nodo(&self, id: Id) -> &Nodo<'t> {
        &self.nodos[id]
    }

    pub fn nodos(&self) -> impl Iterator<Item = (Id, &Nodo<'t>)> {
        self.nodos.iter().enumerate()
    }

    /// The children of an element, in order.
    pub fn hijos(&self, id: Id) -> impl Iterator<Item = (Id, &Nodo<'t>)> {
        let mut siguiente = self.nodos[id].primer_hijo;
        std::iter::from_fn(move || {
            let actual = siguiente?;
            siguiente = self.nodos[actual].siguiente;
            Some((actual, &self.nodos[actual]))
        })
    }

    /// The first child of this name.
    pub fn hijo(&self, id: Id, nombre: &str) -> Option<Id> {
        self.hijos(id)
            .find(|(_, nodo)| nodo.nombre == nombre)
            .map(|(hijo, _)| hijo)
    }

    /// The element's own text without white space around it; `None` where that is empty.
    pub fn texto(&self, id: Id) -> Option<&str> {
        let texto = self.nodos[id].texto.trim();
        (!texto.is_empty()).then_some(texto)
    }

    /// The path from `desde` (inclusive) to an element; an element that has brothers of its
    /// name carries its number among them, from 1.
    pub fn ruta(&self, desde: Id, id: Id) -> String {
        let mut pasos = Vec::new();
        let mut actual = Some(id);
        while let Some(este) = actual {
            pasos.push(self.paso(este, este == desde));
            actual = if este == desde {
                None
            } else {
                self.nodos[este].padre
            };
        }
        pasos.reverse();
        pasos.join("/")
    }

    fn paso(&self, id: Id, es_origen: bool) -> String {
        let nombre = self.nodos[id].nombre;
        let Some(padre) = self.nodos[id].padre.filter(|_| !es_origen) else {
            return nombre.to_owned();
        };
        let repetible = REPETIBLES.contains(&nombre);
        let (mut total, mut lugar) = (0, 0);
        for (hermano, _) in self.hijos(padre).filter(|(_, nodo)| nodo.nombre == nombre) {
            total += 1;
            if hermano == id {
                lugar = total;
            }
        }
        if repetible || total > 1 {
            format!("{nombre}[{lugar}]")
        } else {
            nombre.to_owned()
        }
    }
}

/// Sections that are numbered in a path even where there is only one.
const REPETIBLES: [&str; 4] = ["Detalle", "Referencia", "DscRcgGlobal", "ImptoReten"];

struct Constructor<'t, 'l> {
    texto: &'t str,
    limits: &'l Limits,
    nodos: Vec<Nodo<'t>>,
    abiertos: Vec<Id>,
    /// How many of what the model keeps one by one.
    repetidos: usize,
}

/// What the model keeps one by one, each larger than its text.
fn es_repetido(nombre: &str) -> bool {
    matches!(
        nombre,
        "Detalle" | "Referencia" | "DscRcgGlobal" | "ImptoReten" | "Comisiones" | "CdgItem"
    )
}

impl<'t> Constructor<'t, '_> {
    fn abrir(&mut self, etiqueta: &BytesStart<'t>, inicio: usize) -> Result<(), ReadError> {
        if self.abiertos.len() >= self.limits.depth {
            return Err(limite(Bound::Depth(self.limits.depth)));
        }
        if self.nodos.len() >= self.limits.elements {
            return Err(limite(Bound::Elements(self.limits.elements)));
        }
        if self.abiertos.is_empty() && !self.nodos.is_empty() {
            return Err(self.error(inicio, "hay más de un elemento raíz"));
        }
        // The event borrows its name from itself; the same slice of the text lives longer.
        let largo = etiqueta.name().as_ref().len();
        let calificado = self
            .texto
            .get(inicio + 1..inicio + 1 + largo)
            .unwrap_or_default();
        if calificado != etiqueta.name().as_ref() || calificado.is_empty() {
            return Err(self.error(inicio, "hay una etiqueta sin nombre"));
        }
        let nombre = calificado
            .rsplit_once(':')
            .map_or(calificado, |(_, local)| local);
        self.repetidos += usize::from(es_repetido(nombre));
        if self.repetidos > self.limits.items {
            return Err(limite(Bound::Items(self.limits.items)));
        }
        let id = self.atributo_id(etiqueta, inicio)?;
        let este = self.nodos.len();
        let padre = self.abiertos.last().copied();
        self.nodos.push(Nodo {
            nombre,
            id,
            padre,
            texto: Cow::Borrowed(""),
            primer_hijo: None,
            ultimo_hijo: None,
            siguiente: None,
        });
        if let Some(padre) = padre {
            match self.nodos[padre].ultimo_hijo.replace(este) {
                Some(hermano) => self.nodos[hermano].siguiente = Some(este),
                None => self.nodos[padre].primer_hijo = Some(este),
            }
        }
        self.abiertos.push(este);
        Ok(())
    }

    /// Bounds the attributes and finds the one that a signature refers to.
    fn atributo_id(
        &self,
        etiqueta: &BytesStart<'_>,
        inicio: usize,
    ) -> Result<Option<&'t str>, ReadError> {
        if etiqueta.attributes_raw().is_empty() {
            return Ok(None);
        }
        let mut encontrado = None;
        // Without checks for repetition, which cost the square of their number.
        for (indice, atributo) in etiqueta.attributes().with_checks(false).enumerate() {
            if indice >= self.limits.attributes {
                return Err(limite(Bound::Attributes(self.limits.attributes)));
            }
            let atributo =
                atributo.map_err(|_| self.error(inicio, "un atributo está mal escrito"))?;
            if atributo.key.as_ref() == "ID" {
                let valor = atributo.value.as_ref();
                let resto = &self.texto[inicio..];
                encontrado = resto
                    .find(valor)
                    .and_then(|donde| resto.get(donde..donde + valor.len()));
            }
        }
        Ok(encontrado)
    }

    fn agregar(&mut self, trozo: Cow<'t, str>, inicio: usize) -> Result<(), ReadError> {
        let Some(&actual) = self.abiertos.last() else {
            if trozo.trim().is_empty() {
                return Ok(());
            }
            return Err(self.error(inicio, "hay texto fuera del elemento raíz"));
        };
        let texto = &mut self.nodos[actual].texto;
        if texto.len() + trozo.len() > self.limits.text {
            return Err(limite(Bound::Text(self.limits.text)));
        }
        if texto.is_empty() {
            *texto = trozo;
        } else {
            texto.to_mut().push_str(&trozo);
        }
        Ok(())
    }

    /// Only the five predefined entities and character references are expanded.
    fn referencia(&mut self, referencia: &BytesRef<'_>, inicio: usize) -> Result<(), ReadError> {
        let nombre: &str = referencia;
        let valor = match nombre {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => match referencia.resolve_char_ref() {
                Ok(Some(caracter)) => caracter,
                Ok(None) => {
                    let name = recortado(nombre);
                    return Err(ReadError::new(ReadErrorKind::Entity { name }));
                }
                Err(_) => {
                    return Err(self.error(inicio, "una referencia numérica no es un carácter"));
                }
            },
        };
        self.agregar(Cow::Owned(valor.to_string()), inicio)
    }

    fn terminar(self) -> Result<Arbol<'t>, ReadError> {
        if !self.abiertos.is_empty() {
            return Err(self.error(self.texto.len(), SIN_CERRAR));
        }
        if self.nodos.is_empty() {
            return Err(self.error(self.texto.len(), "no hay ningún elemento"));
        }
        Ok(Arbol { nodos: self.nodos })
    }

    fn mal_formado(&self, error: &XmlError, donde: usize) -> ReadError {
        let detalle = match error {
            XmlError::Syntax(_) => "quedó algo sin cerrar",
            XmlError::IllFormed(IllFormedError::MismatchedEndTag { .. }) => {
                "una etiqueta se cierra con otro nombre"
            }
            XmlError::IllFormed(IllFormedError::UnmatchedEndTag(_)) => {
                "se cierra una etiqueta que no se abrió"
            }
            XmlError::IllFormed(IllFormedError::MissingEndTag(_)) => SIN_CERRAR,
            XmlError::IllFormed(IllFormedError::UnclosedReference) => {
                "hay un «&» suelto; se escribe &amp;"
            }
            _ => "no sigue la gramática de XML",
        };
        self.error(donde, detalle)
    }

    fn error(&self, donde: usize, detail: &'static str) -> ReadError {
        let antes = self
            .texto
            .as_bytes()
            .get(..donde)
            .unwrap_or(self.texto.as_bytes());
        let inicio = antes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |salto| salto + 1);
        let line = antes.split(|byte| *byte == b'\n').count();
        // Bytes that continue a character aren't counted.
        let column = antes[inicio..]
            .iter()
            .filter(|byte| (**byte & 0xC0) != 0x80)
            .count()
            + 1;
        ReadError::new(ReadErrorKind::Malformed {
            line,
            column,
            detail,
        })
    }
}

const SIN_CERRAR: &str = "termina antes de tiempo, con elementos sin cerrar";

const fn limite(bound: Bound) -> ReadError {
    ReadError::new(ReadErrorKind::Limit(bound))
}

/// A position in a text that is in memory.
fn posicion(valor: u64) -> usize {
    usize::try_from(valor).unwrap_or(usize::MAX)
}
