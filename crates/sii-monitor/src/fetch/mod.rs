//! Fetching politely, and only from where a page of the public may be.
//!
//! | rule | figure |
//! |---|---|
//! | requests to one host | one a second, two at a time ([`FetchConfig`]); `Crawl-delay` slows it |
//! | robots.txt | honoured, kept for a day; a server that fails (5xx) means "not now" |
//! | time | to connect, to the first byte, between two pieces, for one attempt as a whole |
//! | size | of the body as it comes and of what it unpacks to |
//! | retries | connection errors, time-outs, 429 and 5xx, with back-off and `Retry-After` |
//! | redirects | at most five, each checked like a new address |
//! | addresses | public ones only, checked after the name is resolved and then connected to |

mod addresses;
mod client;
mod config;
mod connect;
mod decode;
mod error;
mod pace;
mod robots;

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;

pub use addresses::is_public;
pub use client::HttpFetcher;
pub use config::FetchConfig;
pub use error::{FetchError, FetchErrorKind, Limit};
pub use robots::Robots;

/// Fetches documents: the real one is [`HttpFetcher`], tests have their own.
#[async_trait]
pub trait Fetcher: fmt::Debug + Send + Sync + 'static {
    /// Fetches a document, within limits of its own.
    ///
    /// # Errors
    /// [`FetchError`]: its kind says what went wrong.
    async fn fetch(&self, ask: &Ask) -> Result<Fetched, FetchError>;
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The address.
    pub url: Url,
    /// The `ETag` of the version that is known, for `If-None-Match`.
    pub etag: Option<String>,
    /// Its `Last-Modified`, for `If-Modified-Since`.
    pub last_modified: Option<String>,
}

impl Ask {
    /// Asks for a document, whatever is known of it.
    #[must_use]
    pub const fn new(url: Url) -> Self {
        Self {
            url,
            etag: None,
            last_modified: None,
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// The known version is still the one.
    NotModified,
    /// A document.
    Document(Box<Document>),
}

/// A document as it came, unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Where it came from, after redirects.
    pub url: Url,
    /// Its media type in lower case, such as `text/html`; empty where it says none.
    pub media_type: String,
    /// The `charset` of its header.
    pub charset: Option<String>,
    /// Its bytes.
    pub body: Bytes,
    /// Its `ETag`, at most 200 characters.
    pub etag: Option<String>,
    /// Its `Last-Modified`, at most 200 characters.
    pub last_modified: Option<String>,
}
