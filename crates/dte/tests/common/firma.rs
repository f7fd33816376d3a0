//! Signed documents of made-up companies, written in their canonical form, so that what is
//! signed is known without the crate's own canonical form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use sha1::{Digest as _, Sha1};

#[path = "../firma/llaves.rs"]
mod llaves;

const SII: &str = "http://www.sii.cl/SiiDte";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const SHA1_INFO: [u8; 15] = [
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14,
];

/// A private key of the tests.
pub struct Llave {
    modulo: BigUint,
    publico: BigUint,
    privado: BigUint,
}

impl Llave {
    fn nueva(p: &str, q: &str, publico: u32) -> Self {
        let numero = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap();
        let (p, q, publico) = (numero(p), numero(q), BigUint::from(publico));
        let phi = (&p - 1_u32) * (&q - 1_u32);
        Self {
            modulo: p * q,
            privado: publico.modinv(&phi).unwrap(),
            publico,
        }
    }

    /// The key of `prueba.pem`.
    pub fn persona() -> Self {
        Self::nueva(llaves::FIRMA_P, llaves::FIRMA_Q, 65_537)
    }

    /// The key of the CAF.
    pub fn caf() -> Self {
        Self::nueva(llaves::CAF_P, llaves::CAF_Q, 3)
    }

    /// The key that stands for the tax service's.
    pub fn sii() -> Self {
        Self::nueva(llaves::SII_P, llaves::SII_Q, 3)
    }

    pub fn modulo(&self) -> Vec<u8> {
        self.modulo.to_bytes_be()
    }

    pub fn exponente(&self) -> Vec<u8> {
        self.publico.to_bytes_be()
    }

    /// A signature (PKCS #1 v1.5, SHA-1) in base64.
    pub fn firmar(&self, bytes: &[u8]) -> String {
        let largo = self.modulo().len();
        let mut mensaje = vec![0x00, 0x01];
        mensaje.resize(largo - 36, 0xFF);
        mensaje.push(0x00);
        mensaje.extend_from_slice(&SHA1_INFO);
        mensaje.extend_from_slice(&Sha1::digest(bytes));
        let firma = BigUint::from_bytes_be(&mensaje).modpow(&self.privado, &self.modulo);
        let firma = firma.to_bytes_be();
        STANDARD.encode([vec![0; largo - firma.len()], firma].concat())
    }
}

/// The certificate of `prueba.pem`, in base64.
pub fn certificado() -> String {
    let pem = include_str!("../firma/prueba.pem");
    let (_, resto) = pem.split_once("CERTIFICATE-----").unwrap();
    resto.split_once("-----END").unwrap().0.trim().to_owned()
}

