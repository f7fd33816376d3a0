//! RSA keys of tests and evaluations: made for them, worth nothing, trusted by nobody.

/// A prime of the key of `prueba.pem` (1024 bits, exponent 65537).
pub(super) const FIRMA_P: &str = "e69639f34b9375013faeef0ea9be80384038c505fe32f4f3a876f08fd8d8147512df1035565156b52ae95b1e94e2dd84704c38b0922e95828d177fd9bb79eaf9";
/// Its other prime.
pub(super) const FIRMA_Q: &str = "d26e685623e41fc3d8249924f6dce65662a1689b8a24afe047cf17dd5baac0517d7f00619cf71ef8420f05bbdbfde76c791138a7f22908209d03adde97f65185";
/// A prime of the key of the CAF (512 bits, exponent 3, as real ones).
pub(super) const CAF_P: &str = "f99dab977befa99af503de8703eb05a845f3700aee99b190c59e79f220747849";
/// Its other prime.
pub(super) const CAF_Q: &str = "fbd8d5c7b67d1945b8c4b319205510d83a1b31e44631b41fcad3ed1fcfad3fa7";
/// A prime of the key that stands for the tax service (512 bits, exponent 3).
pub(super) const SII_P: &str = "d13b26e1d186458990e310fe19848883c547bec9d1da4aaf730a2b57b32e47cf";
/// Its other prime.
pub(super) const SII_Q: &str = "d83956d0927a84377f83bb4257bcfdb80662d35afe96ea1551e36233c101bd71";
