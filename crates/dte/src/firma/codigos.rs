//! The kinds of finding about stamps, signatures and covers.
//!
//! Sources: the manual of the DTE (section on the stamp), instructivo de emisión 2021-10-28,
//! xmldsignature_v10.xsd, EnvioDTE_v10.xsd, files of cessions that verify; the tax service's codes were seen in the field.

use crate::report::Code;
use findings::Severity;

const TED: &str = "formato DTE 2026-02, TED; instructivo de emisión 2021-10-28";
const DSIG: &str = "xmldsignature_v10.xsd; instructivo de emisión 2021-10-28";
const AEC: &str = "archivos de cesión verificados";
const CARATULA: &str = "EnvioDTE_v10.xsd y EnvioBOLETA_v11.xsd, Caratula";

macro_rules! codigos {
    ($($nombre:ident, $codigo:expr, $titulo:expr, $severidad:ident, $fuente:expr, $sii:expr;)*) => {
        $(pub(super) static $nombre: Code = Code {
            code: $codigo,
            title: $titulo,
            severity: Severity::$severidad,
            source: $fuente,
            sii_code: $sii,
        };)*

        /// Every kind of finding that [`verify`](super::verify) makes.
        pub static CODES: &[&Code] = &[$(&$nombre),*];
    };
}

