//! Stamps and signs documents of made-up companies with keys that nobody trusts: bases of which
//! evaluations and tests know what was signed.
//!
//! Everything is written in its canonical form, so that nothing here depends on how the crate
//! itself makes that form.

mod llave;
mod llaves;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

pub use self::llave::Llave;
use crate::model::Documento;
use crate::{Limits, read_xml};

const SII: &str = "http://www.sii.cl/SiiDte";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
/// The `IDK` of the CAFs that [`Llave::sii`] signs: none that the tax service has.
pub const IDK: i64 = 99_999;

/// The certificate of a made-up person, valid from 2026 to 2028, in base64.
#[must_use]
pub fn certificado() -> &'static str {
    let pem = include_str!("../../tests/firma/prueba.pem");
    let desde = pem
        .split_once("CERTIFICATE-----")
        .map_or(pem, |partes| partes.1);
    desde
        .split_once("-----END")
        .map_or(desde, |partes| partes.0)
        .trim()
}

/// Bytes as base64.
#[must_use]
pub fn en_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of a base64 text without white space.
#[must_use]
pub fn desde_base64(texto: &str) -> Option<Vec<u8>> {
    STANDARD.decode(texto).ok()
}

/// Bytes in ISO-8859-1; `?` for what that doesn't have.
#[must_use]
pub fn latin1(texto: &str) -> Vec<u8> {
    texto
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect()
}

/// A file in ISO-8859-1.
#[must_use]
pub fn archivo(raiz: &str) -> Vec<u8> {
    latin1(&format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n{raiz}\n"
    ))
}

/// ` xmlns="http://www.sii.cl/SiiDte"`
#[must_use]
pub fn sii() -> String {
    format!(" xmlns=\"{SII}\"")
}

/// The same and ` xmlns:xsi="…"`.
#[must_use]
pub fn sii_y_xsi() -> String {
    format!("{} xmlns:xsi=\"{XSI}\"", sii())
}

/// An element with a namespace or two, as its canonical form begins.
#[must_use]
pub fn con_espacios(elemento: &str, espacios: &str) -> String {
    elemento.replacen(" ID=", &format!("{espacios} ID="), 1)
}

/// The signature of an element whose canonical form this is, by [`Llave::persona`].
#[must_use]
pub fn firma(id: &str, canonico: &str) -> String {
    firma_con(&Llave::persona(), id, canonico, "")
}

/// The same by a key, where the signature inherits other namespaces. It always names the key
/// of [`certificado`].
#[must_use]
pub fn firma_con(llave: &Llave, id: &str, canonico: &str, heredados: &str) -> String {
    let resumen = STANDARD.encode(Sha1::digest(canonico.as_bytes()));
    let info = format!(
        "<CanonicalizationMethod Algorithm=\"{C14N}\"></CanonicalizationMethod>\
         <SignatureMethod Algorithm=\"{DSIG}rsa-sha1\"></SignatureMethod>\
         <Reference URI=\"#{id}\"><Transforms><Transform Algorithm=\"{C14N}\"></Transform>\
         </Transforms><DigestMethod Algorithm=\"{DSIG}sha1\"></DigestMethod>\
         <DigestValue>{resumen}</DigestValue></Reference></SignedInfo>"
    );
    let valor = llave.firmar(format!("<SignedInfo xmlns=\"{DSIG}\"{heredados}>{info}").as_bytes());
    let nombrada = Llave::persona();
    format!(
        "<Signature xmlns=\"{DSIG}\"><SignedInfo>{info}<SignatureValue>{valor}</SignatureValue>\
         <KeyInfo><KeyValue><RSAKeyValue><Modulus>{}</Modulus><Exponent>{}</Exponent></RSAKeyValue>\
         </KeyValue><X509Data><X509Certificate>{}</X509Certificate></X509Data></KeyInfo></Signature>",
        STANDARD.encode(nombrada.modulo()),
        STANDARD.encode(nombrada.exponente()),
        certificado()
    )
}

/// What a CAF says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caf {
    /// `RE`.
    pub emisor: String,
    /// `RS`, escaped.
    pub razon: String,
    /// `TD`.
    pub tipo: i64,
    /// `RNG`: the first folio and the last.
    pub rango: (i64, i64),
    /// `FA`.
    pub autorizado: String,
}

impl Caf {
    /// The CAF, its `FRMA` by this key.
    #[must_use]
    pub fn xml(&self, firmante: &Llave) -> String {
        let llave = Llave::caf();
        let da = format!(
            "<DA><RE>{}</RE><RS>{}</RS><TD>{}</TD><RNG><D>{}</D><H>{}</H></RNG><FA>{}</FA>\
             <RSAPK><M>{}</M><E>{}</E></RSAPK><IDK>{IDK}</IDK></DA>",
            self.emisor,
            self.razon,
            self.tipo,
            self.rango.0,
            self.rango.1,
            self.autorizado,
            STANDARD.encode(llave.modulo()),
            STANDARD.encode(llave.exponente())
        );
        let frma = firmante.firmar(&latin1(&da));
        format!("<CAF version=\"1.0\">{da}<FRMA algoritmo=\"SHA1withRSA\">{frma}</FRMA></CAF>")
    }
}

