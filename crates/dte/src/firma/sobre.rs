//! The signatures around documents: of an envelope, and of every part of a cession.

use super::arbol::{Arbol, Id};
use super::caso::hallazgo;
use super::codigos;
use super::confianza::Trust;
use super::documento::{mensaje, vigencia};
use super::resultado::{ContextoFirma, Firma, FirmaParte, MotivoFirma};
use super::xmldsig::{Examen, Taller};
use crate::context::Context;
use crate::model::recortado;
use crate::report::Finding;

/// The most signatures that are verified besides those of documents; a cession has few.
const MAX_PARTES: usize = 64;

/// Where a signed part says when it was signed.
const HORAS: [&[&str]; 4] = [
    &["Caratula", "TmstFirmaEnv"],
    &["Caratula", "TmstFirmaEnvio"],
    &["TmstCesion"],
    &["TmstFirma"],
];

/// Verifies every signature that isn't a document's own. `propias` are the elements that hold
/// those, in order.
pub(super) fn verificar(
    taller: &mut Taller<'_, '_>,
    propias: &[Id],
    findings: &mut Vec<Finding>,
) -> Vec<FirmaParte> {
    let arbol = taller.arbol;
    let mut partes = Vec::new();
    let mut anterior = None;
    for firma in (0..arbol.elementos.len()).filter(|id| arbol.elemento(*id).local() == "Signature")
    {
        let Some(padre) = arbol.elemento(firma).padre else {
            continue;
        };
        // One signature to a parent; more of them are no more signed.
        if propias.binary_search(&padre).is_ok() || anterior.replace(padre) == Some(padre) {
            continue;
        }
        if partes.len() >= MAX_PARTES {
            let code = &codigos::FIRMA_TRABAJO;
            let texto = format!(
                "El archivo tiene más de {MAX_PARTES} firmas además de las de sus documentos: las otras no se verificaron."
            );
            findings.push(hallazgo(
                code,
                code.severity,
                nombre_de(arbol, padre),
                texto,
            ));
            break;
        }
        partes.push(parte(taller, firma, padre, findings));
    }
    partes
}

fn nombre_de(arbol: &Arbol<'_>, id: Id) -> String {
    recortado(arbol.elemento(id).local())
}

/// Whether the root is an envelope, which has a signature of its own.
pub(super) fn es_sobre(arbol: &Arbol<'_>) -> bool {
    matches!(arbol.elemento(0).local(), "EnvioDTE" | "EnvioBOLETA")
}

/// An envelope without a signature.
pub(super) fn ausente(
    arbol: &Arbol<'_>,
    trust: &Trust,
    context: &Context<'_>,
    findings: &mut Vec<Finding>,
) -> FirmaParte {
    let raiz = arbol.elemento(0).local();
    findings.push(hallazgo(
        &codigos::SOBRE_AUSENTE,
        trust.ausencia(context.mode),
        format!("{raiz}/Signature"),
        "El envío no está firmado: hay que firmarlo antes de enviarlo.".to_owned(),
    ));
    FirmaParte {
        ruta: format!("{raiz}/SetDTE"),
        firma: Firma::Ausente,
    }
}

fn parte(
    taller: &mut Taller<'_, '_>,
    firma: Id,
    padre: Id,
    findings: &mut Vec<Finding>,
) -> FirmaParte {
    let arbol = taller.arbol;
    let firmado = arbol
        .hijos(padre)
        .find(|hijo| arbol.atributo(*hijo, "ID").is_some())
        .unwrap_or(padre);
    let mut examen = taller.examinar(firma, firmado);
    let hora = HORAS.iter().find_map(|camino| arbol.campo(firmado, camino));
    vigencia(&mut examen, hora.as_deref());
    let nombre = |id| nombre_de(arbol, id);
    let ruta = format!("{}/{}", nombre(padre), nombre(firmado));
    for motivo in &examen.fallas {
        let code = match motivo {
            MotivoFirma::Vigencia => &codigos::SOBRE_VIGENCIA,
            MotivoFirma::Trabajo => &codigos::FIRMA_TRABAJO,
            _ => &codigos::SOBRE_FIRMA,
        };
        let texto = format!(
            "{}: {}",
            nombre(padre),
            mensaje(*motivo, &examen, hora.as_deref())
        );
        findings.push(hallazgo(
            code,
            code.severity,
            format!("{}/Signature", nombre(padre)),
            texto,
        ));
    }
    if padre == 0 && es_sobre(arbol) {
        propio_del_sobre(arbol, firmado, &examen, findings);
    }
    FirmaParte {
        ruta,
        firma: examen.estado(),
    }
}

/// What only holds for the signature of an envelope: the parts of a cession are put together
/// from others' files, and nobody expects their namespaces to be the same.
fn propio_del_sobre(arbol: &Arbol<'_>, conjunto: Id, examen: &Examen, findings: &mut Vec<Finding>) {
    let ruta = || format!("{}/Signature", arbol.elemento(0).local());
    if examen.fallas.is_empty() && examen.contexto != ContextoFirma::Suelto {
        let code = &codigos::SOBRE_CONTEXTO;
        let texto = "La firma del envío calza, pero con otros espacios de nombres (xmlns) que los del archivo.";
        findings.push(hallazgo(code, code.severity, ruta(), texto.to_owned()));
    }
    let envia = arbol.campo(conjunto, &["Caratula", "RutEnvia"]);
    let titular = examen.certificado.as_ref().and_then(|suyo| suyo.rut);
    if let (Some(envia), Some(titular)) = (envia, titular)
        && envia != titular.to_string()
    {
        let code = &codigos::SOBRE_TITULAR;
        let texto = format!(
            "La carátula dice que envía {} (RutEnvia) y el certificado que firma es de {titular}.",
            recortado(&envia)
        );
        findings.push(hallazgo(code, code.severity, ruta(), texto));
    }
}
