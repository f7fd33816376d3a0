//! Real Redis servers for tests: started on free loopback ports with folders of their own,
//! ready when they are handed out, and gone when they are dropped.

pub mod proxy;
pub mod redis;
mod wire;

pub use self::proxy::{Link, Proxy};
pub use self::wire::Reply;
