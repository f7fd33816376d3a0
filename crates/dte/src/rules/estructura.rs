//! Presence, repetition, length, values, forms, ranges and characters, from the tables of the
//! format.
//!
//! Source: formato DTE 2026-02 and formato boletas 2024-12 (what must be there), DTE_v10.xsd
//! and EnvioBOLETA_v11.xsd (forms). The tables are in `crate::estructura`. What the schema
//! forbids is answered ENV-3-0; lengths and ranges are warnings all the same, because real,
//! accepted invoices exceed lengths (GiroEmis, over 80). Eight Acteco where the schema has
//! four were seen too.

use super::{Caso, Rule};
use crate::model::{Desajuste, Falla};
use crate::report::{Code, Findings};
use findings::Severity;

const XSD: &str = "DTE_v10.xsd; EnvioBOLETA_v11.xsd";
const FORMATO: &str = "formato DTE 2026-02; formato boletas 2024-12";
const ESQUEMA: Option<&str> = Some("ENV-3-0");

const fn codigo(
    code: &'static str,
    title: &'static str,
    severity: Severity,
    source: &'static str,
    sii_code: Option<&'static str>,
) -> Code {
    Code {
        code,
        title,
        severity,
        source,
        sii_code,
    }
}

const FALTA: Code = codigo(
    "DTE-CAMPO-FALTA",
    "Falta un dato sin el cual el SII rechaza el documento",
    Severity::Error,
    XSD,
    ESQUEMA,
);
const OBLIGATORIO: Code = codigo(
    "DTE-CAMPO-OBLIGATORIO",
    "Falta un dato que el formato pide para este tipo",
    Severity::Warning,
    FORMATO,
    None,
);
const VACIO: Code = codigo(
    "DTE-CAMPO-VACIO",
    "Un elemento está sin valor y su forma no lo permite",
    Severity::Warning,
    XSD,
    ESQUEMA,
);
const REPETICIONES: Code = codigo(
    "DTE-CAMPO-REPETICIONES",
    "Un elemento está más veces de las que caben",
    Severity::Error,
    XSD,
    ESQUEMA,
);
const LARGO: Code = codigo(
    "DTE-CAMPO-LARGO",
    "Un texto es más largo de lo que cabe",
    Severity::Warning,
    "formato DTE 2026-02; DTE_v10.xsd; EnvioBOLETA_v11.xsd",
    ESQUEMA,
);
const VALOR: Code = codigo(
    "DTE-CAMPO-VALOR",
    "Un valor no es ninguno de los que el formato enumera",
    Severity::Error,
    XSD,
    ESQUEMA,
);
const FORMA: Code = codigo(
    "DTE-CAMPO-FORMA",
    "Un valor no tiene la forma de su campo",
    Severity::Error,
    XSD,
    ESQUEMA,
);
const RANGO: Code = codigo(
    "DTE-CAMPO-RANGO",
    "Un valor está fuera del rango de su campo",
    Severity::Warning,
    XSD,
    ESQUEMA,
);
const DIGITO: Code = codigo(
    "DTE-CAMPO-DIGITO",
    "El dígito verificador de un RUT no corresponde",
    Severity::Warning,
    "formato DTE 2026-02, campos RUT (módulo 11)",
    None,
);
const AJENO: Code = codigo(
    "DTE-CAMPO-AJENO",
    "El formato da este campo sólo a otros tipos de documento",
    Severity::Info,
    FORMATO,
    None,
);
const INEXISTENTE: Code = codigo(
    "DTE-CAMPO-INEXISTENTE",
    "El esquema de este tipo de documento no tiene este elemento aquí",
    Severity::Warning,
    XSD,
    ESQUEMA,
);
pub(super) const LATIN: Code = codigo(
    "DTE-CARACTER-LATIN",
    "Un texto tiene caracteres que no existen en ISO-8859-1",
    Severity::Error,
    "instructivo de emisión 2021-10-28 (ISO-8859-1)",
    ESQUEMA,
);
const CONTROL: Code = codigo(
    "DTE-CARACTER-CONTROL",
    "Un texto tiene caracteres de control",
    Severity::Warning,
    "instructivo de emisión 2021-10-28 (ISO-8859-1)",
    ESQUEMA,
);

