//! How much a change matters to who sends tax documents from an ERP, by the words it uses.

use crate::text::folded;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// To know.
    Bajo,
    /// To look into.
    Medio,
    /// To act on.
    Alto,
}

impl Level {
    /// The word as the contract's `impacto.nivel` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bajo => "bajo",
            Self::Medio => "medio",
            Self::Alto => "alto",
        }
    }

    /// The level of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Bajo, Self::Medio, Self::Alto]
            .into_iter()
            .find(|level| level.as_str() == word)
    }
}

/// A part of an ERP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// Issuing tax documents.
    Emision,
    /// Receiving them, and claims.
    Recepcion,
    /// Boletas.
    Boletas,
    /// Dispatch guides.
    Guias,
    /// Numbers (CAF).
    Folios,
    /// Certificates, stamps and signatures.
    Firma,
    /// The books and the register of purchases and sales.
    Libros,
    /// Payroll.
    Remuneraciones,
    /// Figures such as UF and UTM.
    Indicadores,
    /// Income tax and declarations.
    Declaraciones,
}

impl Component {
    /// The word as the contract's `componentes_afectados` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Emision => "emision",
            Self::Recepcion => "recepcion",
            Self::Boletas => "boletas",
            Self::Guias => "guias_despacho",
            Self::Folios => "folios_caf",
            Self::Firma => "firma_electronica",
            Self::Libros => "libros_rcv",
            Self::Remuneraciones => "remuneraciones",
            Self::Indicadores => "indicadores",
            Self::Declaraciones => "declaraciones",
        }
    }
}

/// What the rules make of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impact {
    /// How much it matters.
    pub nivel: Level,
    /// What of an ERP it touches.
    pub componentes: Vec<Component>,
    /// Whether software must be certified again.
    pub requiere_certificacion: bool,
    /// Whether documents that were right become wrong.
    pub breaking: bool,
    /// Which words say so, in Spanish.
    pub justificacion: String,
}

const COMPONENTS: &[(Component, &[&str])] = &[
    (
        Component::Emision,
        &[
            "factura electronica",
            "documentos tributarios electronicos",
            "documento tributario electronico",
            "formato dte",
            "formato de los documentos",
            "nota de credito",
            "notas de credito",
            "nota de debito",
            "emision de documentos",
            "liquidacion factura",
            "factura de compra",
            "factura de exportacion",
        ],
    ),
    (
        Component::Recepcion,
        &[
            "acuse de recibo",
            "reclamo",
            "intercambio de dte",
            "receptor electronico",
            "recepcion de documentos",
            "ley 19.983",
            "cesion",
        ],
    ),
    (
        Component::Boletas,
        &["boleta", "vale electronico", "voucher"],
    ),
    (
        Component::Guias,
        &[
            "guia de despacho",
            "guias de despacho",
            "traslado de bienes",
        ],
    ),
    (
        Component::Folios,
        &[
            "folio",
            "caf ",
            "codigo de autorizacion de folios",
            "timbraje",
        ],
    ),
    (
        Component::Firma,
        &[
            "certificado digital",
            "firma electronica",
            "timbre electronico",
            "xml-dsig",
        ],
    ),
    (
        Component::Libros,
        &[
            "registro de compras y ventas",
            "rcv",
            "libro de compras",
            "libro de ventas",
            "informacion electronica de compras",
        ],
    ),
    (
        Component::Remuneraciones,
        &[
            "impuesto unico de segunda categoria",
            "remuneraciones",
            "sueldos",
            "cotizaciones",
            "libro de remuneraciones",
        ],
    ),
    (
        Component::Indicadores,
        &[
            "utm",
            "uta",
            "unidad de fomento",
            "unidad tributaria",
            "valor de la uf",
            "tabla de impuesto",
        ],
    ),
    (
        Component::Declaraciones,
        &[
            "declaracion jurada",
            "declaraciones juradas",
            "operacion renta",
            "formulario 29",
            "formulario 22",
            "f29",
            "f22",
        ],
    ),
];

const CERTIFICATION: &[&str] = &[
    "certificacion",
    "certificarse",
    "certificar",
    "set de pruebas",
    "ambiente de pruebas",
    "proceso de postulacion",
];

