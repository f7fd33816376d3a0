//! The authorisation of folios (`CAF`) in a stamp: range, type, issuer, age, and the tax
//! service's signature on it where its key is configured.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use super::arbol::Id;
use super::caso::Caso;
use super::codigos;
use super::escritura::escritura_firmada;
use super::llave::desde_base64;
use super::resultado::FirmaCaf;
use super::timbre::comparable;
use crate::model::{TipoDte, recortado};
use crate::valores;
use findings::Severity;

/// CAFs that were authorised since this day last six months (preguntas frecuentes del SII).
const CON_VIGENCIA: Date = date(2018, 7, 1);
const MESES: i32 = 6;

/// Checks the CAF of a stamp against its document.
pub(super) fn verificar(caso: &mut Caso<'_>, dd: Id, caf: Id) -> FirmaCaf {
    let arbol = caso.arbol;
    let Some(da) = arbol.hijo(caf, "DA") else {
        caso.hallazgo(
            &codigos::TIMBRE_FORMA,
            "TED/DD/CAF/DA",
            "El CAF del timbre está incompleto: no tiene sus datos (DA).".to_owned(),
        );
        return FirmaCaf::Ausente;
    };
    forma(caso, da);
    emisor(caso, da);
    tipo(caso, dd, da);
    rango(caso, dd, da);
    edad(caso, da);
    firma(caso, caf, da)
}

/// Every part that a CAF has.
fn forma(caso: &mut Caso<'_>, da: Id) {
    const PARTES: [&[&str]; 8] = [
        &["RE"],
        &["RS"],
        &["TD"],
        &["RNG", "D"],
        &["RNG", "H"],
        &["FA"],
        &["RSAPK"],
        &["IDK"],
    ];
    for camino in PARTES {
        if caso.arbol.bajo(da, camino).is_none() {
            let parte = camino.join("/");
            let mensaje = format!("El CAF del timbre está incompleto: le falta {parte}.");
            caso.hallazgo(
                &codigos::TIMBRE_FORMA,
                &format!("TED/DD/CAF/DA/{parte}"),
                mensaje,
            );
        }
    }
}

fn emisor(caso: &mut Caso<'_>, da: Id) {
    let emisor = &caso.documento.encabezado.emisor;
    let suyo = caso.arbol.campo(da, &["RE"]);
    if let (Some(suyo), Some(rut)) = (&suyo, &emisor.rut_emisor)
        && suyo != rut
    {
        let mensaje = format!(
            "El CAF es de {} y el documento lo emite {}: los folios de otro contribuyente no sirven.",
            recortado(suyo),
            recortado(rut)
        );
        caso.hallazgo(&codigos::CAF_EMISOR, "TED/DD/CAF/DA/RE", mensaje);
        return;
    }
    let razon = caso.arbol.campo(da, &["RS"]);
    if let (Some(razon), Some(nombre)) = (razon, &emisor.rzn_soc) {
        // A CAF holds the first 40 characters.
        let (corta, larga) = (comparable(&razon), comparable(nombre));
        if !larga.starts_with(&corta) && !corta.starts_with(&larga) {
            let mensaje = format!(
                "La razón social del documento, «{}», no es la que el SII tiene registrada en el CAF, «{}».",
                recortado(nombre),
                recortado(&razon)
            );
            caso.hallazgo(&codigos::CAF_RAZON, "Encabezado/Emisor/RznSoc", mensaje);
        }
    }
}

fn tipo(caso: &mut Caso<'_>, dd: Id, da: Id) {
    let entero = |id, camino: &[&str]| {
        caso.arbol
            .campo(id, camino)
            .and_then(|texto| valores::entero(&texto))
    };
    let suyo = caso.documento.encabezado.id_doc.tipo_dte.valor();
    let (caf, documento) = (entero(da, &["TD"]), suyo.or_else(|| entero(dd, &["TD"])));
    if let (Some(caf), Some(documento)) = (caf, documento)
        && caf != documento
    {
        let mensaje = format!(
            "El CAF autoriza folios de documentos tipo {caf} y este es de tipo {documento}."
        );
        caso.hallazgo(&codigos::CAF_TIPO, "TED/DD/CAF/DA/TD", mensaje);
    }
}