const DOS_VECES: Code = codigo(
    "DTE-CARACTER-DOS-VECES",
    "Un texto se codificó dos veces y sus acentos se ven mal",
    Severity::Warning,
    "instructivo de emisión 2021-10-28 (ISO-8859-1)",
    None,
);

pub(super) static RULE: Rule = Rule {
    name: "estructura",
    about: "Presencia, repetición, largo, valores, forma y rango de cada campo según su tipo, y sus caracteres.",
    codes: &[
        &FALTA,
        &OBLIGATORIO,
        &VACIO,
        &REPETICIONES,
        &LARGO,
        &VALOR,
        &FORMA,
        &RANGO,
        &DIGITO,
        &AJENO,
        &INEXISTENTE,
        &LATIN,
        &CONTROL,
        &DOS_VECES,
    ],
    check,
};

fn check(caso: &Caso<'_>, out: &mut Findings) {
    for nota in &caso.documento.lectura.desajustes {
        if out.habla_de(&nota.ruta) || falta_en_vacia(out, nota) {
            continue;
        }
        let (code, mensaje) = hallazgo(nota);
        if tolerado(caso, nota) {
            let severity = code.severity.min(Severity::Warning);
            out.add_as(code, severity, nota.ruta.as_str(), mensaje);
        } else {
            out.add_form(code, nota.ruta.as_str(), mensaje);
        }
    }
}

/// Whether this is missing from a line, discount or reference that is wrong as a whole.
fn falta_en_vacia(out: &Findings, nota: &Desajuste) -> bool {
    matches!(nota.falla, Falla::Falta { .. })
        && nota
            .ruta
            .rsplit_once('/')
            .is_some_and(|(padre, _)| padre.ends_with(']') && out.dice(padre))
}

/// What was seen in accepted documents, or can't be told apart from something harmless.
fn tolerado(caso: &Caso<'_>, nota: &Desajuste) -> bool {
    match nota.falla {
        Falla::Repeticion { .. } => nota.ruta.ends_with("/Acteco"),
        // The tax service reads such a file by its declaration, and sees other characters.
        Falla::Latin { .. } => {
            let codificacion = caso.documento.lectura.codificacion.as_ref();
            codificacion.is_some_and(|codificacion| !codificacion.coincide())
        }
        _ => false,
    }
}

fn hallazgo(nota: &Desajuste) -> (&'static Code, String) {
    let nombre = nota.ruta.rsplit('/').next().unwrap_or_default();
    match &nota.falla {
        Falla::Falta { rechazo: true } => (
            &FALTA,
            format!("Falta {nombre}: el SII rechaza el documento sin ese dato."),
        ),
        Falla::Falta { rechazo: false } => (
            &OBLIGATORIO,
            format!("Falta {nombre}, que el formato pide en este tipo de documento."),
        ),
        Falla::Vacio => (
            &VACIO,
            format!("{nombre} está sin valor: se omite el elemento o se llena."),
        ),
        Falla::Repeticion { veces, maximo } => (
            &REPETICIONES,
            format!("{nombre} está {veces} veces; el máximo es {maximo}."),
        ),
        Falla::Largo { largo, maximo } => (
            &LARGO,
            format!(
                "{nombre} tiene {largo} caracteres; el máximo es {maximo}: sobran {}.",
                largo.saturating_sub(usize::from(*maximo))
            ),
        ),
        Falla::Valor { texto, valores } => (
            &VALOR,
            format!("{nombre} dice «{texto}»; debe ser {}.", enumerar(valores)),
        ),
        Falla::Forma { texto, esperado } => (
            &FORMA,
            format!("{nombre} dice «{texto}»; debe ser {esperado}."),
        ),
        Falla::Rango { texto, esperado } => (
            &RANGO,
            format!("{nombre} dice «{texto}»; debe ser {esperado}."),
        ),
        Falla::Digito { texto, esperado } => (
            &DIGITO,
            format!("El dígito verificador de {nombre}, «{texto}», debería ser {esperado}."),
        ),
        Falla::Ajena => (
            &AJENO,
            format!("{nombre} no se usa en este tipo de documento."),
        ),
        Falla::Inexistente => (
            &INEXISTENTE,
            format!("El esquema de este tipo de documento no tiene {nombre} en este lugar."),
        ),
        Falla::Latin { caracteres } => (&LATIN, latin(nombre, caracteres)),
        Falla::DosVeces { trozo } => (
            &DOS_VECES,
            format!(
                "{nombre} tiene «{trozo}», una letra con acento que se codificó dos veces: quien lo lea la verá mal."
            ),
        ),
        Falla::Control { codigo } => (
            &CONTROL,
            format!("{nombre} tiene un carácter de control (U+{codigo:04X}) que nadie ve."),
        ),
    }
}

