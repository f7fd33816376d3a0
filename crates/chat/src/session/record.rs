//! A session as it is stored, and what becomes of its turns.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ShownMessage;
use crate::aside::{Aside, MAX_TURNS};
use crate::{ChatError, Tenant, UserContext};

/// An open question as old as this has lost its process.
const OPEN_LIMIT: Duration = Duration::from_secs(600);
/// Earlier questions in a summary, and the longest of them in characters.
const SUMMARY_LINES: usize = 10;
const SUMMARY_CHARS: usize = 120;
/// Names of turns that a session remembers to have taken in: more than can lie beside it.
const MAX_TAKEN: usize = 16 * MAX_TURNS;

/// A session as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    pub(super) company: Option<u64>,
    pub(super) context: UserContext,
    pub(super) next: u64,
    pub(super) summary: Vec<String>,
    pub(super) turns: Vec<Turn>,
    /// Turns that lay beside it, so that none is taken in twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) taken: Vec<String>,
}

const VERSION: u32 = 1;

/// A question and its answer, where there is one yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) number: u64,
    /// Its name wherever it lies; empty in sessions from before there was one.
    #[serde(default)]
    pub(crate) id: String,
    pub(crate) question: String,
    #[serde(with = "crate::millis")]
    pub(crate) asked: Timestamp,
    pub(crate) answer: Option<Said>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) text: String,
    #[serde(with = "crate::millis")]
    pub(crate) at: Timestamp,
    pub(crate) plugin: Option<String>,
    pub(crate) partial: bool,
}

impl Record {
    /// One in which nothing was said.
    pub(super) fn new(tenant: &Tenant, context: UserContext) -> Self {
        Self {
            version: VERSION,
            company: tenant.company,
            context,
            next: 0,
            summary: Vec::new(),
            turns: Vec::new(),
            taken: Vec::new(),
        }
    }

    /// Puts a turn last, under its number.
    pub(super) fn push(&mut self, mut turn: Turn) -> Turn {
        turn.number = self.next;
        self.next += 1;
        self.turns.push(turn.clone());
        turn
    }

    /// Gives a turn its answer, if it is here.
    pub(super) fn complete(&mut self, turn: &Turn) -> bool {
        let here = self.turns.iter_mut().find(|here| here.is(turn));
        let is_here = here.is_some();
        if let Some(here) = here {
            here.answer.clone_from(&turn.answer);
        }
        is_here
    }

    /// Takes in a turn that lay beside the session, once.
    pub(super) fn take(&mut self, turn: Turn) {
        if self.taken.contains(&turn.id) {
            return;
        }
        self.taken.push(turn.id.clone());
        let old = self.taken.len().saturating_sub(MAX_TAKEN);
        self.taken.drain(..old);
        if !self.complete(&turn) {
            self.push(turn);
        }
    }

    /// Takes in what lay beside the session and belongs to it; the names of all that needn't lie
    /// there any more.
    pub(super) fn take_in(&mut self, asides: &[Aside], kept: usize) -> Vec<String> {
        for aside in asides {
            if aside.company.is_some() && aside.company != self.company {
                continue;
            }
            if let Some(context) = &aside.context {
                self.context = context.clone();
            }
            self.take(aside.turn.clone());
        }
        if !asides.is_empty() {
            self.trim(kept);
        }
        asides.iter().map(|aside| aside.turn.id.clone()).collect()
    }

    /// Questions whose process was lost are answered by nobody.
    pub(super) fn forget_lost(&mut self, now: Timestamp) {
        self.turns.retain(|turn| {
            let age = now.duration_since(turn.asked);
            turn.answer.is_some() || age.unsigned_abs() < OPEN_LIMIT
        });
    }

    /// Keeps the newest answered turns, and of the older ones what was asked.
    pub(super) fn trim(&mut self, kept: usize) {
        let answered = self
            .turns
            .iter()
            .filter(|turn| turn.answer.is_some())
            .count();
        let mut over = answered.saturating_sub(kept);
        let summary = &mut self.summary;
        self.turns.retain(|turn| {
            let goes = over > 0 && turn.answer.is_some();
            if goes {
                over -= 1;
                let line: String = turn.question.chars().take(SUMMARY_CHARS).collect();
                let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
                summary.push(format!("Antes preguntó: {line}"));
            }
            !goes
        });
        let old = self.summary.len().saturating_sub(SUMMARY_LINES);
        self.summary.drain(..old);
    }
}

impl Turn {
    /// A question that has no answer yet; its session numbers it.
    pub(super) fn asked(question: &str, asked: Timestamp) -> Self {
        Self {
            number: 0,
            id: Uuid::new_v4().simple().to_string(),
            question: question.to_owned(),
            asked,
            answer: None,
        }
    }

    /// Whether it is the same one; those without a name go by their number.
    pub(super) fn is(&self, other: &Self) -> bool {
        match self.id.is_empty() {
            true => self.number == other.number,
            false => self.id == other.id,
        }
    }

    /// What it takes, about.
    pub(crate) fn size(&self) -> usize {
        let answer = self.answer.as_ref().map_or(0, |said| said.text.len());
        size_of::<Self>() + self.question.len() + answer
    }

    pub(super) fn shown(self) -> impl Iterator<Item = ShownMessage> {
        let user = ShownMessage {
            from_assistant: false,
            content: self.question,
            timestamp: self.asked,
            plugin_used: None,
            partial: false,
        };
        let said = self.answer.filter(|said| !said.text.is_empty());
        let assistant = said.map(|said| ShownMessage {
            from_assistant: true,
            content: said.text,
            timestamp: said.at,
            plugin_used: said.plugin,
            partial: said.partial,
        });
        std::iter::once(user).chain(assistant)
    }
}

/// The name in the store. The tenant is in it: another one's session can't even be found.
pub(super) fn name(tenant: &Tenant, id: Uuid) -> String {
    let hash = blake3::hash(tenant.key.as_bytes()).to_hex();
    format!("chat:v1:{}:{id}", hash.get(..32).unwrap_or_default())
}

pub(super) fn encode(record: &Record) -> Result<Vec<u8>, ChatError> {
    serde_json::to_vec(record).map_err(|_| ChatError::Internal)
}

/// A session that nobody knows yet.
pub(crate) struct NewSession {
    pub(crate) id: Uuid,
    pub(super) bytes: Bytes,
}

impl NewSession {
    pub(super) fn of(record: &Record) -> Result<Self, ChatError> {
        Ok(Self {
            id: Uuid::new_v4(),
            bytes: Bytes::from(encode(record)?),
        })
    }
}

/// A session of this tenant; one of another company of the same key is none.
pub(super) fn decode(tenant: &Tenant, bytes: Option<&[u8]>) -> Result<Record, ChatError> {
    let bytes = bytes.ok_or(ChatError::SessionNotFound)?;
    let record: Record = serde_json::from_slice(bytes).map_err(|error| {
        tracing::error!(%error, "a stored session can't be read");
        ChatError::SessionNotFound
    })?;
    let same = tenant.company.is_none() || tenant.company == record.company;
    let known = record.version == VERSION;
    (same && known)
        .then_some(record)
        .ok_or(ChatError::SessionNotFound)
}
