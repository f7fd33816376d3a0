//! Stamps, signatures and covers: whether a file was made by whom it says, and not changed
//! afterwards.
//!
//! Over the exact bytes of a file: the stamp of each document (`TED`) with the key of its
//! authorisation of folios (`CAF`), the XML signature of each document, of the envelope and of
//! every part of a cession, and the cover of an envelope or a cession against its contents.
//! Pure: no network, no clock.
//!
//! # Example
//!
//! ```
//! use dte::firma::{Firma, Timbre, Trust, verify};
//! use dte::{Context, Limits};
//! use jiff::civil::date;
//!
//! let xml = br#"<DTE xmlns="http://www.sii.cl/SiiDte" version="1.0"><Documento ID="F1T33">
//!   <Encabezado><IdDoc><TipoDTE>33</TipoDTE><Folio>1</Folio></IdDoc></Encabezado>
//! </Documento></DTE>"#;
//! let context = Context::emission(date(2026, 11, 22));
//! let firmas = verify(xml, &Limits::default(), &Trust::new(), &context)?;
//!
//! let documento = &firmas.documentos[0];
//! assert_eq!((documento.timbre, documento.firma), (Timbre::Ausente, Firma::Ausente));
//! // An ERP validates before it stamps and signs: only an info.
//! assert_eq!(documento.findings[0].code, "DTE-TIMBRE-AUSENTE");
//! assert_eq!(documento.findings[0].severity, dte::Severity::Info);
//! # Ok::<(), dte::ReadError>(())
//! ```
//!
//! # What it proves, and what not
//!
//! A verified stamp proves that who holds the key of the CAF stamped these fields. That the tax
//! service authorised that CAF is proven only with its public key ([`Trust::with_sii_key`]):
//! without it anybody can make a CAF. A verified signature proves that the content is what the
//! holder of the key in it signed; who issued the certificate, and whether it was revoked, is
//! not looked up, and neither is whether the holder may sign for the company. A signature in
//! exclusive canonical form isn't verified: the tax service doesn't take it, and so it is told
//! as [`MotivoFirma::Algoritmo`].

mod arbol;
mod caf;
mod canonico;
mod caratula;
mod caso;
mod cesion;
mod codigos;
mod confianza;
mod documento;
mod escritura;
mod llave;
mod resultado;
mod sobre;
mod timbre;
mod x509;
mod xmldsig;

use std::borrow::Cow;

pub use self::codigos::CODES;
pub use self::confianza::Trust;
pub use self::llave::LlavePublica;
pub use self::resultado::{
    ContextoFirma, Firma, FirmaCaf, FirmaDocumento, FirmaParte, Firmas, MotivoFirma, MotivoTimbre,
    Timbre,
};

use self::arbol::{Arbol, Id};
use self::caso::Caso;
use self::xmldsig::Taller;
use crate::codificacion::{Charset, Codificacion, decodificar};
use crate::context::Context;
use crate::error::{ReadError, ReadErrorKind};
use crate::limits::Limits;
use crate::xml::{Reading, read_xml};

/// Reads a file and verifies every stamp and signature in it.
///
/// # Errors
///
/// [`ReadError`], as [`read_xml`], and for what that tolerates but has no canonical form: a
/// stray `&` in an attribute.
pub fn verify(
    bytes: &[u8],
    limits: &Limits,
    trust: &Trust,
    context: &Context<'_>,
) -> Result<Firmas, ReadError> {
    verify_reading(bytes, &read_xml(bytes, limits)?, limits, trust, context)
}

/// Verifies every stamp and signature in a file that was read already.
///
/// # Errors
///
/// [`ReadError`] for a file that has no canonical form (a stray `&` in an attribute), or where
/// `reading` isn't that of these bytes within these limits.
pub fn verify_reading(
    bytes: &[u8],
    reading: &Reading,
    limits: &Limits,
    trust: &Trust,
    context: &Context<'_>,
) -> Result<Firmas, ReadError> {
    let ilegible = || {
        ReadError::new(ReadErrorKind::Malformed {
            line: 1,
            column: 1,
            detail: "hay una etiqueta o una referencia mal escrita, y así no se puede verificar firma alguna",
        })
    };
    let (texto, codificacion) = decodificar(bytes).ok_or_else(ilegible)?;
    let texto = arbol::normalizar(texto);
    let arbol = Arbol::leer(texto.trim_start(), limits).ok_or_else(ilegible)?;
    let cuerpos = cuerpos(&arbol);
    if cuerpos.len() != reading.documentos.len() {
        return Err(ilegible());
    }
    let texto_literal = literal(bytes, &codificacion);
    let literal = texto_literal
        .as_ref()
        .and_then(|texto| Arbol::leer(texto.trim_start(), limits))
        .filter(|otro| otro.elementos.len() == arbol.elementos.len());
    let mut taller = Taller::nuevo(&arbol, literal.as_ref());
    let mut firmas = Firmas::default();
    for (cuerpo, documento) in cuerpos.iter().zip(&reading.documentos) {
        let caso = Caso {
            arbol: &arbol,
            cuerpo: *cuerpo,
            documento,
            trust,
            context,
            timbrado: None,
            findings: Vec::new(),
        };
        firmas.documentos.push(un_documento(caso, &mut taller));
    }
    el_sobre(&mut taller, &cuerpos, trust, context, &mut firmas);
    caratula::verificar(reading, context, &mut firmas.findings);
    cesion::verificar(&arbol, &reading.documentos, &mut firmas.findings);
    Ok(firmas)
}

fn un_documento(mut caso: Caso<'_>, taller: &mut Taller<'_, '_>) -> FirmaDocumento {
    let (timbre, caf) = timbre::verificar(&mut caso);
    let firma = documento::verificar(&mut caso, taller);
    FirmaDocumento {
        timbre,
        caf,
        firma,
        findings: caso.findings,
    }
}

fn el_sobre(
    taller: &mut Taller<'_, '_>,
    cuerpos: &[Id],
    trust: &Trust,
    context: &Context<'_>,
    firmas: &mut Firmas,
) {
    let arbol = taller.arbol;
    let mut propias: Vec<Id> = cuerpos
        .iter()
        .filter_map(|cuerpo| arbol.elemento(*cuerpo).padre)
        .collect();
    propias.sort_unstable();
    firmas.partes = sobre::verificar(taller, &propias, &mut firmas.findings);
    if sobre::es_sobre(arbol) && arbol.hijo(0, "Signature").is_none() {
        let ausente = sobre::ausente(arbol, trust, context, &mut firmas.findings);
        firmas.partes.push(ausente);
    }
}

/// The documents' bodies, as the reader finds them.
fn cuerpos(arbol: &Arbol<'_>) -> Vec<Id> {
    let es_cuerpo = |id: &Id| {
        let elemento = arbol.elemento(*id);
        matches!(
            elemento.local(),
            "Documento" | "Exportaciones" | "Liquidacion"
        ) && elemento
            .padre
            .is_none_or(|padre| arbol.elemento(padre).local() == "DTE")
    };
    (0..arbol.elementos.len()).filter(es_cuerpo).collect()
}

/// The text by the letter of a declaration of ISO-8859-1 that isn't true: what a program that
/// believes it has signed.
fn literal(bytes: &[u8], codificacion: &Codificacion) -> Option<String> {
    let falsa = matches!(codificacion.real, Charset::Utf8 | Charset::Windows1252);
    if codificacion.coincide() || !falsa {
        return None;
    }
    let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
    let texto = encoding_rs::mem::decode_latin1(bytes);
    Some(arbol::normalizar(Cow::Owned(texto.into_owned())).into_owned())
}
