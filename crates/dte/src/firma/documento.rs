//! The signature of one document, told in findings.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::caso::Caso;
use super::codigos;
use super::resultado::{ContextoFirma, Firma, MotivoFirma};
use super::timbre::momento;
use super::x509::Certificado;
use super::xmldsig::{Examen, Taller};
use crate::model::recortado;
use crate::report::Code;

const RUTA: &str = "Signature";

/// Verifies the signature that stands beside a document's body.
pub(super) fn verificar(caso: &mut Caso<'_>, taller: &mut Taller<'_, '_>) -> Firma {
    let padre = caso.arbol.elemento(caso.cuerpo).padre;
    let Some(firma) = padre.and_then(|dte| caso.arbol.hijo(dte, "Signature")) else {
        let severity = caso.trust.ausencia(caso.context.mode);
        decir(
            caso,
            &codigos::FIRMA_AUSENTE,
            Some(severity),
            "El documento no está firmado: hay que firmarlo antes de enviarlo.".to_owned(),
        );
        return Firma::Ausente;
    };
    let mut examen = taller.examinar(firma, caso.cuerpo);
    let firmado = caso.documento.tmst_firma.clone();
    vigencia(&mut examen, firmado.as_deref());
    for motivo in &examen.fallas {
        let (code, mensaje) = motivo_en_palabras(*motivo, &examen, firmado.as_deref());
        decir(caso, code, None, mensaje);
    }
    if examen.fallas.is_empty() {
        contexto(caso, examen.contexto);
    }
    let anonimo = examen
        .certificado
        .as_ref()
        .is_some_and(|suyo| suyo.rut.is_none());
    if anonimo {
        decir(
            caso,
            &codigos::FIRMA_TITULAR,
            None,
            "El certificado no dice el RUT de su titular: el SII no puede saber quién firma."
                .to_owned(),
        );
    }
    examen.estado()
}

/// Beside the body, and so not below it.
fn decir(caso: &mut Caso<'_>, code: &Code, severity: Option<findings::Severity>, mensaje: String) {
    let path = format!("{}{RUTA}", caso.documento.lectura.prefijo);
    let severity = severity.unwrap_or(code.severity);
    caso.findings
        .push(super::caso::hallazgo(code, severity, path, mensaje));
}

/// Adds a failure where the certificate was not valid at the time that the document states:
/// a local time without its zone, by a clock that nobody checks, so that a day is allowed.
pub(super) fn vigencia(examen: &mut Examen, firmado: Option<&str>) {
    let Some(certificado) = &examen.certificado else {
        return;
    };
    let Some(dia) = firmado.and_then(momento).map(|momento| momento.date()) else {
        return;
    };
    let margen = |dia: Date, dias: i64| dia.checked_add(dias.days()).unwrap_or(dia);
    if dia < margen(certificado.desde, -1) || dia > margen(certificado.hasta, 1) {
        examen.fallas.push(MotivoFirma::Vigencia);
    }
}

/// The code of a failure, and what a person should know.
fn motivo_en_palabras(
    motivo: MotivoFirma,
    examen: &Examen,
    firmado: Option<&str>,
) -> (&'static Code, String) {
    let code = match motivo {
        MotivoFirma::Estructura | MotivoFirma::Algoritmo => &codigos::FIRMA_FORMA,
        MotivoFirma::Referencia => &codigos::FIRMA_REFERENCIA,
        MotivoFirma::Contenido => &codigos::FIRMA_CONTENIDO,
        MotivoFirma::Espacios => &codigos::FIRMA_ESPACIOS,
        MotivoFirma::Valor => &codigos::FIRMA_VALOR,
        MotivoFirma::Certificado => &codigos::FIRMA_CERTIFICADO,
        MotivoFirma::Llave => &codigos::FIRMA_LLAVE,
        MotivoFirma::Vigencia => &codigos::FIRMA_VIGENCIA,
        MotivoFirma::Trabajo => &codigos::FIRMA_TRABAJO,
    };
    (code, mensaje(motivo, examen, firmado))
}

