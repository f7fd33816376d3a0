//! Members of JSON objects, read with their places.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::value::RawValue;

use super::escalar::{self, Escalar};
use crate::error::{ReadError, ReadErrorKind};
use crate::model::{Ilegible, Liquidacion};
use crate::pesos::calculable;
use findings::{Members, PathSegment, ShapeError};

/// The most shape errors and unreadable fields that are reported.
const MAX_ERRORES: usize = 100;
/// The longest text that is kept, in characters.
const MAX_TEXTO: usize = 200;

/// An object's members, each still in its own words, and where the object is.
pub(super) struct Objeto<'a> {
    pub campos: Members<'a>,
    pub lugar: Vec<PathSegment>,
}

/// The members of an object; `None` for anything else.
pub(super) fn raiz(crudo: &RawValue) -> Option<Objeto<'_>> {
    let campos = Members::read(crudo.get())?;
    Some(Objeto {
        campos,
        lugar: Vec::new(),
    })
}

impl<'a> Objeto<'a> {
    /// The first of several names under which there is something.
    pub fn valor(&self, nombres: &[&'static str]) -> Option<(&'static str, Escalar)> {
        nombres.iter().find_map(|nombre| {
            let escalar = Escalar::leer(self.campos.get(nombre)?);
            (escalar != Escalar::Vacio).then_some((*nombre, escalar))
        })
    }

    /// The member's object.
    pub fn dentro(&self, nombre: &str) -> Option<Objeto<'a>> {
        let campos = Members::read(self.campos.get(nombre)?.get())?;
        Some(Objeto {
            campos,
            lugar: self.loc(nombre),
        })
    }

    pub fn loc(&self, nombre: &str) -> Vec<PathSegment> {
        let mut loc = self.lugar.clone();
        loc.push(PathSegment::Key(nombre.to_owned()));
        loc
    }
}

/// A place as it is shown: `lines[3].amount`.
pub(super) fn ruta(loc: &[PathSegment]) -> String {
    let mut ruta = String::new();
    for parte in loc {
        match parte {
            PathSegment::Key(clave) => {
                if !ruta.is_empty() {
                    ruta.push('.');
                }
                ruta.push_str(clave);
            }
            PathSegment::Index(indice) => ruta.push_str(&format!("[{indice}]")),
        }
    }
    ruta
}

/// Collects what is wrong while reading.
#[derive(Default)]
pub(super) struct Lector {
    errores: Vec<ShapeError>,
    ilegibles: Vec<Ilegible>,
}

impl Lector {
    pub fn error(&mut self, loc: Vec<PathSegment>, msg: &str, kind: &'static str) {
        if self.errores.len() < MAX_ERRORES {
            self.errores.push(ShapeError {
                loc,
                msg: msg.to_owned(),
                kind,
            });
        }
    }

    fn ilegible(&mut self, objeto: &Objeto<'_>, nombre: &str, escalar: &Escalar, palabra: bool) {
        if self.ilegibles.len() < MAX_ERRORES {
            self.ilegibles.push(Ilegible {
                ruta: ruta(&objeto.loc(nombre)),
                texto: escalar.muestra(),
                palabra,
            });
        }
    }

    pub fn terminar(self, mut liquidacion: Liquidacion) -> Result<Liquidacion, ReadError> {
        if self.errores.is_empty() {
            liquidacion.ilegibles = self.ilegibles;
            Ok(liquidacion)
        } else {
            Err(ReadError::new(ReadErrorKind::Shape(self.errores)))
        }
    }

    /// An amount or another number that can be calculated with.
    pub fn numero(&mut self, objeto: &Objeto<'_>, nombres: &[&'static str]) -> Option<Decimal> {
        let (nombre, escalar) = objeto.valor(nombres)?;
        let leido = escalar::decimal(&escalar).filter(|valor| calculable(*valor));
        if leido.is_none() {
            self.ilegible(objeto, nombre, &escalar, false);
        }
        leido
    }

    pub fn texto(&mut self, objeto: &Objeto<'_>, nombres: &[&'static str]) -> Option<String> {
        let (nombre, escalar) = objeto.valor(nombres)?;
        match escalar {
            Escalar::Texto(texto) | Escalar::Numero(texto) => {
                Some(texto.chars().take(MAX_TEXTO).collect())
            }
            otro => {
                self.ilegible(objeto, nombre, &otro, false);
                None
            }
        }
    }

    pub fn fecha(&mut self, objeto: &Objeto<'_>, nombres: &[&'static str]) -> Option<Date> {
        let (nombre, escalar) = objeto.valor(nombres)?;
        let leida = escalar::fecha(&escalar);
        if leida.is_none() {
            self.ilegible(objeto, nombre, &escalar, false);
        }
        leida
    }

    /// A text with a meaning: what `leer` doesn't know is unreadable.
    pub fn eleccion<T>(
        &mut self,
        objeto: &Objeto<'_>,
        nombres: &[&'static str],
        leer: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (nombre, escalar) = objeto.valor(nombres)?;
        let leida = match &escalar {
            Escalar::Texto(texto) | Escalar::Numero(texto) => leer(texto),
            Escalar::Vacio | Escalar::Cierto | Escalar::Compuesto => None,
        };
        if leida.is_none() {
            self.ilegible(objeto, nombre, &escalar, true);
        }
        leida
    }

    /// The objects of a list. A member that is no list, or an item that is no object, is an
    /// error of shape.
    pub fn lista<'a>(&mut self, objeto: &Objeto<'a>, nombre: &str) -> Option<Vec<Objeto<'a>>> {
        let crudo = objeto.campos.get(nombre)?;
        if Escalar::leer(crudo) == Escalar::Vacio {
            return None;
        }
        let loc = objeto.loc(nombre);
        let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(crudo.get()) else {
            self.error(loc, "Debe ser una lista.", "type_error");
            return Some(Vec::new());
        };
        let mut leidos = Vec::with_capacity(items.len().min(MAX_ERRORES));
        for (indice, item) in items.into_iter().take(super::MAX_LINEAS + 1).enumerate() {
            let mut lugar = loc.clone();
            lugar.push(PathSegment::Index(indice));
            match Members::read(item.get()) {
                Some(campos) => leidos.push(Objeto { campos, lugar }),
                None => self.error(lugar, "Cada línea debe ser un objeto.", "type_error"),
            }
        }
        Some(leidos)
    }
}
