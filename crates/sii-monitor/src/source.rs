//! What is watched, as configuration.

use std::collections::HashSet;

use jiff::SignedDuration;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use url::Url;

use crate::index::Tipo;
use crate::schedule::Schedule;

/// Through this month (March) the year before is watched as well.
const BOTH_YEARS_THROUGH: i8 = 3;

/// The longest key of a source.
const MAX_KEY: usize = 60;

/// The most sources.
pub const MAX_SOURCES: usize = 200;

/// A page, or one page a year, that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is called in answers, metrics and the store: `[a-z0-9_]`, never renamed.
    pub key: String,
    /// Its address; `{year}` stands for the year in Chile.
    pub url: String,
    /// What kind of page it is.
    pub kind: Kind,
    /// What its entries are where the page doesn't say.
    #[serde(default)]
    pub tipo: Tipo,
    /// Hours from one visit to the next, where every run is too often.
    #[serde(default)]
    pub every_hours: Option<u32>,
    /// Whether the documents that an index lists are watched themselves, beyond being read once
    /// when they are new.
    #[serde(default)]
    pub watch_documents: bool,
}

/// What kind of page a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A list of documents.
    Index,
    /// Running text.
    Article,
    /// A PDF.
    Pdf,
    /// Questions and answers.
    Faq,
    /// An XML schema.
    Xsd,
    /// A table of values, such as the UTM.
    Table,
}

/// One page of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRef {
    /// The page's own key: the source's, and the year's where it has one.
    pub key: String,
    /// Its address.
    pub url: Url,
    /// Its year, where its address has one.
    pub year: Option<i16>,
}

/// What is wrong with a source's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Its key is empty, too long, or has other letters than `[a-z0-9_]`.
    #[error("source {0:?}: a key has 1 to 60 of a-z, 0-9 and _")]
    Key(String),
    /// Another source has its key.
    #[error("source {0:?} is there twice")]
    Twice(String),
    /// Its address is none.
    #[error("source {0:?}: the url is no http or https address")]
    Url(String),
    /// Zero hours between visits.
    #[error("source {0:?}: every_hours must be 1 or more")]
    Every(String),
    /// There are too many.
    #[error("more than {MAX_SOURCES} sources")]
    TooMany,
}

impl Source {
    /// A source of this key, address and kind, with everything else by default.
    #[must_use]
    pub fn new(key: &str, url: &str, kind: Kind) -> Self {
        Self {
            key: key.to_owned(),
            url: url.to_owned(),
            kind,
            tipo: Tipo::default(),
            every_hours: None,
            watch_documents: false,
        }
    }

    /// The pages to watch on a day in Chile: with `{year}` that year's, and until the end of
    /// March the year's before as well, where late documents still appear.
    #[must_use]
    pub fn pages(&self, today: Date) -> Vec<PageRef> {
        let page = |key: String, url: &str, year| {
            let url = Url::parse(url).ok()?;
            Some(PageRef { key, url, year })
        };
        if !self.url.contains("{year}") {
            return page(self.key.clone(), &self.url, None)
                .into_iter()
                .collect();
        }
        let year = today.year();
        let before = (today.month() <= BOTH_YEARS_THROUGH).then_some(year - 1);
        [Some(year), before]
            .into_iter()
            .flatten()
            .filter_map(|year| {
                let url = self.url.replace("{year}", &year.to_string());
                page(format!("{}:{year}", self.key), &url, Some(year))
            })
            .collect()
    }

    /// The age from which a page that wasn't visited with success is stale: two visits missed,
    /// and an hour for shifts and retries.
    #[must_use]
    pub fn stale_after(&self, schedule: &Schedule) -> SignedDuration {
        let rest = i64::from(self.every_hours.unwrap_or_default()) * 3_600;
        let every = schedule.every().as_secs().max(rest);
        SignedDuration::from_secs(every * 2 + 3_600)
    }

    fn check(&self) -> Result<(), SourceError> {
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let fits = (1..=MAX_KEY).contains(&self.key.len()) && self.key.bytes().all(letters);
        if !fits {
            return Err(SourceError::Key(self.key.clone()));
        }
        let url = Url::parse(&self.url.replace("{year}", "2026"));
        let web = url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !web {
            return Err(SourceError::Url(self.key.clone()));
        }
        if self.every_hours == Some(0) {
            return Err(SourceError::Every(self.key.clone()));
        }
        Ok(())
    }
}

/// Checks a list of sources together.
///
/// # Errors
/// The first [`SourceError`].
pub fn check(sources: &[Source]) -> Result<(), SourceError> {
    if sources.len() > MAX_SOURCES {
        return Err(SourceError::TooMany);
    }
    let mut keys = HashSet::new();
    for source in sources {
        source.check()?;
        if !keys.insert(&source.key) {
            return Err(SourceError::Twice(source.key.clone()));
        }
    }
    Ok(())
}

