//! What the reader couldn't read, and what stands where the format has no place for it.
//!
//! Source: formato DTE (forms of fields); DTE_v10.xsd and EnvioBOLETA_v11.xsd (places).
//! The tax service checks the schema first and refuses the whole submission (ENV-3-0).

use super::{Caso, Rule};
use crate::model::Motivo;
use crate::report::{Code, Findings};
use findings::Severity;

const ILEGIBLE: Code = Code {
    code: "DTE-CAMPO-ILEGIBLE",
    title: "Un campo no tiene la forma que le corresponde",
    severity: Severity::Error,
    source: "formato DTE 2026-02, forma de los campos; DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};
const FUERA_DE_LUGAR: Code = Code {
    code: "DTE-ESTRUCTURA-LUGAR",
    title: "Un elemento está fuera de su lugar",
    severity: Severity::Error,
    source: "DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};
const DESCONOCIDO: Code = Code {
    code: "DTE-ESTRUCTURA-DESCONOCIDO",
    title: "Un elemento no existe en el formato",
    severity: Severity::Warning,
    source: "DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};
const REPETIDO: Code = Code {
    code: "DTE-ESTRUCTURA-REPETIDO",
    title: "Un elemento que va una vez está repetido",
    severity: Severity::Error,
    source: "DTE_v10.xsd",
    sii_code: Some("ENV-3-0"),
};
const AJUSTADO: Code = Code {
    code: "DTE-CAMPO-NORMALIZADO",
    title: "Un valor se entendió, pero está escrito de otra forma",
    severity: Severity::Info,
    source: "formato DTE 2026-02, forma de los campos",
    sii_code: None,
};

pub(super) static RULE: Rule = Rule {
    name: "lectura",
    about: "Campos que no se pueden leer y elementos fuera de su lugar.",
    codes: &[
        &ILEGIBLE,
        &FUERA_DE_LUGAR,
        &DESCONOCIDO,
        &REPETIDO,
        &AJUSTADO,
    ],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let lectura = &caso.documento.lectura;
    for nota in &lectura.ilegibles {
        let mensaje = format!("«{}» no es {}.", nota.texto, nota.esperado);
        out.add_form(&ILEGIBLE, nota.ruta.as_str(), mensaje);
    }
    for nota in &lectura.extranos {
        let nombre = nota.ruta.rsplit('/').next().unwrap_or_default();
        let (code, que) = match nota.motivo {
            Motivo::FueraDeLugar => (
                &FUERA_DE_LUGAR,
                "está fuera de su lugar y no se tomó en cuenta",
            ),
            Motivo::Desconocido => (
                &DESCONOCIDO,
                "no existe en el formato del SII en este lugar",
            ),
            Motivo::Repetido => (
                &REPETIDO,
                "está repetido: a lo más se tomó en cuenta el primero",
            ),
        };
        out.add_form(code, nota.ruta.as_str(), format!("«{nombre}» {que}."));
    }
    for nota in &lectura.ajustes {
        let mensaje = format!("«{}» se leyó como «{}».", nota.texto, nota.leido);
        out.add(&AJUSTADO, nota.ruta.as_str(), mensaje);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::rules::pruebas::{documento, hallazgos, hallazgos_en, hoy};

    #[test]
    fn notes_become_findings_one_each() {
        let mut doc = documento(33);
        assert_eq!(hallazgos(&RULE, &doc), []);
        doc.lectura.ilegible(
            |_| "Documento/Encabezado/IdDoc/FchEmis".into(),
            "ayer",
            "una fecha",
        );
        doc.lectura
            .extrano(|_| "Documento/Totales".into(), Motivo::FueraDeLugar);
        doc.lectura
            .extrano(|_| "Documento/Detalle[1]/Linea".into(), Motivo::Desconocido);
        doc.lectura
            .ajuste(|_| "rut_emisor".into(), "76.192.083-9", "76192083-9".into());
        assert_eq!(
            hallazgos(&RULE, &doc),
            [
                ("DTE-CAMPO-ILEGIBLE", Severity::Error),
                ("DTE-ESTRUCTURA-LUGAR", Severity::Error),
                ("DTE-ESTRUCTURA-DESCONOCIDO", Severity::Warning),
                ("DTE-CAMPO-NORMALIZADO", Severity::Info),
            ]
        );
        let recibido = hallazgos_en(&RULE, &doc, &Context::reception(hoy()));
        assert_eq!(recibido[0], ("DTE-CAMPO-ILEGIBLE", Severity::Warning));
    }
}
