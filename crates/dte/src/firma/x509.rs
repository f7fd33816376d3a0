//! What a signature needs of an X.509 certificate: key, validity, holder. A walk over its DER
//! with bounds everywhere; nothing else of it is read, and its own signature isn't verified:
//! which issuers the tax service accepts is not known here.

use jiff::civil::Date;

use super::llave::LlavePublica;
use crate::model::{Rut, RutError};

const SECUENCIA: u8 = 0x30;
const CONJUNTO: u8 = 0x31;
const ENTERO: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETOS: u8 = 0x04;
const OID: u8 = 0x06;
const UTC: u8 = 0x17;
const GENERALIZADO: u8 = 0x18;
/// Context-specific, constructed: `[0]` to `[3]`.
const CONTEXTO_0: u8 = 0xA0;
const CONTEXTO_3: u8 = 0xA3;

const OID_RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const OID_NOMBRE: &[u8] = &[0x55, 0x04, 0x03];
const OID_SERIE: &[u8] = &[0x55, 0x04, 0x05];
const OID_ALTERNATIVO: &[u8] = &[0x55, 0x1D, 0x11];
/// 1.3.6.1.4.1.8321.1: the RUT of the holder, as Chilean certifiers write it.
const OID_RUT: &[u8] = &[0x2B, 0x06, 0x01, 0x04, 0x01, 0xC1, 0x01, 0x01];

/// What is read of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificado {
    /// `None` for a key that isn't RSA or isn't one.
    pub llave: Option<LlavePublica>,
    /// The first day on which it is valid, in UTC.
    pub desde: Date,
    /// The last day, in UTC.
    pub hasta: Date,
    /// The holder's common name.
    pub nombre: Option<String>,
    /// The holder's RUT, from the alternative name or from the subject's serial number.
    pub rut: Option<Rut>,
}

/// A value: its tag and content.
type Valor<'d> = (u8, &'d [u8]);

impl Certificado {
    /// Reads a certificate in DER; `None` where it isn't one.
    pub fn leer(der: &[u8]) -> Option<Self> {
        let (certificado, _) = de_tipo(der, SECUENCIA)?;
        let (mut campos, _) = de_tipo(certificado, SECUENCIA)?;
        if let Some((_, resto)) = de_tipo(campos, CONTEXTO_0) {
            campos = resto;
        }
        let (_, campos) = de_tipo(campos, ENTERO)?;
        let (_, campos) = de_tipo(campos, SECUENCIA)?;
        let (_, campos) = de_tipo(campos, SECUENCIA)?;
        let (vigencia, campos) = de_tipo(campos, SECUENCIA)?;
        let (titular, campos) = de_tipo(campos, SECUENCIA)?;
        let (llave_cruda, campos) = de_tipo(campos, SECUENCIA)?;
        let (desde, vigencia) = valor(vigencia)?;
        let (hasta, _) = valor(vigencia)?;
        let rut = rut_alternativo(campos)
            .or_else(|| atributo(titular, OID_SERIE).and_then(|serie| rut(&serie)));
        Some(Self {
            llave: contenido_de_llave(llave_cruda),
            desde: dia(desde)?,
            hasta: dia(hasta)?,
            nombre: atributo(titular, OID_NOMBRE),
            rut,
        })
    }
}

/// An RSA key as `SubjectPublicKeyInfo`.
pub(super) fn llave(der: &[u8]) -> Option<LlavePublica> {
    contenido_de_llave(de_tipo(der, SECUENCIA)?.0)
}

fn contenido_de_llave(dentro: &[u8]) -> Option<LlavePublica> {
    let (algoritmo, resto) = de_tipo(dentro, SECUENCIA)?;
    let (oid, _) = de_tipo(algoritmo, OID)?;
    if oid != OID_RSA {
        return None;
    }
    let (bits, _) = de_tipo(resto, BITS)?;
    let (partes, _) = de_tipo(bits.strip_prefix(&[0])?, SECUENCIA)?;
    let (modulo, partes) = de_tipo(partes, ENTERO)?;
    let (exponente, _) = de_tipo(partes, ENTERO)?;
    LlavePublica::new(modulo, exponente)
}

/// One value in front of `der`, and what follows it.
fn valor(der: &[u8]) -> Option<(Valor<'_>, &[u8])> {
    let (etiqueta, resto) = der.split_first()?;
    let (primero, resto) = resto.split_first()?;
    let (largo, resto) = match *primero {
        corto @ 0..=0x7F => (usize::from(corto), resto),
        largo @ 0x81..=0x83 => {
            let cuantos = usize::from(largo & 0x0F);
            let numero = resto.get(..cuantos)?;
            let largo = numero
                .iter()
                .fold(0_usize, |suma, byte| (suma << 8) | usize::from(*byte));
            (largo, resto.get(cuantos..)?)
        }
        _ => return None,
    };
    Some(((*etiqueta, resto.get(..largo)?), resto.get(largo..)?))
}

