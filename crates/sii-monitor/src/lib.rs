//! Watches the tax service's pages.

pub mod analyse;
pub mod archive;
pub mod charset;
pub mod compare;
pub mod deliver;
pub mod fecha;
pub mod fetch;
pub mod index;
pub mod item;
pub mod meaning;
pub mod page;
pub mod pdf;
mod reading;
pub mod run;
pub mod schedule;
pub mod sink;
pub mod source;
mod text;
mod visit;
