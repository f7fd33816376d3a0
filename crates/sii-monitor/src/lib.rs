//! Watches the tax service's pages.

pub mod charset;
pub mod compare;
pub mod deliver;
pub mod fecha;
pub mod index;
pub mod meaning;
pub mod page;
mod text;