/// What a stamp says, all escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timbrado {
    /// `RE`.
    pub emisor: String,
    /// `TD`.
    pub tipo: i64,
    /// `F`.
    pub folio: i64,
    /// `FE`.
    pub fecha: String,
    /// `RR`.
    pub receptor: String,
    /// `RSR`.
    pub nombre: String,
    /// `MNT`.
    pub monto: String,
    /// `IT1`.
    pub item: String,
    /// `TSTED`.
    pub hora: String,
}

/// A document to be stamped and signed: change what should be wrong, then make it.
#[derive(Debug, Clone)]
pub struct Papel {
    /// Its body in canonical form, without stamp.
    pub cuerpo: String,
    /// The body's `ID`.
    pub id: String,
    /// What its stamp says.
    pub timbre: Timbrado,
    /// What the CAF says.
    pub caf: Caf,
    /// Who signs the CAF.
    pub llave_sii: Llave,
    /// Who stamps.
    pub llave_timbre: Llave,
    /// Who signs.
    pub llave_firma: Llave,
    /// Whether the stamp is calculated over UTF-8, which is wrong.
    pub timbre_en_utf8: bool,
    /// `TmstFirma`.
    pub firmado: String,
    /// The namespaces in which it is signed.
    pub espacios: String,
}

impl Papel {
    /// A correct one for a body in canonical form, as [`super::LIMPIOS`] are; `None` where that
    /// lacks what a stamp says.
    #[must_use]
    pub fn desde(cuerpo: &str) -> Option<Self> {
        let cuerpo = cuerpo.trim();
        let reading = read_xml(cuerpo.as_bytes(), &Limits::default()).ok()?;
        let documento = reading.documentos.first()?;
        let fecha = documento.encabezado.id_doc.fch_emis.valor()?;
        let timbre = timbrado(documento)?;
        Some(Self {
            cuerpo: cuerpo.to_owned(),
            id: documento.id.clone()?,
            caf: Caf {
                emisor: timbre.emisor.clone(),
                razon: escapado(documento.encabezado.emisor.rzn_soc.as_deref()?),
                tipo: timbre.tipo,
                rango: (timbre.folio, timbre.folio.checked_add(100)?),
                autorizado: fecha
                    .checked_sub(jiff::Span::new().days(30))
                    .ok()?
                    .to_string(),
            },
            firmado: format!("{fecha}T10:00:01"),
            timbre,
            llave_sii: Llave::sii(),
            llave_timbre: Llave::caf(),
            llave_firma: Llave::persona(),
            timbre_en_utf8: false,
            espacios: sii(),
        })
    }

    /// The stamp.
    #[must_use]
    pub fn ted(&self) -> String {
        let timbre = &self.timbre;
        let dd = format!(
            "<DD><RE>{}</RE><TD>{}</TD><F>{}</F><FE>{}</FE><RR>{}</RR><RSR>{}</RSR><MNT>{}</MNT>\
             <IT1>{}</IT1>{}<TSTED>{}</TSTED></DD>",
            timbre.emisor,
            timbre.tipo,
            timbre.folio,
            timbre.fecha,
            timbre.receptor,
            timbre.nombre,
            timbre.monto,
            timbre.item,
            self.caf.xml(&self.llave_sii),
            timbre.hora
        );
        let frmt = if self.timbre_en_utf8 {
            self.llave_timbre.firmar(dd.as_bytes())
        } else {
            self.llave_timbre.firmar(&latin1(&dd))
        };
        // Between tags there may be anything white.
        let dd = dd.replace("><", ">\n<");
        format!(
            "<TED version=\"1.0\">\n{dd}\n<FRMT algoritmo=\"SHA1withRSA\">{frmt}</FRMT>\n</TED>"
        )
    }

    /// The stamped and signed `DTE`.
    #[must_use]
    pub fn dte(&self) -> String {
        let fin = self.cuerpo.rfind("</").unwrap_or(self.cuerpo.len());
        let (antes, despues) = self.cuerpo.split_at(fin);
        let (ted, hora) = (self.ted(), &self.firmado);
        let cuerpo = format!("{antes}{ted}\n<TmstFirma>{hora}</TmstFirma>\n{despues}");
        let canonico = con_espacios(&cuerpo, &self.espacios);
        let firma = firma_con(&self.llave_firma, &self.id, &canonico, "");
        format!("<DTE{} version=\"1.0\">\n{cuerpo}\n{firma}</DTE>", sii())
    }
}

