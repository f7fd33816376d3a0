//! Private keys, and what is signed with them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigUint;
use sha1::{Digest as _, Sha1};

use super::llaves;
use crate::firma::LlavePublica;

const SHA1_INFO: [u8; 15] = [
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14,
];

/// A private key.
#[derive(Debug, Clone)]
pub struct Llave {
    modulo: BigUint,
    publico: BigUint,
    privado: BigUint,
}

impl Llave {
    #[expect(
        clippy::expect_used,
        reason = "the primes are constants of this crate, and a test signs with each"
    )]
    fn nueva(p: &str, q: &str, publico: u32) -> Self {
        let numero = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).expect("hexadecimal");
        let (p, q, publico) = (numero(p), numero(q), BigUint::from(publico));
        let phi = (&p - 1_u32) * (&q - 1_u32);
        Self {
            modulo: p * q,
            privado: publico.modinv(&phi).expect("an exponent of this key"),
            publico,
        }
    }

    /// The key of [`certificado`](super::certificado).
    #[must_use]
    pub fn persona() -> Self {
        Self::nueva(llaves::FIRMA_P, llaves::FIRMA_Q, 65_537)
    }

    /// The key of the CAF.
    #[must_use]
    pub fn caf() -> Self {
        Self::nueva(llaves::CAF_P, llaves::CAF_Q, 3)
    }

    /// The key that stands for the tax service's.
    #[must_use]
    pub fn sii() -> Self {
        Self::nueva(llaves::SII_P, llaves::SII_Q, 3)
    }

    /// The modulus, big-endian.
    #[must_use]
    pub fn modulo(&self) -> Vec<u8> {
        self.modulo.to_bytes_be()
    }

    /// The public exponent, big-endian.
    #[must_use]
    pub fn exponente(&self) -> Vec<u8> {
        self.publico.to_bytes_be()
    }

    /// What verifies its signatures.
    #[must_use]
    pub fn publica(&self) -> Option<LlavePublica> {
        LlavePublica::new(&self.modulo(), &self.exponente())
    }

    /// A signature (PKCS #1 v1.5, SHA-1) in base64.
    #[must_use]
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