/// The sources that fit a Chilean company. An address that has moved since shows in the status
/// as `not_found`: put the new one into the configuration.
#[must_use]
pub fn defaults() -> Vec<Source> {
    use Kind::{Article, Faq, Index, Pdf, Table};
    const SII: &str = "https://www.sii.cl";
    let of = |key: &str, path: &str, kind| Source::new(key, &format!("{SII}{path}"), kind);
    let index = |key: &str, path: &str, tipo| Source {
        tipo,
        ..of(key, path, Index)
    };
    let daily = |source: Source| Source {
        every_hours: Some(24),
        ..source
    };
    vec![
        index(
            "circulares",
            "/normativa_legislacion/circulares/{year}/indcir{year}.htm",
            Tipo::Circular,
        ),
        index(
            "resoluciones",
            "/normativa_legislacion/resoluciones/{year}/res_ind{year}.htm",
            Tipo::Resolucion,
        ),
        of(
            "fe_normativa",
            "/factura_electronica/normativa.htm",
            Article,
        ),
        of("fe_formato", "/factura_electronica/formato_dte.pdf", Pdf),
        Source {
            watch_documents: true,
            ..of("fe_esquemas", "/factura_electronica/formato_xml.htm", Index)
        },
        of(
            "boleta",
            "/destacados/boletas_electronicas/index.html",
            Article,
        ),
        daily(of(
            "preguntas_frecuentes",
            "/preguntas_frecuentes/factura_electronica/arbol_factura_electronica_2349.htm",
            Faq,
        )),
        of("noticias", "/noticias/{year}/index.html", Index),
        daily(of("uf", "/valores_y_fechas/uf/uf{year}.htm", Table)),
        daily(of("utm", "/valores_y_fechas/utm/utm{year}.htm", Table)),
        daily(of(
            "impuesto_segunda_categoria",
            "/valores_y_fechas/impuesto_2da_categoria/impuesto{year}.htm",
            Table,
        )),
        daily(Source::new(
            "previred",
            "https://www.previred.com/indicadores-previsionales/",
            Table,
        )),
    ]
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn keys(source: &Source, day: Date) -> Vec<String> {
        source.pages(day).into_iter().map(|page| page.key).collect()
    }

    #[test]
    fn the_year_rolls_over_and_both_are_watched_through_march() {
        let source = Source::new("c", "https://a.cl/{year}/i{year}.htm", Kind::Index);
        assert_eq!(keys(&source, date(2026, 12, 31)), ["c:2026"]);
        assert_eq!(keys(&source, date(2027, 1, 1)), ["c:2027", "c:2026"]);
        assert_eq!(keys(&source, date(2027, 3, 31)), ["c:2027", "c:2026"]);
        assert_eq!(keys(&source, date(2027, 4, 1)), ["c:2027"]);
        let page = source.pages(date(2027, 4, 1)).remove(0);
        assert_eq!(page.url.as_str(), "https://a.cl/2027/i2027.htm");
        let fixed = Source::new("f", "https://a.cl/x", Kind::Faq);
        assert_eq!(keys(&fixed, date(2027, 1, 1)), ["f"]);
    }

    #[test]
    fn the_defaults_are_right() {
        let defaults = defaults();
        assert_eq!(check(&defaults), Ok(()));
        assert!(defaults.len() >= 12);
        for source in &defaults {
            assert!(
                !source.pages(date(2026, 11, 22)).is_empty(),
                "{}",
                source.key
            );
        }
    }

    #[test]
    fn a_page_is_stale_when_two_of_its_own_visits_were_missed() {
        let hours = |every_hours, schedule: &Schedule| {
            let source = Source {
                every_hours,
                ..Source::new("a", "https://a.cl/", Kind::Table)
            };
            source.stale_after(schedule).as_hours()
        };
        let six = Schedule::default();
        assert_eq!(hours(None, &six), 13);
        assert_eq!(hours(Some(2), &six), 13);
        assert_eq!(hours(Some(24), &six), 49);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let good = Source::new("a", "https://a.cl/", Kind::Article);
        let with = |change: fn(&mut Source)| {
            let mut source = good.clone();
            change(&mut source);
            check(&[source]).unwrap_err()
        };
        assert_eq!(
            with(|s| s.key = "A b".into()),
            SourceError::Key("A b".into())
        );
        assert_eq!(
            with(|s| s.url = "ftp://a".into()),
            SourceError::Url("a".into())
        );
        assert_eq!(with(|s| s.url = "no".into()), SourceError::Url("a".into()));
        assert_eq!(
            with(|s| s.every_hours = Some(0)),
            SourceError::Every("a".into())
        );
        let twice = check(&[good.clone(), good.clone()]);
        assert_eq!(twice, Err(SourceError::Twice("a".into())));
        assert_eq!(
            check(&vec![good; MAX_SOURCES + 1]),
            Err(SourceError::TooMany)
        );
    }

    #[test]
    fn configuration_reads_as_written() {
        let toml = "key='c'\nurl='https://a.cl/{year}'\nkind='index'\ntipo='circular'";
        let source: Source = toml::from_str(toml).unwrap();
        assert_eq!((source.kind, source.tipo), (Kind::Index, Tipo::Circular));
        assert!(toml::from_str::<Source>("key='c'\nurl='x'\nkind='index'\nmore=1").is_err());
    }
}