codigos! {
    TIMBRE_AUSENTE, "DTE-TIMBRE-AUSENTE", "El documento no tiene timbre electrónico", Info, TED, Some("ENV-3-0");
    TIMBRE_FORMA, "DTE-TIMBRE-FORMA", "El timbre está incompleto o no se puede leer", Error, TED, Some("TED-2-510");
    TIMBRE_FIRMA, "DTE-TIMBRE-FIRMA", "La firma del timbre no corresponde a su contenido", Error, TED, Some("TED-2-510");
    TIMBRE_BYTES, "DTE-TIMBRE-BYTES", "La firma del timbre se hizo sobre otra escritura del mismo contenido", Warning, TED, Some("TED-2-510");
    TIMBRE_CAMPO, "DTE-TIMBRE-CAMPO", "Un dato del timbre no es el del documento", Error, TED, Some("TED-2-510");
    TIMBRE_TEXTO, "DTE-TIMBRE-TEXTO", "Un nombre del timbre no es el del documento", Warning, TED, Some("TED-2-510");
    TIMBRE_FECHA, "DTE-TIMBRE-FECHA", "La hora del timbre no es posible", Warning, TED, None;
    CAF_RANGO, "DTE-CAF-RANGO", "El folio está fuera del rango autorizado por el CAF", Error, TED, None;
    CAF_TIPO, "DTE-CAF-TIPO", "El CAF autoriza otro tipo de documento", Error, TED, None;
    CAF_EMISOR, "DTE-CAF-EMISOR", "El CAF es de otro emisor", Error, TED, None;
    CAF_RAZON, "DTE-CAF-RAZON", "La razón social no es la del CAF", Info, TED, Some("HED-1-863");
    CAF_VENCIDO, "DTE-CAF-VENCIDO", "El CAF había vencido", Error, "preguntas frecuentes del SII: vigencia de 6 meses", Some("CAF-3-517");
    CAF_FECHA, "DTE-CAF-FECHA", "El documento es anterior a la autorización de su folio", Info, TED, Some("HED-3-305");
    CAF_FIRMA, "DTE-CAF-FIRMA", "El SII no firmó este CAF", Error, TED, Some("TED-2-510");
    FIRMA_AUSENTE, "DTE-FIRMA-AUSENTE", "El documento no está firmado", Info, DSIG, Some("ENV-3-0");
    FIRMA_FORMA, "DTE-FIRMA-FORMA", "La firma está incompleta o no se puede leer", Error, DSIG, Some("DTE-3-505");
    FIRMA_REFERENCIA, "DTE-FIRMA-REFERENCIA", "La firma no se refiere a este documento", Error, DSIG, Some("DTE-3-505");
    FIRMA_CONTENIDO, "DTE-FIRMA-CONTENIDO", "El contenido cambió después de firmarse", Error, DSIG, Some("DTE-3-505");
    FIRMA_ESPACIOS, "DTE-FIRMA-ESPACIOS", "Los espacios o saltos de línea cambiaron después de firmarse", Error, DSIG, Some("DTE-3-505");
    FIRMA_CONTEXTO, "DTE-FIRMA-CONTEXTO", "La firma sólo calza con los espacios de nombres del sobre", Warning, DSIG, Some("DTE-3-505");
    FIRMA_ESPACIO_NOMBRES, "DTE-FIRMA-NAMESPACE", "La firma se hizo con otros espacios de nombres que los del archivo", Info, DSIG, Some("DTE-3-505");
    FIRMA_CODIFICACION, "DTE-FIRMA-CODIFICACION", "La firma sólo calza si el archivo se lee en otra codificación", Warning, DSIG, Some("DTE-3-505");
    FIRMA_VALOR, "DTE-FIRMA-VALOR", "La firma no se hizo con la llave que declara", Error, DSIG, Some("DTE-3-505");
    FIRMA_CERTIFICADO, "DTE-FIRMA-CERTIFICADO", "El certificado de la firma no se puede leer", Error, DSIG, Some("DTE-3-505");
    FIRMA_LLAVE, "DTE-FIRMA-LLAVE", "La llave de la firma no es la del certificado", Error, DSIG, Some("DTE-3-505");
    FIRMA_VIGENCIA, "DTE-FIRMA-VIGENCIA", "El certificado no estaba vigente al firmar", Error, DSIG, None;
    FIRMA_TITULAR, "DTE-FIRMA-TITULAR", "El certificado no dice el RUT de su titular", Info, DSIG, None;
    FIRMA_TRABAJO, "DTE-FIRMA-TRABAJO", "La firma no se alcanzó a verificar", Warning, DSIG, None;
    SOBRE_AUSENTE, "DTE-SOBRE-AUSENTE", "El envío no está firmado", Info, DSIG, Some("ENV-3-0");
    SOBRE_FIRMA, "DTE-SOBRE-FIRMA", "La firma del envío no es válida", Error, DSIG, None;
    SOBRE_VIGENCIA, "DTE-SOBRE-VIGENCIA", "El certificado no estaba vigente al firmar el envío", Error, DSIG, None;
    SOBRE_CONTEXTO, "DTE-SOBRE-CONTEXTO", "La firma del envío se hizo con otros espacios de nombres", Info, DSIG, None;
    SOBRE_TITULAR, "DTE-SOBRE-TITULAR", "Quien firma el envío no es quien lo envía", Warning, DSIG, Some("ENV-3-6");
    CARATULA_AUSENTE, "DTE-CARATULA-AUSENTE", "El envío no tiene carátula", Error, CARATULA, Some("ENV-3-0");
    CARATULA_SUBTOTAL, "DTE-CARATULA-SUBTOTAL", "La carátula cuenta otra cantidad de documentos", Error, CARATULA, None;
    CARATULA_EMISOR, "DTE-CARATULA-EMISOR", "El emisor de la carátula no es el de los documentos", Error, CARATULA, None;
    CARATULA_RESOLUCION, "DTE-CARATULA-RESOLUCION", "La resolución de la carátula está mal escrita", Error, CARATULA, Some("CRT-3-19");
    CESION_DOCUMENTO, "DTE-CESION-DOCUMENTO", "La cesión no es de este documento", Error, AEC, None;
    CESION_MONTO, "DTE-CESION-MONTO", "Se cede más que el total del documento", Error, AEC, None;
    CESION_CADENA, "DTE-CESION-CADENA", "Las cesiones no se siguen unas a otras", Warning, AEC, None;
    CESION_CARATULA, "DTE-CESION-CARATULA", "La carátula no es la de la última cesión", Warning, AEC, None;
    CARATULA_RECEPTOR, "DTE-CARATULA-RECEPTOR", "La carátula no va dirigida al SII", Info, CARATULA, None;
}

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::RULES;

    #[test]
    fn codes_are_unique_also_among_the_rules() {
        let reglas = RULES.iter().flat_map(|rule| rule.codes);
        let mut todos: Vec<&str> = CODES.iter().chain(reglas).map(|code| code.code).collect();
        todos.sort_unstable();
        let cuantos = todos.len();
        todos.dedup();
        assert_eq!(todos.len(), cuantos);
        assert!(todos.iter().all(|code| code.starts_with("DTE-")));
    }
}