/// The content of one value with this tag, and what follows it.
fn de_tipo(der: &[u8], etiqueta: u8) -> Option<(&[u8], &[u8])> {
    let ((otra, contenido), resto) = valor(der)?;
    (otra == etiqueta).then_some((contenido, resto))
}

/// The values in a content, one after the other.
fn valores(mut der: &[u8]) -> impl Iterator<Item = Valor<'_>> {
    std::iter::from_fn(move || {
        let (este, resto) = valor(der)?;
        der = resto;
        Some(este)
    })
}

/// The text of an attribute of a name.
fn atributo(nombre: &[u8], buscado: &[u8]) -> Option<String> {
    valores(nombre)
        .filter(|(etiqueta, _)| *etiqueta == CONJUNTO)
        .flat_map(|(_, conjunto)| valores(conjunto))
        .find_map(|(_, par)| {
            let (oid, resto) = de_tipo(par, OID)?;
            let ((_, texto), _) = valor(resto)?;
            (oid == buscado).then(|| String::from_utf8_lossy(texto).trim().to_owned())
        })
}

/// The RUT among the alternative names of the holder; `campos` is what follows the key.
fn rut_alternativo(campos: &[u8]) -> Option<Rut> {
    let (_, extensiones) = valores(campos).find(|(etiqueta, _)| *etiqueta == CONTEXTO_3)?;
    let (lista, _) = de_tipo(extensiones, SECUENCIA)?;
    let nombres = valores(lista).find_map(|(_, extension)| {
        let (oid, resto) = de_tipo(extension, OID)?;
        let (_, octetos) = valores(resto).find(|(etiqueta, _)| *etiqueta == OCTETOS)?;
        (oid == OID_ALTERNATIVO).then_some(octetos)
    })?;
    let (nombres, _) = de_tipo(nombres, SECUENCIA)?;
    valores(nombres)
        .filter(|(etiqueta, _)| *etiqueta == CONTEXTO_0)
        .find_map(|(_, otro)| {
            let (oid, resto) = de_tipo(otro, OID)?;
            let (explicito, _) = de_tipo(resto, CONTEXTO_0)?;
            let ((_, texto), _) = valor(explicito)?;
            let texto = String::from_utf8_lossy(texto);
            (oid == OID_RUT).then(|| rut(texto.trim())).flatten()
        })
}

fn rut(texto: &str) -> Option<Rut> {
    match Rut::leer(texto) {
        Ok(rut) | Err(RutError::Escritura(rut)) => Some(rut),
        Err(_) => None,
    }
}

/// The day of `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn dia((etiqueta, contenido): Valor<'_>) -> Option<Date> {
    let texto = std::str::from_utf8(contenido).ok()?.strip_suffix('Z')?;
    if !texto.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (ano, resto) = match etiqueta {
        UTC => {
            let corto: i16 = texto.get(..2)?.parse().ok()?;
            (
                corto + if corto < 50 { 2000 } else { 1900 },
                texto.get(2..)?,
            )
        }
        GENERALIZADO => (texto.get(..4)?.parse().ok()?, texto.get(4..)?),
        _ => return None,
    };
    let campo = |desde: usize| -> Option<i8> { resto.get(desde..desde + 2)?.parse().ok() };
    Date::new(ano, campo(0)?, campo(2)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificado() -> Vec<u8> {
        let pem = include_str!("../../tests/firma/prueba.pem");
        let (_, resto) = pem.split_once("CERTIFICATE-----").unwrap();
        let (cuerpo, _) = resto.split_once("-----END").unwrap();
        crate::firma::llave::desde_base64(cuerpo).unwrap()
    }

    #[test]
    fn a_certificate_by_another_library_is_read() {
        let certificado = Certificado::leer(&certificado()).unwrap();
        assert_eq!(certificado.llave.unwrap().bits(), 1024);
        assert_eq!(certificado.nombre.as_deref(), Some("Persona de Prueba"));
        assert_eq!(certificado.rut.unwrap().to_string(), "12345678-5");
        assert_eq!(certificado.desde.to_string(), "2026-01-01");
        assert_eq!(certificado.hasta.to_string(), "2029-01-01");
    }

    #[test]
    fn damage_is_refused_or_read_and_never_a_panic() {
        let bueno = certificado();
        assert!(Certificado::leer(&[]).is_none());
        for largo in 0..bueno.len() {
            assert!(Certificado::leer(&bueno[..largo]).is_none(), "{largo}");
        }
        let mut iguales = 0;
        for lugar in 0..bueno.len() {
            for cambio in [0x01, 0x80, 0xFF] {
                let mut malo = bueno.clone();
                malo[lugar] ^= cambio;
                iguales += usize::from(Certificado::leer(&malo) == Certificado::leer(&bueno));
            }
        }
        // Most of a certificate is its own signature and what isn't read of it.
        assert!(iguales < bueno.len() * 3);
    }
}
