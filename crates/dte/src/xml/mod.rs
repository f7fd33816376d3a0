//! The XML reader: bytes in, documents out.

mod arbol;
mod lector;
mod nombres;
mod revision;

use self::arbol::{Arbol, Id};
use crate::codificacion::{Codificacion, decodificar};
use crate::error::{Bound, Found, NotXml, ReadError, ReadErrorKind};
use crate::limits::Limits;
use crate::model::{ClaseDocumento, Documento, Lectura, recortado};

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The documents in the order of the file; never empty.
    pub documentos: Vec<Documento>,
    /// What they are wrapped in.
    pub envoltorio: Envoltorio,
    /// The file's encoding, declared and real.
    pub codificacion: Codificacion,
    /// The cover of an envelope.
    pub caratula: Option<Caratula>,
}

/// What a document is wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envoltorio {
    /// A lone `DTE`.
    Dte,
    /// An `EnvioDTE`, or its `SetDTE` alone.
    EnvioDte,
    /// An `EnvioBOLETA`.
    EnvioBoleta,
    /// A `Documento`, `Exportaciones` or `Liquidacion` without its `DTE`.
    DocumentoSuelto,
    /// A cession (`AEC`) or a part of one, with the ceded document in it.
    Aec,
}

/// `Caratula`: the cover of an envelope, as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caratula {
    /// `RutEmisor`.
    pub rut_emisor: Option<String>,
    /// `RutEnvia`: who sends, a person.
    pub rut_envia: Option<String>,
    /// `RutReceptor`.
    pub rut_receptor: Option<String>,
    /// `FchResol`.
    pub fch_resol: Option<String>,
    /// `NroResol`.
    pub nro_resol: Option<String>,
    /// `TmstFirmaEnv`.
    pub tmst_firma_env: Option<String>,
    /// `SubTotDTE`: a type and how many of it, each as written.
    pub sub_tot_dte: Vec<(Option<String>, Option<String>)>,
}

/// Reads every tax document in a file: a `DTE`, an `EnvioDTE`, an `EnvioBOLETA`, an `AEC`, or
/// a bare body; with or without a namespace; in ISO-8859-1, windows-1252 or UTF-8 whatever
/// the declaration says.
///
/// A value that can't be read as its type is no error here but a note in the document's
/// [`Lectura`]; [`validate`](crate::validate) makes it a finding.
///
/// # Errors
///
/// [`ReadError`] for what is no tax document, no well-formed XML, or over `limits`. External
/// entities and document type declarations are never followed.
pub fn read_xml(bytes: &[u8], limits: &Limits) -> Result<Reading, ReadError> {
    if bytes.len() > limits.bytes {
        return Err(ReadError::new(ReadErrorKind::TooLarge {
            bytes: bytes.len(),
            limit: limits.bytes,
        }));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ReadError::new(ReadErrorKind::Empty));
    }
    let Some((texto, codificacion)) = decodificar(bytes) else {
        return Err(ReadError::new(ReadErrorKind::NotXml(NotXml::Utf16)));
    };
    let texto = texto.trim_start();
    if let Some(que) = no_es_xml(texto) {
        return Err(ReadError::new(ReadErrorKind::NotXml(que)));
    }
    let arbol = Arbol::leer(texto, limits)?;
    let raiz = arbol.nodo(0).nombre;
    let Some(envoltorio) = envoltorio(raiz) else {
        return Err(ReadError::new(ReadErrorKind::OtherXml {
            found: Found::desde_raiz(raiz),
            root: recortado(raiz),
        }));
    };
    let documentos = documentos(&arbol, limits, &codificacion)?;
    let caratula = caratula(&arbol);
    Ok(Reading {
        documentos,
        envoltorio,
        codificacion,
        caratula,
    })
}

fn envoltorio(raiz: &str) -> Option<Envoltorio> {
    match raiz {
        "DTE" => Some(Envoltorio::Dte),
        "EnvioDTE" | "SetDTE" => Some(Envoltorio::EnvioDte),
        "EnvioBOLETA" => Some(Envoltorio::EnvioBoleta),
        "Documento" | "Exportaciones" | "Liquidacion" => Some(Envoltorio::DocumentoSuelto),
        "AEC" | "DocumentoAEC" | "Cesiones" | "DTECedido" | "DocumentoDTECedido" => {
            Some(Envoltorio::Aec)
        }
        _ => None,
    }
}

