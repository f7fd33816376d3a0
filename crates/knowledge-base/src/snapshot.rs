//! What is known at one moment. Never changed: a change makes another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Config;
use crate::document::Entry;
use crate::error::KnowledgeError;
use crate::modules::Modules;
use crate::query::Query;
use crate::segment::{self, MAX_SLOTS, Segment};
use crate::synonyms::Synonyms;
use crate::text::fold;

/// A large index, and a small one beside it with what changed since.
pub(crate) const SEGMENTS: usize = 2;

/// Changed passages from which on everything is indexed anew.
const MAX_DELTA: usize = 256;

/// All documents, indexed.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    base: Arc<Segment>,
    delta: Arc<Segment>,
    /// Which of the base's entries were replaced or removed.
    dead: Vec<bool>,
    pub(crate) synonyms: Arc<Synonyms>,
    pub(crate) modules: Arc<Modules>,
    /// How many changes there have been.
    pub(crate) generation: u64,
}

/// What a change does to the document with an id: an entry in its place, or none.
pub(crate) type Changes = BTreeMap<String, Option<Arc<Entry>>>;

impl Snapshot {
    /// Everything indexed anew.
    ///
    /// # Errors
    ///
    /// [`KnowledgeError::Capacity`].
    pub(crate) fn build(
        entries: Vec<Arc<Entry>>,
        synonyms: Arc<Synonyms>,
        modules: Arc<Modules>,
        config: &Config,
    ) -> Result<Self, KnowledgeError> {
        check_capacity(&entries, config)?;
        let base = segment::build(entries, &config.ranking, None).ok_or(TOO_MUCH)?;
        Ok(Self {
            dead: vec![false; base.entries.len()],
            base: Arc::new(base),
            delta: Arc::default(),
            synonyms,
            modules,
            generation: 0,
        })
    }

    /// The same with some documents changed.
    ///
    /// # Errors
    ///
    /// [`KnowledgeError::Capacity`]: then nothing changes.
    pub(crate) fn with(&self, changes: Changes, config: &Config) -> Result<Self, KnowledgeError> {
        let mut dead = self.dead.clone();
        let mut delta: BTreeMap<&str, &Arc<Entry>> = self
            .delta
            .entries
            .iter()
            .map(|entry| (entry.document.id.as_str(), entry))
            .collect();
        for (id, entry) in &changes {
            if let Some(dead) = self.base.find(id).and_then(|place| dead.get_mut(place)) {
                *dead = true;
            }
            match entry {
                Some(entry) => delta.insert(id, entry),
                None => delta.remove(id.as_str()),
            };
        }
        let delta: Vec<Arc<Entry>> = delta.into_values().map(Arc::clone).collect();
        let passages: usize = delta.iter().map(|entry| entry.passages.len()).sum();
        let gone = dead.iter().filter(|dead| **dead).count();
        let next = Self {
            base: Arc::clone(&self.base),
            delta: Arc::default(),
            dead,
            synonyms: Arc::clone(&self.synonyms),
            modules: Arc::clone(&self.modules),
            generation: self.generation + 1,
        };
        if passages > MAX_DELTA || gone > next.base.entries.len() / 4 {
            let entries = merged(next.live_base(), delta);
            let built = Self::build(entries, next.synonyms, next.modules, config)?;
            return Ok(Self {
                generation: next.generation,
                ..built
            });
        }
        let live: Vec<Arc<Entry>> = merged(next.live_base(), delta.clone());
        check_capacity(&live, config)?;
        let averages = (next.base.slots() > 0).then_some(next.base.averages);
        let delta = segment::build(delta, &config.ranking, averages).ok_or(TOO_MUCH)?;
        Ok(Self {
            delta: Arc::new(delta),
            ..next
        })
    }

    /// The same with other synonyms and modules.
    pub(crate) fn with_tables(&self, synonyms: Arc<Synonyms>, modules: Arc<Modules>) -> Self {
        Self {
            base: Arc::clone(&self.base),
            delta: Arc::clone(&self.delta),
            dead: self.dead.clone(),
            synonyms,
            modules,
            generation: self.generation + 1,
        }
    }

    pub(crate) fn segments(&self) -> [&Segment; SEGMENTS] {
        [&self.base, &self.delta]
    }

    pub(crate) fn segment(&self, index: usize) -> Option<&Segment> {
        self.segments().get(index).copied()
    }

    /// Passages of all segments, also of documents that have been replaced since.
    pub(crate) fn slots(&self) -> usize {
        self.base.slots() + self.delta.slots()
    }

    /// The documents, ordered by id.
    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        merged(self.live_base(), self.delta.entries.clone())
    }

    /// The document with this id.
    pub(crate) fn find(&self, id: &str) -> Option<&Arc<Entry>> {
        if let Some(place) = self.delta.find(id) {
            return self.delta.entries.get(place);
        }
        let place = self.base.find(id).filter(|place| !self.is_dead(*place))?;
        self.base.entries.get(place)
    }

    /// The slot in a segment of the passage with this id.
    pub(crate) fn slot(&self, segment: usize, passage_id: &str) -> Option<usize> {
        let (id, number) = passage_id.rsplit_once('#')?;
        let number: usize = number.parse().ok()?;
        let index = self.segment(segment)?;
        let slots = index.slots_of(index.find(id)?);
        slots.clone().nth(number)
    }

    /// Whether a passage may be shown: it hasn't been replaced, and passes the filters.
    pub(crate) fn allows(&self, segment: usize, slot: usize, query: &Query) -> bool {
        let entry = self
            .segment(segment)
            .and_then(|segment| segment.entry_of(slot));
        let Some((place, entry)) = entry else {
            return false;
        };
        if segment == 0 && self.is_dead(place) {
            return false;
        }
        let document = &entry.document;
        let module = query.modules.is_empty() || query.modules.contains(&document.module);
        let tagged = || {
            let mut tags = document.tags.iter();
            query.tags.is_empty() || tags.any(|tag| query.tags.contains(&fold(tag)))
        };
        module && query.today.is_none_or(|today| entry.holds_on(today)) && tagged()
    }

    fn is_dead(&self, place: usize) -> bool {
        self.dead.get(place).copied().unwrap_or(true)
    }

    fn live_base(&self) -> Vec<Arc<Entry>> {
        let entries = self.base.entries.iter().zip(&self.dead);
        entries
            .filter(|(_, dead)| !**dead)
            .map(|(entry, _)| Arc::clone(entry))
            .collect()
    }
}

const TOO_MUCH: KnowledgeError = KnowledgeError::Capacity {
    what: "text",
    count: usize::MAX,
    limit: u32::MAX as usize,
};

fn merged(base: Vec<Arc<Entry>>, delta: Vec<Arc<Entry>>) -> Vec<Arc<Entry>> {
    let mut all = base;
    all.extend(delta);
    all.sort_by(|one, other| one.document.id.cmp(&other.document.id));
    all
}

fn check_capacity(entries: &[Arc<Entry>], config: &Config) -> Result<(), KnowledgeError> {
    let over = |what, count, limit| match count > limit {
        true => Err(KnowledgeError::Capacity { what, count, limit }),
        false => Ok(()),
    };
    over("documents", entries.len(), config.max_documents)?;
    let passages = entries.iter().map(|entry| entry.passages.len()).sum();
    over("passages", passages, config.max_passages.min(MAX_SLOTS))
}
