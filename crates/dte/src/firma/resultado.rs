//! What was found out about the stamps and signatures of a file.

use crate::report::Finding;

/// The stamps and signatures of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Firmas {
    /// One for each document, in the order of [`read_xml`](crate::read_xml).
    pub documentos: Vec<FirmaDocumento>,
    /// The envelope: the signature of an `EnvioDTE` or `EnvioBOLETA`, and every signature of
    /// a cession. Empty where the file is a lone document.
    pub partes: Vec<FirmaParte>,
    /// What is wrong with the envelope: its signatures, and its cover against its contents.
    pub findings: Vec<Finding>,
}

/// The stamp and the signature of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmaDocumento {
    /// The electronic stamp (`TED`).
    pub timbre: Timbre,
    /// The tax service's signature on the authorisation of folios in the stamp.
    pub caf: FirmaCaf,
    /// The document's signature.
    pub firma: Firma,
    /// What is wrong with them, what should be verified and isn't there included.
    pub findings: Vec<Finding>,
}

/// A signature that isn't a document's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmaParte {
    /// What is signed: `EnvioDTE/SetDTE`, `Cesion/DocumentoCesion`, …
    pub ruta: String,
    /// Whether the signature is right.
    pub firma: Firma,
}

/// An electronic stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timbre {
    /// There is none.
    Ausente,
    /// `FRMT` is right and its fields are the document's.
    Verificado,
    /// It isn't.
    Fallido(MotivoTimbre),
}

/// Why a stamp isn't right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MotivoTimbre {
    /// A part of it is missing or can't be read.
    Estructura,
    /// The key in its CAF is no RSA key.
    Llave,
    /// `FRMT` was not made over these bytes with the key of this CAF.
    Firma,
    /// `FRMT` is right, but the stamp is another document's: a field differs.
    Campos,
}

/// The tax service's signature on a CAF (`FRMA`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirmaCaf {
    /// There is no CAF, or none that can be read.
    Ausente,
    /// The key of the tax service with this `IDK` isn't configured: nothing was verified.
    SinLlave,
    /// The tax service signed it.
    Verificada,
    /// The tax service didn't sign this.
    Fallida,
}

/// An XML signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firma {
    /// There is none.
    Ausente,
    /// It was made over this content with the key that it names.
    Verificada(ContextoFirma),
    /// It wasn't; the first reason.
    Fallida(MotivoFirma),
}

/// In which namespaces a signed element has the digest that its signature states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContextoFirma {
    /// As a fragment that stands alone: how the tax service verifies a document.
    Suelto,
    /// Only with the namespaces that it inherits from the envelope (`xmlns:xsi`, mostly).
    Sobre,
    /// Only with other namespaces than the file has: it was taken out of its envelope, or a
    /// namespace was added or dropped, after it was signed.
    Ajeno,
    /// Only where the bytes are read in another encoding than they are in.
    OtraCodificacion,
}

/// Why a signature isn't right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MotivoFirma {
    /// A part of it is missing or can't be read.
    Estructura,
    /// It names an algorithm that tax documents aren't signed with.
    Algoritmo,
    /// It refers to something else than what it stands beside.
    Referencia,
    /// The content was changed after it was signed.
    Contenido,
    /// Only white space or line ends were changed after it was signed.
    Espacios,
    /// `SignatureValue` wasn't made with the key that the signature names.
    Valor,
    /// The certificate can't be read.
    Certificado,
    /// The certificate belongs to another key than the one that signed.
    Llave,
    /// The certificate was not valid when the document was signed.
    Vigencia,
    /// Verifying it would take more work than the size of the file deserves.
    Trabajo,
}
