//! Watches the tax service's pages: fetches politely, sees what really changed, says what it
//! means, tells.
//!
//! # When to use it
//!
//! When somebody must know the day a circular, a new format or another UTM is published, and
//! must be able to trust "nothing changed". A page that is suddenly empty, a redesign, a cookie
//! banner and a counter of visits are all told apart from news.
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use jiff::tz::TimeZone;
//! use sii_monitor::archive::NewsQuery;
//! use sii_monitor::deliver::Deliveries;
//! use sii_monitor::fetch::{Ask, Document, FetchError, Fetched, Fetcher};
//! use sii_monitor::run::{Monitor, MonitorConfig, Parts};
//! use sii_monitor::source::{Kind, Source};
//! use store::{EmbeddedConfig, EmbeddedStore, Store, SystemClock};
//! # use std::sync::atomic::{AtomicBool, Ordering};
//!
//! // In production: `HttpFetcher::try_new(FetchConfig::default())`.
//! #[derive(Debug, Default)]
//! struct Site(AtomicBool);
//!
//! #[async_trait]
//! impl Fetcher for Site {
//!     async fn fetch(&self, ask: &Ask) -> Result<Fetched, FetchError> {
//!         let known = "<h5>Circular N° 10 del 15 de Enero del 2026</h5><p>Renta.</p>";
//!         let new = "<h5>Circular N° 11 del 30 de Enero del 2026</h5><p>Boletas.</p>";
//!         let page = if self.0.load(Ordering::Relaxed) { new } else { "" };
//!         Ok(Fetched::Document(Box::new(Document {
//!             url: ask.url.clone(),
//!             media_type: "text/html".to_owned(),
//!             charset: Some("utf-8".to_owned()),
//!             body: format!("{page}{known}").into(),
//!             etag: None,
//!             last_modified: None,
//!         })))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = Arc::new(SystemClock);
//! let store: Arc<dyn Store> =
//!     Arc::new(EmbeddedStore::in_memory(EmbeddedConfig::default(), clock.clone())?);
//! let site = Arc::new(Site::default());
//! let config = MonitorConfig {
//!     sources: vec![Source::new("circulares", "https://www.sii.cl/indice.htm", Kind::Index)],
//!     ..MonitorConfig::default()
//! };
//! let monitor = Monitor::try_new(config, Parts {
//!     deliveries: Deliveries::new(store.clone(), Vec::new(), TimeZone::UTC),
//!     store,
//!     fetcher: site.clone(),
//!     model: None,
//!     sink: None,
//!     clock,
//! })?;
//!
//! // The first visit learns what is there; the second finds what is new.
//! assert_eq!(monitor.run(true).await?.news_created, 0);
//! site.0.store(true, Ordering::Relaxed);
//! assert_eq!(monitor.run(true).await?.news_created, 1);
//! let news = monitor.archive().news(&NewsQuery::default()).await?;
//! assert_eq!(news.items[0].id, "circular-11-2026");
//! assert_eq!(news.items[0].resumen, "Boletas.");
//! # Ok(())
//! # }
//! ```
//!
//! A [`Runner`](run::Runner) does this on schedule and on demand, on as many replicas as there
//! are: one of them runs.
//!
//! # Guarantees
//!
//! - **Polite, and only to public addresses**: see [`fetch`]. A redirect or a link into a private
//!   network is refused, after the name is resolved too.
//! - **Change means content**: menus, scripts, counters and the day's date are left out by rules
//!   that are data ([`page::Noise`]); what differs between two looks within a moment, or at every
//!   visit, is learned as noise ([`compare::Habits`]). An index is its entries, whatever the
//!   markup; any other page its blocks, with moves recognised; a PDF or schema its sections and
//!   fields ([`compare::Difference`]).
//! - **A broken page is an error with a name**, never "no change": [`compare::Alarm`]. It stays one until
//!   the page is whole again, or an operator accepts it ([`archive::Archive::forget`]).
//! - **Rules first**: dates, deadlines, laws, impact and priority need no model ([`meaning`]). One
//!   that is there refines them over the difference alone, by schema; its text can't move a date,
//!   nor make what is grave harmless. [`item::Item::analizado_por`] says who spoke.
//! - **Nothing twice, nothing lost**: see [`archive`] for the order of writes. A run may be killed
//!   anywhere: each item is in the store exactly once, and told at least once on each channel,
//!   under the same id.
//! - **One run at a time** over all replicas, by a lease that is renewed; who dies is replaced when
//!   it ends, who loses it stops.
//! - Nothing blocks the runtime: pages, PDFs, comparisons and compression are worked on elsewhere,
//!   within limits of time and size.
//!
//! # What is first, and what is a year's
//!
//! The first visit of a source reports nothing: all of it would be "new". The page of a *later*
//! year (`{year}` in the address) is new as a whole, so the first circular of January is told;
//! until it is published, its absence is no error.
//!
//! # Metrics
//!
//! | name | labels | what |
//! |---|---|---|
//! | `sii_monitor_runs_total` | `status` | runs that came to their end |
//! | `sii_monitor_visits_total` | `source`, `status` | visits by how they ended |
//! | `sii_monitor_visit_duration_seconds` | `source` | how long a visit took |
//! | `sii_monitor_bytes_total` | `source` | bytes of documents |
//! | `sii_monitor_changes_total` | `source` | changes found |
//! | `sii_monitor_errors_total` | `source`, `reason` | visits that failed, by the error's name |
//! | `sii_monitor_last_success_age_seconds` | `source` | since a page was last visited with success |
//! | `sii_monitor_stale_after_seconds` | `source` | the age from which that page is stale |
//! | `sii_monitor_model_failures_total` | `reason` | questions that left the rules alone |
//! | `sii_monitor_sink_total` | `result` | items offered to the knowledge base |
//! | `sii_monitor_notices_total` | `channel`, `result` | notices sent, failed, given up |
//! | `sii_monitor_notices_waiting` | `channel` | notices that wait |
//!
//! Labels are keys of the configuration (of the two ages: the page's, with its year) and fixed
//! words. The ages are told only where there is a schedule.
//!
//! # Absent on purpose
//!
//! - Scripts of pages are not run: what only they show is not seen. The watched pages have none.
//! - Scanned PDFs are not read (`pdf_no_text` says so).
//! - Sites behind a login: everything watched is public.

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
pub mod passages;
pub mod pdf;
mod reading;
pub mod run;
pub mod schedule;
pub mod sink;
pub mod source;
mod text;
mod visit;