/// What a text says that ISO-8859-1 can't hold.
pub(super) fn latin(nombre: &str, caracteres: &str) -> String {
    if caracteres.contains(char::REPLACEMENT_CHARACTER) {
        return format!(
            "{nombre} tiene letras perdidas («{}»): se estropearon al cambiar de codificación.",
            char::REPLACEMENT_CHARACTER
        );
    }
    let lista: Vec<String> = caracteres
        .chars()
        .map(|c| format!("«{c}» (U+{:04X})", u32::from(c)))
        .collect();
    format!(
        "{nombre} tiene caracteres que no existen en ISO-8859-1: {}.",
        lista.join(", ")
    )
}

/// `A, B o C`; the first of a long list.
fn enumerar(valores: &[&str]) -> String {
    const VARIOS: usize = 12;
    if valores.len() > VARIOS {
        let primeros = valores.get(..VARIOS).unwrap_or_default();
        return format!("uno de la tabla del SII ({}…)", primeros.join(", "));
    }
    match valores {
        [resto @ .., ultimo] if !resto.is_empty() => format!("{} o {ultimo}", resto.join(", ")),
        _ => valores.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::rules::pruebas::{completos, documento, hallazgos_en, hoy};

    #[test]
    fn every_kind_of_note_becomes_a_finding_of_its_own() {
        let fallas = [
            Falla::Falta { rechazo: true },
            Falla::Falta { rechazo: false },
            Falla::Vacio,
            Falla::Repeticion {
                veces: 6,
                maximo: 5,
            },
            Falla::Largo {
                largo: 98,
                maximo: 80,
            },
            Falla::Valor {
                texto: "9".into(),
                valores: &["1", "2", "3"],
            },
            Falla::Forma {
                texto: "x".into(),
                esperado: "un número",
            },
            Falla::Rango {
                texto: "0".into(),
                esperado: "un entero entre 1 y 99".into(),
            },
            Falla::Digito {
                texto: "76192083-8".into(),
                esperado: '9',
            },
            Falla::Ajena,
            Falla::Inexistente,
            Falla::Latin {
                caracteres: "’".into(),
            },
            Falla::Control { codigo: 0x85 },
            Falla::DosVeces {
                trozo: "Ã³".into()
            },
        ];
        assert_eq!(fallas.len(), RULE.codes.len());
        let mut doc = documento(33);
        for (indice, falla) in fallas.into_iter().enumerate() {
            doc.lectura
                .desajuste(|_| format!("Documento/Campo{indice}"), falla);
        }
        let hallados = completos(&RULE, &doc, &Context::emission(hoy()));
        let codigos: Vec<&str> = hallados.iter().map(|finding| finding.code).collect();
        let todos: Vec<&str> = RULE.codes.iter().map(|code| code.code).collect();
        assert_eq!(codigos, todos);
        assert_eq!(
            hallados[4].message,
            "Campo4 tiene 98 caracteres; el máximo es 80: sobran 18."
        );
        assert_eq!(hallados[5].message, "Campo5 dice «9»; debe ser 1, 2 o 3.");
        let recibido = hallazgos_en(&RULE, &doc, &Context::reception(hoy()));
        assert!(recibido.iter().all(|(_, s)| *s < Severity::Error));
    }

    #[test]
    fn a_long_list_of_values_is_cut() {
        let valores: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        let valores: Vec<&str> = valores.iter().map(String::as_str).collect();
        assert!(enumerar(&valores).ends_with("11…)"));
        assert_eq!(enumerar(&["R"]), "R");
    }
}