fn rango(caso: &mut Caso<'_>, dd: Id, da: Id) {
    let entero = |id, camino: &[&str]| {
        caso.arbol
            .campo(id, camino)
            .and_then(|texto| valores::entero(&texto))
    };
    let (desde, hasta) = (entero(da, &["RNG", "D"]), entero(da, &["RNG", "H"]));
    let suyo = caso.documento.encabezado.id_doc.folio.valor();
    let folio = suyo.or_else(|| entero(dd, &["F"]));
    if let (Some(desde), Some(hasta), Some(folio)) = (desde, hasta, folio)
        && !(desde..=hasta).contains(&folio)
    {
        let mensaje = format!(
            "El folio {folio} no está entre los que autoriza el CAF del timbre, del {desde} al {hasta}."
        );
        caso.hallazgo(&codigos::CAF_RANGO, "TED/DD/CAF/DA/RNG", mensaje);
    }
}

/// Six months from the day of the authorisation to the day of the document or of its stamp,
/// whichever is later.
fn edad(caso: &mut Caso<'_>, da: Id) {
    const RUTA: &str = "TED/DD/CAF/DA/FA";
    let Some(escrita) = caso.arbol.campo(da, &["FA"]) else {
        return;
    };
    let Some(autorizado) = valores::fecha(&escrita) else {
        let mensaje = format!(
            "La fecha de autorización del CAF (FA), «{}», no es una fecha AAAA-MM-DD.",
            recortado(&escrita)
        );
        caso.hallazgo(&codigos::TIMBRE_FORMA, RUTA, mensaje);
        return;
    };
    let emision = caso.documento.encabezado.id_doc.fch_emis.valor();
    if let Some(emision) = emision
        && emision < autorizado
    {
        let mensaje = format!(
            "El documento se emite con fecha {emision} y su folio se autorizó después, el {autorizado}."
        );
        caso.hallazgo(&codigos::CAF_FECHA, "Encabezado/IdDoc/FchEmis", mensaje);
    }
    let ultimo = emision.max(caso.timbrado);
    let vence = autorizado.checked_add(MESES.months());
    let (Some(ultimo), Ok(vence)) = (ultimo, vence) else {
        return;
    };
    if autorizado < CON_VIGENCIA || ultimo <= vence {
        return;
    }
    // That the six months also hold for boletas is not confirmed.
    let boleta = caso.documento.tipo().is_some_and(TipoDte::es_boleta);
    let severity = if boleta {
        Severity::Warning
    } else {
        Severity::Error
    };
    let mensaje = format!(
        "Los folios se autorizaron el {autorizado} y se podían usar hasta el {vence}; el documento es del {ultimo}. Hay que anularlos y pedir otros."
    );
    caso.hallazgo_como(&codigos::CAF_VENCIDO, severity, RUTA, mensaje);
}

/// `FRMA`: made by the tax service over `DA`.
fn firma(caso: &mut Caso<'_>, caf: Id, da: Id) -> FirmaCaf {
    let arbol = caso.arbol;
    let Some(frma) = arbol.campo(caf, &["FRMA"]) else {
        caso.hallazgo(
            &codigos::TIMBRE_FORMA,
            "TED/DD/CAF/FRMA",
            "El CAF del timbre está incompleto: no tiene la firma del SII (FRMA).".to_owned(),
        );
        return FirmaCaf::Ausente;
    };
    let idk = arbol
        .campo(da, &["IDK"])
        .and_then(|idk| valores::entero(&idk));
    let Some((idk, llave)) = idk.and_then(|idk| Some((idk, caso.trust.llave(idk)?))) else {
        return FirmaCaf::SinLlave;
    };
    let firmado = desde_base64(&frma)
        .and_then(|firma| escritura_firmada(arbol.fuente(da), llave, &firma))
        .is_some();
    if firmado {
        return FirmaCaf::Verificada;
    }
    let mensaje = format!(
        "La firma del SII en el CAF (FRMA) no corresponde a su contenido con la llave {idk} del SII: el CAF fue alterado o no es del SII."
    );
    caso.hallazgo(&codigos::CAF_FIRMA, "TED/DD/CAF/FRMA", mensaje);
    FirmaCaf::Fallida
}