const BREAKING: &[&str] = &[
    "sera rechazad",
    "seran rechazad",
    "se rechazara",
    "rechazo",
    "obligatori",
    "nuevo esquema",
    "nueva version del esquema",
    "nueva version del formato",
    "deja de",
    "dejan de",
    "se elimina",
    "deroga",
    "reemplaza",
    "sustituye",
    "modifica el formato",
    "no se aceptara",
    "debera incluir",
    "deberan incluir",
    "campo obligatorio",
];

const MATTERS: &[&str] = &[
    "modifica",
    "deberan",
    "debera",
    "nuevo",
    "nueva",
    "incorpora",
    "agrega",
    "actualiza",
    "prorroga",
    "plazo",
    "instruye",
    "establece",
];

/// What the rules make of a text (title, summary, and what of it is new).
#[must_use]
pub fn impact(text: &str) -> Impact {
    let low = folded(text);
    let has = |words: &[&'static str]| -> Vec<&'static str> {
        let found = words.iter().filter(|word| contains_word(&low, word));
        found.copied().collect()
    };
    let componentes: Vec<Component> = COMPONENTS
        .iter()
        .filter(|(_, words)| !has(words).is_empty())
        .map(|(component, _)| *component)
        .collect();
    let technical = componentes
        .iter()
        .any(|component| !matches!(component, Component::Indicadores | Component::Declaraciones));
    let certification = has(CERTIFICATION);
    let breaking = has(BREAKING);
    let matters = has(MATTERS);
    let requiere_certificacion = technical && !certification.is_empty();
    let breaks = technical && !breaking.is_empty();
    let nivel = if breaks || requiere_certificacion {
        Level::Alto
    } else if !(componentes.is_empty() || matters.is_empty() && breaking.is_empty()) {
        Level::Medio
    } else {
        Level::Bajo
    };
    Impact {
        nivel,
        justificacion: reason(&componentes, &[certification, breaking, matters].concat()),
        componentes,
        requiere_certificacion,
        breaking: breaks,
    }
}

/// Whether a word or the beginning of one is in a text, not the middle of another.
fn contains_word(low: &str, word: &str) -> bool {
    low.match_indices(word).any(|(at, _)| {
        low.get(..at)
            .and_then(|head| head.chars().next_back())
            .is_none_or(|c| !c.is_alphanumeric())
    })
}

fn reason(componentes: &[Component], words: &[&str]) -> String {
    if componentes.is_empty() {
        return "El texto no nombra ninguna parte de un ERP.".to_owned();
    }
    let parts: Vec<&str> = componentes.iter().map(|part| part.as_str()).collect();
    let mut text = format!("Toca {}", parts.join(", "));
    if !words.is_empty() {
        let quoted: Vec<String> = words
            .iter()
            .take(4)
            .map(|word| format!("«{}»", word.trim()))
            .collect();
        text.push_str("; dice ");
        text.push_str(&quoted.join(", "));
    }
    text.push('.');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_its_words() {
        for (text, nivel, certificacion, breaking) in [
            (
                "Establece nueva versión del formato DTE; será obligatoria y los emisores deberán certificarse.",
                Level::Alto,
                true,
                true,
            ),
            (
                "Instruye sobre la emisión de boletas en el comercio.",
                Level::Medio,
                false,
                false,
            ),
            (
                "Modifica la declaración jurada N° 1887.",
                Level::Medio,
                false,
                false,
            ),
            (
                "Nombra director regional subrogante.",
                Level::Bajo,
                false,
                false,
            ),
            (
                "La declaración jurada será obligatoria.",
                Level::Medio,
                false,
                false,
            ),
        ] {
            let impact = impact(text);
            assert_eq!(
                (impact.nivel, impact.requiere_certificacion, impact.breaking),
                (nivel, certificacion, breaking),
                "{text}: {impact:?}"
            );
        }
    }

    #[test]
    fn a_word_within_another_is_none() {
        assert_eq!(impact("El carnívoro y la rutm.").componentes, []);
        assert_eq!(
            impact("El valor de la UTM de mayo.").componentes,
            [Component::Indicadores]
        );
    }
}
