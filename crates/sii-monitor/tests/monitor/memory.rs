//! A site without a network.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sii_monitor::fetch::{Ask, Document, FetchError, FetchErrorKind, Fetched, Fetcher};

use crate::rig::Fuse;

/// A site in memory.
#[derive(Debug, Clone, Default)]
pub struct Site {
    pub pages: Arc<Mutex<HashMap<String, String>>>,
    pub fuse: Option<Arc<Fuse>>,
}

impl Site {
    pub fn set(&self, path: &str, html: &str) {
        let url = format!("https://sii.test{path}");
        self.pages.lock().unwrap().insert(url, html.to_owned());
    }
}

#[async_trait]
impl Fetcher for Site {
    async fn fetch(&self, ask: &Ask) -> Result<Fetched, FetchError> {
        let body = async { self.pages.lock().unwrap().get(ask.url.as_str()).cloned() };
        let body = match &self.fuse {
            Some(fuse) => fuse.guard(body).await,
            None => body.await,
        };
        let body = body.ok_or(FetchError::new(FetchErrorKind::NotFound))?;
        Ok(Fetched::Document(Box::new(Document {
            url: ask.url.clone(),
            media_type: "text/html".into(),
            charset: Some("utf-8".into()),
            body: body.into(),
            etag: None,
            last_modified: None,
        })))
    }
}
