//! Stamp and signature.
mod arbol;
mod canonico;
mod llave;
mod x509;
