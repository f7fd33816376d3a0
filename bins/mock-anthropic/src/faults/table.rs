//! Which request gets which fault.

use std::{collections::HashMap, str::FromStr};

use super::{Fault, FaultError};

/// Most rules at once.
const MAX_RULES: usize = 100;

/// Most different `x-mock-fault` headers whose uses are remembered.
const MAX_COUNTED_HEADERS: usize = 1_000;

/// A fault and the requests that it strikes. Its text form is
/// `name[=parameter][;times=N][;probability=P][;path=/v1/...]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// How many requests it strikes; `None`: all until the faults are cleared.
    pub times: Option<u32>,
    /// Share of requests that it strikes, 0 to 1, drawn from the server's seed; `None`: all.
    pub probability: Option<f64>,
    /// The only path that it strikes; `None`: every path under `/v1/`.
    pub path: Option<String>,
}

impl FaultRule {
    /// Strikes the next `times` requests.
    #[must_use]
    pub fn times(fault: Fault, times: u32) -> Self {
        Self {
            times: Some(times),
            ..Self::always(fault)
        }
    }

    /// Strikes every request.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self {
            fault,
            times: None,
            probability: None,
            path: None,
        }
    }

    fn fits(&self, path: &str, draw: f64) -> bool {
        self.times != Some(0)
            && self.path.as_deref().is_none_or(|own| own == path)
            && self.probability.is_none_or(|share| draw < share)
    }
}

impl FromStr for FaultRule {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(';');
        let mut rule = Self::always(parts.next().unwrap_or_default().parse()?);
        for part in parts {
            let wrong = || FaultError::Option(part.trim().to_owned());
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let value = value.trim();
            match name.trim() {
                "times" => rule.times = Some(value.parse().map_err(|_| wrong())?),
                "path" => rule.path = Some(value.to_owned()),
                "probability" => {
                    let share = value
                        .parse()
                        .ok()
                        .filter(|share| (0.0..=1.0).contains(share));
                    rule.probability = Some(share.ok_or_else(wrong)?);
                }
                _ => return Err(wrong()),
            }
        }
        Ok(rule)
    }
}

/// Why a fault was not taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TableError {
    Parse(FaultError),
    Full,
}

impl std::fmt::Display for TableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Parse(error) => error.fmt(f),
            Self::Full => f.write_str("too many faults are remembered; clear them first"),
        }
    }
}

/// The rules in force, and how often each counted header was seen.
#[derive(Debug, Default)]
pub(crate) struct FaultTable {
    rules: Vec<FaultRule>,
    header_uses: HashMap<String, u32>,
}

impl FaultTable {
    pub(crate) fn add(&mut self, rule: FaultRule) -> Result<(), TableError> {
        self.rules.retain(|rule| rule.times != Some(0));
        if self.rules.len() >= MAX_RULES {
            return Err(TableError::Full);
        }
        self.rules.push(rule);
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.header_uses.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules that can still strike.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &FaultRule> {
        self.rules.iter().filter(|rule| rule.times != Some(0))
    }

    /// The fault that strikes a request to `path`: the header's, else the first rule that fits.
    /// `draw` gives a number in 0..1 for each rule with a probability.
    pub(crate) fn strike(
        &mut self,
        path: &str,
        header: Option<&str>,
        mut draw: impl FnMut() -> f64,
    ) -> Result<Option<Fault>, TableError> {
        if let Some(header) = header {
            return self.strike_by_header(path, header, draw());
        }
        let hit = self.rules.iter_mut().find(|rule| {
            let drawn = if rule.probability.is_some() {
                draw()
            } else {
                0.0
            };
            rule.fits(path, drawn)
        });
        Ok(hit.map(|rule| {
            rule.times = rule.times.map(|left| left - 1);
            rule.fault.clone()
        }))
    }

    /// A client repeats its headers when it retries, so `times` counts over all requests
    /// whose header has the same text.
    fn strike_by_header(
        &mut self,
        path: &str,
        header: &str,
        draw: f64,
    ) -> Result<Option<Fault>, TableError> {
        let rule: FaultRule = header.parse().map_err(TableError::Parse)?;
        if !rule.fits(path, draw) {
            return Ok(None);
        }
        if let Some(times) = rule.times {
            let full = self.header_uses.len() >= MAX_COUNTED_HEADERS;
            if full && !self.header_uses.contains_key(header) {
                return Err(TableError::Full);
            }
            let uses = self.header_uses.entry(header.to_owned()).or_default();
            if *uses >= times {
                return Ok(None);
            }
            *uses += 1;
        }
        Ok(Some(rule.fault))
    }
}