fn timbrado(documento: &Documento) -> Option<Timbrado> {
    let encabezado = &documento.encabezado;
    let cuarenta = |texto: &str| escapado(&texto.chars().take(40).collect::<String>());
    let item = documento.detalle.first()?.nmb_item.as_deref()?;
    let fecha = encabezado.id_doc.fch_emis.valor()?;
    Some(Timbrado {
        emisor: encabezado.emisor.rut_emisor.clone()?,
        tipo: encabezado.id_doc.tipo_dte.valor()?,
        folio: encabezado.id_doc.folio.valor()?,
        fecha: fecha.to_string(),
        receptor: encabezado.receptor.rut_recep.clone()?,
        nombre: cuarenta(encabezado.receptor.rzn_soc_recep.as_deref()?),
        monto: encabezado.totales.mnt_total.valor()?.trunc().to_string(),
        item: cuarenta(item),
        hora: format!("{fecha}T10:00:00"),
    })
}

fn escapado(texto: &str) -> String {
    texto
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// An envelope to be signed.
#[derive(Debug, Clone)]
pub struct Sobre {
    /// Whether it is an `EnvioBOLETA`.
    pub boletas: bool,
    /// `RutEmisor`.
    pub emisor: String,
    /// `RutEnvia`.
    pub envia: String,
    /// `RutReceptor`.
    pub receptor: String,
    /// `FchResol`.
    pub fecha_resolucion: String,
    /// `NroResol`.
    pub resolucion: String,
    /// `TmstFirmaEnv`.
    pub firmado: String,
    /// `SubTotDTE`: type and number.
    pub subtotales: Vec<(i64, usize)>,
    /// The signed `DTE`s.
    pub dtes: Vec<String>,
}

impl Sobre {
    /// A correct one for documents of one type.
    #[must_use]
    pub fn de(papeles: &[Papel]) -> Option<Self> {
        let primero = papeles.first()?;
        Some(Self {
            boletas: matches!(primero.timbre.tipo, 39 | 41),
            emisor: primero.timbre.emisor.clone(),
            envia: "12345678-5".to_owned(),
            receptor: crate::RUT_SII.to_owned(),
            fecha_resolucion: "2014-08-22".to_owned(),
            resolucion: "80".to_owned(),
            firmado: format!("{}T10:05:00", primero.timbre.fecha),
            subtotales: vec![(primero.timbre.tipo, papeles.len())],
            dtes: papeles.iter().map(Papel::dte).collect(),
        })
    }

    /// The signed envelope.
    #[must_use]
    pub fn xml(&self) -> String {
        let subtotales: String = self
            .subtotales
            .iter()
            .map(|(tipo, cuantos)| {
                format!("<SubTotDTE><TpoDTE>{tipo}</TpoDTE><NroDTE>{cuantos}</NroDTE></SubTotDTE>")
            })
            .collect();
        let conjunto = format!(
            "<SetDTE ID=\"Conjunto\">\n<Caratula version=\"1.0\"><RutEmisor>{}</RutEmisor>\
             <RutEnvia>{}</RutEnvia><RutReceptor>{}</RutReceptor><FchResol>{}</FchResol>\
             <NroResol>{}</NroResol><TmstFirmaEnv>{}</TmstFirmaEnv>{subtotales}</Caratula>\n{}\n\
             </SetDTE>",
            self.emisor,
            self.envia,
            self.receptor,
            self.fecha_resolucion,
            self.resolucion,
            self.firmado,
            self.dtes.join("\n")
        );
        // In the canonical form of the set, a document doesn't repeat the set's namespace.
        let suelto = conjunto.replace(&format!("<DTE{}", sii()), "<DTE");
        let canonico = con_espacios(&suelto, &sii_y_xsi());
        let heredados = format!(" xmlns:xsi=\"{XSI}\"");
        let firma = firma_con(&Llave::persona(), "Conjunto", &canonico, &heredados);
        let raiz = if self.boletas {
            "EnvioBOLETA"
        } else {
            "EnvioDTE"
        };
        format!(
            "<{raiz}{} version=\"1.0\">\n{conjunto}\n{firma}</{raiz}>",
            sii_y_xsi()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Context;
    use crate::casos::LIMPIOS;
    use crate::firma::{FirmaCaf, Trust, verify};
    use jiff::civil::date;

    #[test]
    fn everything_made_here_verifies() {
        let trust = Trust::new().with_sii_key(IDK, Llave::sii().publica().unwrap());
        let context = Context::emission(date(2026, 11, 22));
        for limpio in LIMPIOS {
            let papel = Papel::desde(limpio.cuerpo).unwrap();
            let sobre = Sobre::de(&[papel]).unwrap();
            let bytes = archivo(&sobre.xml());
            let firmas = verify(&bytes, &Limits::default(), &trust, &context).unwrap();
            let documento = &firmas.documentos[0];
            assert_eq!(documento.findings, [], "{}", limpio.nombre);
            assert_eq!(firmas.findings, [], "{}", limpio.nombre);
            assert_eq!(documento.caf, FirmaCaf::Verificada, "{}", limpio.nombre);
        }
    }
}
