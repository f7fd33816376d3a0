//! RSA public keys, and base64 as documents have it. Only verification: no private key is
//! ever read here.

use base64::Engine as _;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use num_bigint::BigUint;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::x509::{self, Certificado};

/// The tax service's own lists have 512 bits (CAF); certificates have 1024 to 4096.
const BITS: std::ops::RangeInclusive<u64> = 384..=4096;
/// Base64 longer than this is no key, no signature and no certificate.
const MAX_BASE64: usize = 48 * 1024;

/// An RSA public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlavePublica {
    modulo: BigUint,
    exponente: BigUint,
}

/// A signature opened with a public key: what its maker put in, still to be compared.
pub(super) struct Abierta(Vec<u8>);

/// A hash algorithm that a signature may declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resumen {
    Sha1,
    Sha256,
}

impl Resumen {
    /// The algorithm that an identifier (of a digest or of a signature with RSA) names.
    pub fn desde_uri(uri: &str) -> Option<Self> {
        match uri {
            "http://www.w3.org/2000/09/xmldsig#sha1"
            | "http://www.w3.org/2000/09/xmldsig#rsa-sha1" => Some(Self::Sha1),
            "http://www.w3.org/2001/04/xmlenc#sha256"
            | "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => Some(Self::Sha256),
            _ => None,
        }
    }

    pub fn de(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    /// How PKCS #1 v1.5 names the algorithm in front of the hash (RFC 8017, 9.2).
    const fn prefijo(self) -> &'static [u8] {
        match self {
            Self::Sha1 => &[
                0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04,
                0x14,
            ],
            Self::Sha256 => &[
                0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                0x01, 0x05, 0x00, 0x04, 0x20,
            ],
        }
    }
}

impl LlavePublica {
    /// A key by its modulus and exponent, big-endian; `None` where they make no RSA key of 384
    /// to 4096 bits.
    #[must_use]
    pub fn new(modulo: &[u8], exponente: &[u8]) -> Option<Self> {
        if modulo.len() > 600 || exponente.len() > 8 {
            return None;
        }
        let modulo = BigUint::from_bytes_be(modulo);
        let exponente = BigUint::from_bytes_be(exponente);
        // An odd modulus, and an odd exponent that costs little to raise to.
        let impares = modulo.bit(0) && exponente.bit(0);
        let valida =
            impares && BITS.contains(&modulo.bits()) && (2..=33).contains(&exponente.bits());
        valida.then_some(Self { modulo, exponente })
    }

    /// A key from PEM: a certificate (`BEGIN CERTIFICATE`), as the tax service publishes its
    /// own, or a bare key (`BEGIN PUBLIC KEY`). `None` for anything else.
    #[must_use]
    pub fn from_pem(pem: &str) -> Option<Self> {
        let dentro = |nombre: &str| {
            let (_, resto) = pem.split_once(&format!("-----BEGIN {nombre}-----"))?;
            let (cuerpo, _) = resto.split_once(&format!("-----END {nombre}-----"))?;
            desde_base64(cuerpo)
        };
        if let Some(der) = dentro("CERTIFICATE") {
            return Certificado::leer(&der)?.llave;
        }
        x509::llave(&dentro("PUBLIC KEY")?)
    }

    /// A key by its modulus and exponent in base64, as documents have it.
    pub(super) fn desde_partes(modulo: &str, exponente: &str) -> Option<Self> {
        Self::new(&desde_base64(modulo)?, &desde_base64(exponente)?)
    }

    /// The size of its modulus.
    #[must_use]
    pub fn bits(&self) -> u64 {
        self.modulo.bits()
    }

