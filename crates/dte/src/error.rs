//! What a reader refuses, and how to say it to a person.

use std::fmt;

use findings::ShapeError;

/// Why bytes or text are no tax document that can be read.
///
/// It is always the sender's fault and asking again with the same input never helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    kind: ReadErrorKind,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// There is nothing in it but white space.
    Empty,
    /// It is larger than [`Limits::bytes`](crate::Limits::bytes).
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// It is something else than XML.
    NotXml(NotXml),
    /// It is XML, but not well formed.
    Malformed {
        /// The line where it was noticed, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there, in Spanish.
        detail: &'static str,
    },
    /// It has a document type declaration (DTD), which no tax document has.
    Doctype,
    /// It uses an entity that XML doesn't predefine.
    Entity {
        /// The entity's name, cut at 80 characters.
        name: String,
    },
    /// It goes over one of [`Limits`](crate::Limits)' bounds.
    Limit(Bound),
    /// It is XML of another kind.
    OtherXml {
        /// What it seems to be.
        found: Found,
        /// The root element's name, cut at 80 characters.
        root: String,
    },
    /// It is an envelope without a document in it.
    NoDocument {
        /// The root element's name.
        root: String,
    },
    /// It is no JSON.
    JsonSyntax {
        /// The line where it was noticed, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// It is JSON, but not of the contract's shape; holds every place where it isn't.
    JsonShape(Vec<ShapeError>),
}

/// What a file is that is no XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotXml {
    /// A web page, often an error page or a log-in form saved as XML.
    Html,
    /// A JSON text.
    Json,
    /// A PDF.
    Pdf,
    /// A ZIP or gzip archive.
    Archive,
    /// Text in base64: the caller forgot to decode it.
    Base64,
    /// Text in UTF-16, which the tax service doesn't accept.
    Utf16,
    /// Other text or bytes.
    Other,
}

/// A bound that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Elements within elements.
    Depth(usize),
    /// Elements in all.
    Elements(usize),
    /// Lines and other repeated sections.
    Items(usize),
    /// Attributes of one element.
    Attributes(usize),
    /// Bytes of text in one element.
    Text(usize),
    /// Documents in one envelope.
    Documents(usize),
}

/// A kind of XML that is no tax document, but comes up where one is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// A folio authorisation (CAF).
    Caf,
    /// An electronic book (sales, purchases, guides, boletas).
    Libro,
    /// A report of consumed folios (RCOF, RVD).
    ConsumoFolios,
    /// An answer to a submission or a receipt for goods.
    Respuesta,
    /// An answer of the tax service's own web services.
    RespuestaSii,
    /// A SOAP message.
    Soap,
    /// A web page that happens to be well formed.
    Html,
    /// A signature or a stamp without its document.
    Firma,
    /// An invoice of another country's format (UBL, CFDI).
    FacturaExtranjera,
    /// Anything else.
    Other,
}

impl ReadError {
    pub(crate) const fn new(kind: ReadErrorKind) -> Self {
        Self { kind }
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }

    /// A stable code in English, for a machine.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.kind {
            ReadErrorKind::Empty => "empty_document",
            ReadErrorKind::TooLarge { .. } => "document_too_large",
            ReadErrorKind::NotXml(_) => "not_xml",
            ReadErrorKind::Malformed { .. } => "malformed_xml",
            ReadErrorKind::Doctype => "doctype_refused",
            ReadErrorKind::Entity { .. } => "entity_refused",
            ReadErrorKind::Limit(_) => "document_over_limits",
            ReadErrorKind::OtherXml { .. } => "not_a_tax_document",
            ReadErrorKind::NoDocument { .. } => "no_document_in_envelope",
            ReadErrorKind::JsonSyntax { .. } => "not_json",
            ReadErrorKind::JsonShape(_) => "invalid_shape",
        }
    }

    /// The places where a JSON body hasn't the contract's shape; empty for other kinds.
    #[must_use]
    pub fn shape_errors(&self) -> &[ShapeError] {
        match &self.kind {
            ReadErrorKind::JsonShape(errors) => errors,
            _ => &[],
        }
    }

    /// One plain Spanish sentence for the ERP's user: what was found, and what to do.
    #[must_use]
    pub fn user_message(&self) -> String {
        match &self.kind {
            ReadErrorKind::Empty => "El documento está vacío.".into(),
            ReadErrorKind::TooLarge { bytes, limit } => {
                format!("El archivo tiene {bytes} bytes y el máximo es {limit}.")
            }
            ReadErrorKind::NotXml(que) => que.user_message().into(),
            ReadErrorKind::Malformed {
                line,
                column,
                detail,
            } => format!("El XML está mal formado: {detail} (línea {line}, columna {column})."),
            ReadErrorKind::Doctype => "El XML trae una declaración DOCTYPE (DTD), que ningún \
                documento tributario lleva; por seguridad no se lee."
                .into(),
            ReadErrorKind::Entity { name } => format!(
                "El XML usa la entidad «&{name};», que no existe en XML; sólo se aceptan \
                 &amp;, &lt;, &gt;, &quot;, &apos; y las referencias numéricas."
            ),
            ReadErrorKind::Limit(bound) => bound.user_message(),
            ReadErrorKind::OtherXml { found, root } => format!(
                "El XML no es un documento tributario: {} (elemento raíz «{root}»). Se espera un \
                 DTE, un EnvioDTE, un EnvioBOLETA o una cesión (AEC).",
                found.descripcion()
            ),
            ReadErrorKind::NoDocument { root } => {
                format!("El XML es un «{root}», pero no contiene ningún documento tributario.")
            }
            ReadErrorKind::JsonSyntax { line, column } => {
                format!("El texto no es JSON válido (línea {line}, columna {column}).")
            }
            ReadErrorKind::JsonShape(errores) => match errores.as_slice() {
                [unico] => format!("Los datos del documento no se pueden leer: {}", unico.msg),
                _ => format!(
                    "Los datos del documento no se pueden leer: hay {} campos con problemas.",
                    errores.len()
                ),
            },
        }
    }
}

