//! The encoding that a file declares against the one it has.
//!
//! Source: instructivo de emisión 2021 (ISO-8859-1); the stamp is calculated over ISO-8859-1
//! bytes, so that a mislabelled file shows wrong characters or fails its stamp.

use super::{Caso, Rule};
use crate::report::{Code, Findings};
use findings::Severity;

const DISTINTA: Code = Code {
    code: "DTE-CODIFICACION-DISTINTA",
    title: "El archivo declara una codificación y está en otra",
    severity: Severity::Warning,
    source: "instructivo de emisión 2021-10-28; formato DTE 2026-02",
    sii_code: Some("ENV-3-0"),
};

pub(super) static RULE: Rule = Rule {
    name: "codificacion",
    about: "La codificación declarada y la real.",
    codes: &[&DISTINTA],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    let Some(codificacion) = &caso.documento.lectura.codificacion else {
        return;
    };
    if codificacion.coincide() {
        return;
    }
    let declarada = codificacion
        .declarada
        .as_deref()
        .unwrap_or("nada (o sea, UTF-8)");
    let mensaje = format!(
        "El XML declara {declarada}, pero está en {}: el SII leería mal los acentos y el timbre.",
        codificacion.real.nombre()
    );
    out.add_form(&DISTINTA, caso.ruta("").trim_end_matches('/'), mensaje);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codificacion::{Charset, Codificacion};
    use crate::rules::pruebas::{documento, hallazgos};

    #[test]
    fn a_wrong_label_is_said() {
        for (declarada, real, esperado) in [
            (Some("iso-8859-1"), Charset::Iso8859_1, 0),
            (Some("iso-8859-1"), Charset::Utf8, 1),
            (Some("utf-8"), Charset::Iso8859_1, 1),
            (Some("iso-8859-1"), Charset::Ascii, 0),
            (None, Charset::Windows1252, 1),
        ] {
            let mut doc = documento(33);
            doc.lectura.codificacion = Some(Codificacion {
                declarada: declarada.map(str::to_owned),
                real,
                bom: false,
            });
            assert_eq!(
                hallazgos(&RULE, &doc).len(),
                esperado,
                "{declarada:?} {real:?}"
            );
        }
    }
}