/// Bytes in ISO-8859-1.
pub fn latin1(texto: &str) -> Vec<u8> {
    texto
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

/// What a stamped document says.
pub struct Datos {
    pub folio: u32,
    pub total: u32,
    pub autorizado: &'static str,
    pub lineas: u32,
}

impl Default for Datos {
    fn default() -> Self {
        Self {
            folio: 123,
            total: 17_850,
            autorizado: "2026-10-01",
            lineas: 1,
        }
    }
}

/// The authorisation of folios 100 to 200, signed by the test's tax service.
fn caf(datos: &Datos) -> String {
    let llave = Llave::caf();
    let da = format!(
        "<DA><RE>76192083-9</RE><RS>FERRETERÍA LOS AROMOS LIMITADA</RS><TD>33</TD>\
         <RNG><D>100</D><H>200</H></RNG><FA>{}</FA><RSAPK><M>{}</M><E>{}</E></RSAPK>\
         <IDK>100</IDK></DA>",
        datos.autorizado,
        STANDARD.encode(llave.modulo()),
        STANDARD.encode(llave.exponente())
    );
    let frma = Llave::sii().firmar(&latin1(&da));
    format!("<CAF version=\"1.0\">{da}<FRMA algoritmo=\"SHA1withRSA\">{frma}</FRMA></CAF>")
}

fn ted(datos: &Datos) -> String {
    let dd = format!(
        "<DD><RE>76192083-9</RE><TD>33</TD><F>{}</F><FE>2026-11-20</FE><RR>77000111-0</RR>\
         <RSR>Compañía Compradora &amp; Hijos</RSR><MNT>{}</MNT><IT1>Cañería de cobre</IT1>{}\
         <TSTED>2026-11-20T10:00:00</TSTED></DD>",
        datos.folio,
        datos.total,
        caf(datos)
    );
    let frmt = Llave::caf().firmar(&latin1(&dd));
    // Between tags there may be anything white.
    let dd = dd.replace("><", ">\n<");
    format!("<TED version=\"1.0\">\n{dd}\n<FRMT algoritmo=\"SHA1withRSA\">{frmt}</FRMT>\n</TED>")
}

/// A stamped body without a namespace, in its canonical form.
pub fn cuerpo(datos: &Datos) -> String {
    let lineas: String = (1..=datos.lineas)
        .map(|linea| {
            format!(
                "<Detalle><NroLinDet>{linea}</NroLinDet><NmbItem>Cañería de cobre</NmbItem>\
                 <QtyItem>10</QtyItem><PrcItem>1500</PrcItem><MontoItem>15000</MontoItem></Detalle>\n"
            )
        })
        .collect();
    format!(
        "<Documento ID=\"F123T33\">\n<Encabezado><IdDoc><TipoDTE>33</TipoDTE><Folio>{}</Folio>\
         <FchEmis>2026-11-20</FchEmis></IdDoc>\n<Emisor><RUTEmisor>76192083-9</RUTEmisor>\
         <RznSoc>Ferretería Los Aromos Limitada</RznSoc></Emisor>\n<Receptor>\
         <RUTRecep>77000111-0</RUTRecep><RznSocRecep>Compañía Compradora &amp; Hijos</RznSocRecep>\
         </Receptor>\n<Totales><MntNeto>15000</MntNeto><TasaIVA>19</TasaIVA><IVA>2850</IVA>\
         <MntTotal>17850</MntTotal></Totales></Encabezado>\n{lineas}{}\n\
         <TmstFirma>2026-11-20T10:00:01</TmstFirma>\n</Documento>",
        datos.folio,
        ted(datos)
    )
}

/// The signature of an element whose canonical form this is.
pub fn firma(id: &str, canonico: &str) -> String {
    firma_en(id, canonico, "")
}

/// The same where the signature inherits other namespaces.
fn firma_en(id: &str, canonico: &str, heredados: &str) -> String {
    let llave = Llave::persona();
    let resumen = STANDARD.encode(Sha1::digest(canonico.as_bytes()));
    let info = format!(
        "<CanonicalizationMethod Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\">\
         </CanonicalizationMethod><SignatureMethod Algorithm=\"{DSIG}rsa-sha1\"></SignatureMethod>\
         <Reference URI=\"#{id}\"><Transforms><Transform \
         Algorithm=\"http://www.w3.org/TR/2001/REC-xml-c14n-20010315\"></Transform></Transforms>\
         <DigestMethod Algorithm=\"{DSIG}sha1\"></DigestMethod><DigestValue>{resumen}</DigestValue>\
         </Reference></SignedInfo>"
    );
    let valor = llave.firmar(format!("<SignedInfo xmlns=\"{DSIG}\"{heredados}>{info}").as_bytes());
    format!(
        "<Signature xmlns=\"{DSIG}\"><SignedInfo>{info}<SignatureValue>{valor}</SignatureValue>\
         <KeyInfo><KeyValue><RSAKeyValue><Modulus>{}</Modulus><Exponent>{}</Exponent></RSAKeyValue>\
         </KeyValue><X509Data><X509Certificate>{}</X509Certificate></X509Data></KeyInfo></Signature>",
        STANDARD.encode(llave.modulo()),
        STANDARD.encode(llave.exponente()),
        certificado()
    )
}

/// The body with a namespace or two, as its canonical form begins.
pub fn con_espacios(cuerpo: &str, espacios: &str) -> String {
    cuerpo.replacen(" ID=", &format!("{espacios} ID="), 1)
}

/// ` xmlns="http://www.sii.cl/SiiDte"`
pub fn sii() -> String {
    format!(" xmlns=\"{SII}\"")
}

/// The same and ` xmlns:xsi="…"`.
pub fn sii_y_xsi() -> String {
    format!("{} xmlns:xsi=\"{XSI}\"", sii())
}

/// A stamped and signed document, its signature made in these namespaces.
pub fn dte(datos: &Datos, espacios: &str) -> String {
    let cuerpo = cuerpo(datos);
    let firma = firma("F123T33", &con_espacios(&cuerpo, espacios));
    format!("<DTE{} version=\"1.0\">\n{cuerpo}\n{firma}</DTE>", sii())
}

/// A file in ISO-8859-1.
pub fn archivo(raiz: &str) -> Vec<u8> {
    latin1(&format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n{raiz}\n"
    ))
}

/// A signed envelope with these documents.
pub fn envio(dtes: &[String]) -> String {
    let conjunto = format!(
        "<SetDTE ID=\"Conjunto\">\n<Caratula version=\"1.0\"><RutEmisor>76192083-9</RutEmisor>\
         <RutEnvia>12345678-5</RutEnvia><RutReceptor>60803000-K</RutReceptor>\
         <FchResol>2014-08-22</FchResol><NroResol>80</NroResol>\
         <TmstFirmaEnv>2026-11-20T10:05:00</TmstFirmaEnv><SubTotDTE><TpoDTE>33</TpoDTE>\
         <NroDTE>{}</NroDTE></SubTotDTE></Caratula>\n{}\n</SetDTE>",
        dtes.len(),
        dtes.join("\n")
    );
    // In the canonical form of the set, a document doesn't repeat the set's namespace.
    let canonico = con_espacios(
        &conjunto.replace(&format!("<DTE{}", sii()), "<DTE"),
        &sii_y_xsi(),
    );
    let firma = firma_en("Conjunto", &canonico, &format!(" xmlns:xsi=\"{XSI}\""));
    format!(
        "<EnvioDTE{} version=\"1.0\">\n{conjunto}\n{firma}</EnvioDTE>",
        sii_y_xsi()
    )
}