    /// Opens a signature: the costly half of verifying it. `None` for one that can't be this
    /// key's by its length or value.
    pub(super) fn abrir(&self, firma: &[u8]) -> Option<Abierta> {
        let largo = usize::try_from(self.modulo.bits().div_ceil(8)).ok()?;
        let firma = (firma.len() == largo).then(|| BigUint::from_bytes_be(firma))?;
        if firma >= self.modulo {
            return None;
        }
        let mensaje = firma.modpow(&self.exponente, &self.modulo).to_bytes_be();
        let mut bytes = vec![0; largo.checked_sub(mensaje.len())?];
        bytes.extend_from_slice(&mensaje);
        Some(Abierta(bytes))
    }
}

impl Abierta {
    /// Whether the signature was made over these bytes: the whole encoded message of PKCS #1
    /// v1.5 (RFC 8017, 8.2.2) is built and compared, nothing of it is parsed.
    pub fn es_de(&self, resumen: Resumen, bytes: &[u8]) -> bool {
        let (prefijo, hash) = (resumen.prefijo(), resumen.de(bytes));
        let fijos = 3 + prefijo.len() + hash.len();
        // At least eight bytes of padding.
        let Some(relleno) = self
            .0
            .len()
            .checked_sub(fijos)
            .filter(|relleno| *relleno >= 8)
        else {
            return false;
        };
        let mut esperado = vec![0x00, 0x01];
        esperado.resize(2 + relleno, 0xFF);
        esperado.push(0x00);
        esperado.extend_from_slice(prefijo);
        esperado.extend_from_slice(&hash);
        esperado == self.0
    }
}

/// Base64 with white space in it and with or without padding.
pub(super) fn desde_base64(texto: &str) -> Option<Vec<u8>> {
    const TOLERANTE: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    if texto.len() > MAX_BASE64 {
        return None;
    }
    let junto: Vec<u8> = texto
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let bytes = TOLERANTE.decode(junto).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_make_no_key_are_refused() {
        assert!(LlavePublica::new(&[0xC1; 64], &[3]).is_some());
        for (modulo, exponente) in [
            (&[0xC1_u8; 40][..], &[3_u8][..]),
            (&[0xC2; 64], &[3]),
            (&[0; 64], &[3]),
            (&[], &[3]),
            (&[0xC1; 64], &[]),
            (&[0xC1; 64], &[1]),
            (&[0xC1; 64], &[4]),
            (&[0xC1; 64], &[2, 0, 0, 0, 1]),
            (&[0xC1; 64], &[0xFF; 9]),
            (&[0xC1; 601], &[3]),
        ] {
            assert_eq!(LlavePublica::new(modulo, exponente), None);
        }
    }

    #[test]
    fn base64_is_read_across_line_ends() {
        assert_eq!(desde_base64(" aG9s\r\n YQ== ").unwrap(), b"hola");
        assert_eq!(desde_base64("aG9sYQ").unwrap(), b"hola");
        for texto in ["", " ", "a", "¿?", "aG9s*"] {
            assert_eq!(desde_base64(texto), None, "{texto}");
        }
    }

    #[test]
    fn a_signature_by_another_library_verifies() {
        let llave = LlavePublica::from_pem(include_str!("../../tests/firma/prueba.pem")).unwrap();
        let firma = desde_base64(include_str!("../../tests/firma/hola.sig.b64")).unwrap();
        let abierta = llave.abrir(&firma).unwrap();
        assert!(abierta.es_de(Resumen::Sha1, b"hola"));
        assert!(!abierta.es_de(Resumen::Sha1, b"holb"));
        assert!(!abierta.es_de(Resumen::Sha256, b"hola"));
        for otra in [&firma[1..], &[], &[0xFF; 128], &[0; 128], &[1; 129]] {
            let abierta = llave.abrir(otra);
            assert!(!abierta.is_some_and(|abierta| abierta.es_de(Resumen::Sha1, b"hola")));
        }
        // Every bit of the encoded message counts, those of the padding too.
        for lugar in 0..abierta.0.len() {
            let mut otra = abierta.0.clone();
            otra[lugar] ^= 1;
            assert!(!Abierta(otra).es_de(Resumen::Sha1, b"hola"), "{lugar}");
        }
    }
}
