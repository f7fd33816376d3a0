//! A page as a list of meaningful blocks, without what its markup and its visits add.

mod blocks;
pub mod noise;

pub use blocks::{Block, BlockKind, Cell, Link, Page};
pub use noise::Noise;
