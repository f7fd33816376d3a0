//! How much a reader accepts.

/// Bounds on what [`read_xml`](crate::read_xml) reads. The size is checked before anything
/// is decoded, the others while reading: a hostile file costs no more than they allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file. Default: 2 MiB, as the HTTP contract's body.
    pub bytes: usize,
    /// Elements within elements. Default: 32; the deepest real one, a ceded document with its
    /// stamp inside an AEC, has 13.
    pub depth: usize,
    /// Elements in all. Default: 200,000.
    pub elements: usize,
    /// Lines, references, discounts, taxes and commissions of all documents together. Default:
    /// 20,000: real ones of 2 MiB have fewer.
    pub items: usize,
    /// Attributes of one element. Default: 32.
    pub attributes: usize,
    /// Bytes of text in one element. Default: 64 KiB (a certificate has about 3 KiB).
    pub text: usize,
    /// Documents in one envelope. Default: 2,000, the tax service's own (EnvioDTE_v10.xsd).
    pub documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 2 * 1024 * 1024,
            depth: 32,
            elements: 200_000,
            items: 20_000,
            attributes: 32,
            text: 64 * 1024,
            documents: 2_000,
        }
    }
}
