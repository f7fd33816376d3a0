//! What speaks for a project, as a few numbers from 0 to 1.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{MAX_PURCHASES, Project, ProjectQuery};
use crate::choice::weighted;
use crate::coefficients;
use crate::text::{MAX_TOKENS, Token, fold, similarity, tokens};

/// After so many days a purchase counts half.
const HALF_LIFE_DAYS: f64 = 180.0;
/// The most distinct tokens of an invoice that are looked at.
const MAX_WORDS: usize = 400;

/// What speaks for a project. Each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ProjectFeatures {
    /// Its part of the supplier's earlier purchases, the newer the heavier; a little less
    /// where there are few.
    pub history: f64,
    /// 1 where the supplier's last purchase was for it.
    pub latest: f64,
    /// The part of its name's and of its purchases' words that the lines have.
    pub text: f64,
    /// 1 where the lines have its code or all of its name.
    pub mention: f64,
    /// The part of its client's name that the lines have.
    pub client: f64,
    /// 1 where it is done, closed or cancelled.
    pub closed: f64,
    /// 1 where the purchase is over its budget.
    pub over_budget: f64,
}

impl ProjectFeatures {
    /// The values, after a constant 1.
    #[must_use]
    pub const fn values(&self) -> [f64; 8] {
        [
            1.0,
            self.history,
            self.latest,
            self.text,
            self.mention,
            self.client,
            self.closed,
            self.over_budget,
        ]
    }

    /// The weighted sum: the logarithm of the odds against "none of them".
    pub(crate) fn sum(&self) -> f64 {
        weighted(&coefficients::PROJECT, &self.values())
    }
}

/// The question, read once for all projects.
pub(crate) struct Reader {
    words: BTreeSet<Token>,
    /// The lines' text, folded, between spaces.
    text: String,
    amount: Option<Decimal>,
    /// By a project's name, folded.
    history: BTreeMap<String, Past>,
    weight: f64,
    pub purchases: usize,
    latest: BTreeSet<String>,
}

/// The purchases for one project.
#[derive(Debug, Clone, Default)]
struct Past {
    count: usize,
    weight: f64,
    words: BTreeSet<Token>,
}

impl Reader {
    pub fn new(query: &ProjectQuery) -> Self {
        let mut words = BTreeSet::new();
        let mut text = String::from(" ");
        for line in &query.lines {
            if words.len() < MAX_WORDS {
                words.extend(tokens(&line.description));
                text.push_str(&plain(&line.description));
                text.push(' ');
            }
        }
        let purchases = query.history.iter().take(MAX_PURCHASES);
        let last = purchases.clone().filter_map(|purchase| purchase.date).max();
        let mut history: BTreeMap<String, Past> = BTreeMap::new();
        let mut latest = BTreeSet::new();
        for purchase in purchases {
            let name = plain(&purchase.project);
            if purchase.date.is_some() && purchase.date == last {
                latest.insert(name.clone());
            }
            let past = history.entry(name).or_default();
            past.count += 1;
            past.weight += recency(purchase.date, last);
            if past.words.len() < MAX_WORDS {
                past.words
                    .extend(purchase.description.iter().flat_map(|text| tokens(text)));
            }
        }
        let amounts = query.lines.iter().map(|line| {
            line.amount
                .or_else(|| line.quantity?.checked_mul(line.unit_price?))
        });
        let amount = amounts
            .flatten()
            .try_fold(Decimal::ZERO, Decimal::checked_add);
        Self {
            words,
            text,
            amount,
            weight: history.values().map(|past| past.weight).sum(),
            purchases: history.values().map(|past| past.count).sum(),
            history,
            latest,
        }
    }

    /// What speaks for a project.
    pub fn features(&self, project: &Project) -> ProjectFeatures {
        let keys = keys(project);
        let pasts = || keys.iter().filter_map(|key| self.history.get(key));
        let weight: f64 = pasts().map(|past| past.weight).sum();
        let share = if self.weight > 0.0 {
            weight / self.weight
        } else {
            0.0
        };
        let certainty = self.weight / (self.weight + 0.5);
        let own = self.part(tokens(&project.name));
        let bought = self.part(
            pasts()
                .flat_map(|past| past.words.iter().cloned())
                .collect(),
        );
        ProjectFeatures {
            history: share * certainty,
            latest: flag(keys.iter().any(|key| self.latest.contains(key))),
            text: own.max(0.8 * bought),
            mention: flag(self.mentions(project)),
            client: project
                .client
                .as_deref()
                .map_or(0.0, |client| self.part(tokens(client))),
            closed: flag(is_closed(project)),
            over_budget: flag(self.is_over_budget(project)),
        }
    }

    /// How many earlier purchases were for a project.
    pub fn count(&self, project: &Project) -> usize {
        let keys = keys(project);
        keys.iter()
            .filter_map(|key| self.history.get(key))
            .map(|past| past.count)
            .sum()
    }

    /// The part of some tokens that the lines have.
    fn part(&self, wanted: Vec<Token>) -> f64 {
        let wanted = wanted.get(..MAX_TOKENS).unwrap_or(&wanted);
        if wanted.is_empty() {
            return 0.0;
        }
        let found = |token: &Token| -> f64 {
            if self.words.contains(token) {
                return 1.0;
            }
            let alike = self.words.iter().map(|word| similarity(word, token));
            f64::from(alike.fold(0.0_f32, f32::max))
        };
        wanted.iter().map(found).sum::<f64>() / wanted.len() as f64
    }

    fn mentions(&self, project: &Project) -> bool {
        keys(project).iter().any(|key| {
            let telling =
                key.len() >= 4 || key.len() >= 2 && key.bytes().any(|b| b.is_ascii_digit());
            telling && self.text.contains(&format!(" {key} "))
        })
    }

    pub fn is_over_budget(&self, project: &Project) -> bool {
        let budget = project.budget.filter(|budget| *budget > Decimal::ZERO);
        budget
            .zip(self.amount)
            .is_some_and(|(budget, amount)| amount > budget)
    }
}

/// What a project may be called: its name, its code, both.
fn keys(project: &Project) -> Vec<String> {
    let code = project.code.as_deref().unwrap_or_default();
    let texts = [
        project.name.clone(),
        code.to_owned(),
        format!("{code} {}", project.name),
        format!("{} {code}", project.name),
    ];
    let mut keys: Vec<String> = texts
        .iter()
        .map(|text| plain(text))
        .filter(|key| !key.is_empty())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Folded, with single spaces.
fn plain(text: &str) -> String {
    fold(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

const fn flag(set: bool) -> f64 {
    if set { 1.0 } else { 0.0 }
}

/// 1 on the day of the last purchase, ½ a half-life before; ½ without a date.
fn recency(date: Option<Date>, last: Option<Date>) -> f64 {
    let age = date
        .zip(last)
        .and_then(|(date, last)| last.since(date).ok());
    age.map_or(0.5, |age| {
        0.5_f64.powf(f64::from(age.get_days()) / HALF_LIFE_DAYS)
    })
}

pub(crate) fn is_closed(project: &Project) -> bool {
    let state = plain(project.state.as_deref().unwrap_or_default());
    let closed = [
        "done", "close", "cancel", "cerrad", "terminad", "cancelad", "finaliz", "archiv", "anulad",
    ];
    closed.iter().any(|start| state.starts_with(start))
}