impl NotXml {
    const fn user_message(self) -> &'static str {
        match self {
            Self::Html => {
                "Se recibió una página web (HTML) en vez del XML de un documento tributario."
            }
            Self::Json => "Se recibió JSON en vez del XML de un documento tributario.",
            Self::Pdf => {
                "Se recibió un PDF: se necesita el XML del documento, no su representación impresa."
            }
            Self::Archive => "Se recibió un archivo comprimido: se necesita el XML que contiene.",
            Self::Base64 => {
                "Se recibió texto en base64: envíelo en «dte_xml_base64» o decodificado."
            }
            Self::Utf16 => "El archivo está en UTF-16: el SII pide ISO-8859-1.",
            Self::Other => "El contenido no es XML: no se encontró ningún elemento.",
        }
    }
}

impl Bound {
    fn user_message(self) -> String {
        let (que, limite) = match self {
            Self::Depth(limite) => ("niveles de elementos anidados", limite),
            Self::Elements(limite) => ("elementos", limite),
            Self::Items(limite) => ("líneas, referencias y otros elementos repetidos", limite),
            Self::Attributes(limite) => ("atributos en un elemento", limite),
            Self::Text(limite) => ("bytes de texto en un elemento", limite),
            Self::Documents(limite) => ("documentos en el envío", limite),
        };
        format!("El XML tiene más de {limite} {que}.")
    }
}

impl Found {
    /// What it is, as the middle of a Spanish sentence.
    #[must_use]
    pub const fn descripcion(self) -> &'static str {
        match self {
            Self::Caf => "es un archivo de folios autorizados (CAF)",
            Self::Libro => "es un libro electrónico",
            Self::ConsumoFolios => "es un reporte de consumo de folios",
            Self::Respuesta => "es una respuesta o acuse de recibo",
            Self::RespuestaSii => "es una respuesta de los servicios del SII",
            Self::Soap => "es un mensaje SOAP",
            Self::Html => "es una página web",
            Self::Firma => "es una firma o un timbre sin su documento",
            Self::FacturaExtranjera => "es una factura en un formato que no es el chileno",
            Self::Other => "es de un tipo desconocido",
        }
    }

    /// What a root element of this name is.
    pub(crate) fn desde_raiz(nombre: &str) -> Self {
        match nombre {
            "AUTORIZACION" | "CAF" => Self::Caf,
            "LibroCompraVenta" | "LibroGuia" | "LibroBoleta" | "LibroIECV" => Self::Libro,
            "ConsumoFolios" | "DocumentoConsumoFolios" => Self::ConsumoFolios,
            "RespuestaDTE"
            | "EnvioRecibos"
            | "Recibo"
            | "RespuestaEnvioDTE"
            | "ResultadoEnvioLibro"
            | "ResultadoDTE" => Self::Respuesta,
            "RESPUESTA" | "RECEPCIONDTE" | "RESULTADO_ENVIO" | "getToken" => Self::RespuestaSii,
            "Envelope" => Self::Soap,
            "html" | "HTML" => Self::Html,
            "Signature" | "TED" | "SignedInfo" => Self::Firma,
            "Invoice" | "CreditNote" | "DebitNote" | "Comprobante" => Self::FacturaExtranjera,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ReadErrorKind::Malformed { line, column, .. }
            | ReadErrorKind::JsonSyntax { line, column } => {
                write!(f, "read document: {} at {line}:{column}", self.code())
            }
            ReadErrorKind::OtherXml { root, .. } | ReadErrorKind::NoDocument { root } => {
                write!(f, "read document: {} (root {root:?})", self.code())
            }
            ReadErrorKind::JsonShape(errors) => {
                write!(
                    f,
                    "read document: {} in {} places",
                    self.code(),
                    errors.len()
                )
            }
            _ => write!(f, "read document: {}", self.code()),
        }
    }
}

impl std::error::Error for ReadError {}