fn documentos(
    arbol: &Arbol<'_>,
    limits: &Limits,
    codificacion: &Codificacion,
) -> Result<Vec<Documento>, ReadError> {
    let cuerpos: Vec<(Id, ClaseDocumento)> = arbol
        .nodos()
        .filter_map(|(id, _)| Some((id, cuerpo(arbol, id)?)))
        .take(limits.documents.saturating_add(1))
        .collect();
    if cuerpos.is_empty() {
        let root = recortado(arbol.nodo(0).nombre);
        return Err(ReadError::new(ReadErrorKind::NoDocument { root }));
    }
    if cuerpos.len() > limits.documents {
        return Err(ReadError::new(ReadErrorKind::Limit(Bound::Documents(
            limits.documents,
        ))));
    }
    let solo = cuerpos.len() == 1;
    let leer = |(indice, (id, clase)): (usize, (Id, ClaseDocumento))| {
        let lectura = Lectura {
            prefijo: if solo {
                String::new()
            } else {
                format!("DTE[{}]/", indice + 1)
            },
            codificacion: Some(codificacion.clone()),
            ..Lectura::default()
        };
        let mut documento = lector::documento(arbol, id, clase, lectura);
        revision::revisar(arbol, id, &mut documento);
        documento
    };
    Ok(cuerpos.into_iter().enumerate().map(leer).collect())
}

/// Whether an element is a document's body: the root, or inside a `DTE`.
fn cuerpo(arbol: &Arbol<'_>, id: Id) -> Option<ClaseDocumento> {
    let nodo = arbol.nodo(id);
    let clase = match nodo.nombre {
        "Documento" => ClaseDocumento::Documento,
        "Exportaciones" => ClaseDocumento::Exportaciones,
        "Liquidacion" => ClaseDocumento::Liquidacion,
        _ => return None,
    };
    let suelto = nodo
        .padre
        .is_none_or(|padre| arbol.nodo(padre).nombre == "DTE");
    suelto.then_some(clase)
}

fn caratula(arbol: &Arbol<'_>) -> Option<Caratula> {
    let raiz = arbol.nodo(0).nombre;
    let conjunto = if raiz == "SetDTE" {
        0
    } else {
        arbol.hijo(0, "SetDTE")?
    };
    let id = arbol.hijo(conjunto, "Caratula")?;
    let mut caratula = Caratula::default();
    let texto = |id| arbol.texto(id).map(str::to_owned);
    let texto_de = |id, nombre| arbol.hijo(id, nombre).and_then(texto);
    for (hijo, nodo) in arbol.hijos(id) {
        match nodo.nombre {
            "RutEmisor" => caratula.rut_emisor = texto(hijo),
            "RutEnvia" => caratula.rut_envia = texto(hijo),
            "RutReceptor" => caratula.rut_receptor = texto(hijo),
            "FchResol" => caratula.fch_resol = texto(hijo),
            "NroResol" => caratula.nro_resol = texto(hijo),
            "TmstFirmaEnv" => caratula.tmst_firma_env = texto(hijo),
            "SubTotDTE" => caratula
                .sub_tot_dte
                .push((texto_de(hijo, "TpoDTE"), texto_de(hijo, "NroDTE"))),
            _ => {}
        }
    }
    Some(caratula)
}

/// What a text is that can't be XML, told by how it begins.
fn no_es_xml(texto: &str) -> Option<NotXml> {
    let inicio = texto.as_bytes();
    let empieza = |con: &[u8]| {
        inicio
            .get(..con.len())
            .is_some_and(|principio| principio.eq_ignore_ascii_case(con))
    };
    if empieza(b"<!doctype html") || empieza(b"<html") {
        Some(NotXml::Html)
    } else if empieza(b"<") {
        None
    } else if empieza(b"%PDF") {
        Some(NotXml::Pdf)
    } else if empieza(b"PK\x03\x04") || texto.starts_with("\u{1f}\u{2039}") {
        Some(NotXml::Archive)
    } else if empieza(b"{") || empieza(b"[") {
        Some(NotXml::Json)
    } else if es_base64(inicio) {
        Some(NotXml::Base64)
    } else {
        Some(NotXml::Other)
    }
}

/// Base64 of something that begins with `<` or with a byte order mark and `<`.
fn es_base64(inicio: &[u8]) -> bool {
    let muestra = &inicio[..inicio.len().min(64)];
    (inicio.starts_with(b"PD") || inicio.starts_with(b"PE") || inicio.starts_with(b"77u/P"))
        && muestra
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'\r' | b'\n'))
}