/// What a failure means, in a Spanish sentence; the same for a document and an envelope.
pub(super) fn mensaje(motivo: MotivoFirma, examen: &Examen, firmado: Option<&str>) -> String {
    let fijo = match motivo {
        MotivoFirma::Estructura => {
            "La firma está incompleta o no se puede leer: le falta SignedInfo, una única Reference con su DigestValue, SignatureValue o la llave."
        }
        MotivoFirma::Algoritmo => {
            "La firma usa un algoritmo que el SII no acepta: se pide C14N 1.0 y SHA-1 (o SHA-256) con RSA."
        }
        MotivoFirma::Referencia => {
            "La firma no se refiere a lo que acompaña: su Reference debe decir «#» seguido del ID de ese elemento."
        }
        MotivoFirma::Contenido => return contenido(examen),
        MotivoFirma::Espacios => {
            "Después de firmar cambiaron los espacios o saltos de línea: los datos son los firmados, pero el archivo se indentó o se volvió a escribir. Hay que enviar los bytes que se firmaron."
        }
        MotivoFirma::Valor => {
            "La firma (SignatureValue) no se hizo con la llave que declara (KeyInfo): se cambió el certificado o la firma."
        }
        MotivoFirma::Certificado => {
            "El certificado de la firma (X509Certificate) no se puede leer: no es base64 o no es un certificado X.509."
        }
        MotivoFirma::Llave => {
            "La llave que declara la firma (RSAKeyValue) no es la del certificado que la acompaña."
        }
        MotivoFirma::Vigencia => return fuera_de_vigencia(examen.certificado.as_ref(), firmado),
        MotivoFirma::Trabajo => {
            "La firma no se alcanzó a verificar: el archivo repite tanto contenido firmado que tomaría demasiado trabajo."
        }
    };
    fijo.to_owned()
}

fn contenido(examen: &Examen) -> String {
    let (declarado, propio) = examen
        .resumenes
        .as_ref()
        .map_or(("", ""), |(declarado, propio)| {
            (declarado.as_str(), propio.as_str())
        });
    format!(
        "El contenido cambió después de firmar: la firma es sobre un contenido de resumen {} y el del archivo es {}. Hay que volver a firmar.",
        recortado(declarado),
        recortado(propio)
    )
}

fn fuera_de_vigencia(certificado: Option<&Certificado>, firmado: Option<&str>) -> String {
    let Some(certificado) = certificado else {
        return String::new();
    };
    format!(
        "El certificado de la firma vale del {} al {} y se firmó el {}.",
        certificado.desde,
        certificado.hasta,
        recortado(firmado.unwrap_or_default())
    )
}

fn contexto(caso: &mut Caso<'_>, contexto: ContextoFirma) {
    let (code, mensaje) = match contexto {
        ContextoFirma::Suelto => return,
        ContextoFirma::Sobre => (
            &codigos::FIRMA_CONTEXTO,
            "La firma sólo calza con los espacios de nombres que el documento hereda del sobre (xmlns:xsi): el SII verifica cada DTE como fragmento suelto y puede rechazarla. Hay que firmar el DTE antes de ponerlo en el sobre.",
        ),
        ContextoFirma::Ajeno => (
            &codigos::FIRMA_ESPACIO_NOMBRES,
            "La firma calza, pero con otros espacios de nombres (xmlns) que los que el documento tiene en este archivo: se firmó dentro de otro sobre, o sin el xmlns que hoy tiene.",
        ),
        ContextoFirma::OtraCodificacion => (
            &codigos::FIRMA_CODIFICACION,
            "La firma sólo calza si el archivo se lee en la codificación que declara, y sus bytes están en otra: quien lo lea bien verá la firma inválida.",
        ),
    };
    decir(caso, code, None, mensaje.to_owned());
}
