//! The knowledge base: searched by many, changed by one at a time, never waited for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::civil::Date;
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;

use crate::config::Config;
use crate::dense::{DenseRetriever, Ranked};
use crate::document::{Document, Entry};
use crate::error::{DocumentError, KnowledgeError, LoadError};
use crate::folder::{self, FolderState};
use crate::hit::Hit;
use crate::modules::{Module, ModuleChoice};
use crate::query::Query;
use crate::search;
use crate::snapshot::{Changes, Snapshot};
use crate::stats::Stats;

/// Documents, found by questions. A clone is another handle of the same.
#[derive(Debug, Clone)]
pub struct KnowledgeBase {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    folder: Option<PathBuf>,
    current: ArcSwap<Snapshot>,
    /// Whoever changes anything holds it, so that no change is lost.
    writer: Arc<Mutex<FolderState>>,
    generation: watch::Sender<u64>,
}

/// What a [`KnowledgeBase::reload`] found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ReloadReport {
    /// New documents.
    pub added: usize,
    /// Documents with another text or other particulars.
    pub changed: usize,
    /// Documents whose files are gone.
    pub removed: usize,
    /// Whether synonyms or modules were read anew.
    pub tables: bool,
    /// Files that are wrong; of them stays what there was before.
    pub errors: Vec<LoadError>,
}

impl KnowledgeBase {
    /// How long a dense retriever may take before a search goes on without it.
    pub const DENSE_DEADLINE: Duration = Duration::from_millis(500);
    /// How many passages a dense retriever is asked for.
    pub const DENSE_LIMIT: usize = 50;

    /// Reads a folder: `**/*.md` with front matter, `sinonimos.txt`, `modules/*.toml`. Files
    /// and folders that begin with a point, and `README.md`, are left out.
    ///
    /// # Errors
    ///
    /// [`KnowledgeError::Load`] with every file that is wrong, [`KnowledgeError::Capacity`].
    pub async fn open(folder: impl Into<PathBuf>, config: Config) -> Result<Self, KnowledgeError> {
        let base = Self::make(Some(folder.into()), sane(config), Snapshot::default());
        let report = base.reload().await?;
        if report.errors.is_empty() {
            Ok(base)
        } else {
            Err(KnowledgeError::Load(report.errors))
        }
    }

    /// Indexes documents, without a folder. It computes on the calling thread: about 50 µs a
    /// passage.
    ///
    /// # Errors
    ///
    /// [`KnowledgeError::Document`] for one that is wrong or there twice,
    /// [`KnowledgeError::Capacity`].
    pub fn from_documents(
        documents: impl IntoIterator<Item = Document>,
        config: Config,
    ) -> Result<Self, KnowledgeError> {
        let config = sane(config);
        let mut entries = BTreeMap::new();
        for document in documents {
            let entry = Entry::new(document, config.max_passage_chars, false)?;
            let id = entry.document.id.clone();
            if entries.insert(id.clone(), Arc::new(entry)).is_some() {
                return Err(DocumentError::Duplicate(id).into());
            }
        }
        let entries = entries.into_values().collect();
        let snapshot = Snapshot::build(entries, Arc::default(), Arc::default(), &config)?;
        Ok(Self::make(None, config, snapshot))
    }

    /// Indexes a folder that is in memory, as one that a binary carries in itself: the text of
    /// each file by its path from the root, with the names that [`KnowledgeBase::open`] knows.
    /// It computes on the calling thread.
    ///
    /// # Errors
    ///
    /// [`KnowledgeError::Load`] with every file that is wrong, [`KnowledgeError::Capacity`].
    pub fn from_files(files: &[(&str, &str)], config: Config) -> Result<Self, KnowledgeError> {
        let config = sane(config);
        let contents = folder::contents(files, &config).map_err(KnowledgeError::Load)?;
        let (entries, synonyms, modules) = contents;
        let snapshot = Snapshot::build(entries, synonyms, modules, &config)?;
        Ok(Self::make(None, config, snapshot))
    }

    /// The same documents with the relations of a synonyms file (`a = b`, `a > b, c`).
    ///
    /// # Errors
    ///
    /// [`KnowledgeError::Load`] with the line that has no meaning.
    pub fn with_synonyms(self, text: &str) -> Result<Self, KnowledgeError> {
        let synonyms = crate::synonyms::Synonyms::parse(text).map_err(|(line, why)| {
            let kind = crate::LoadErrorKind::Synonyms(why);
            let file = Path::new("synonyms");
            KnowledgeError::Load(vec![LoadError::new(file, Some(line), kind)])
        })?;
        let current = self.shared.current.load();
        let next = current.with_tables(Arc::new(synonyms), Arc::clone(&current.modules));
        drop(current);
        self.shared.publish(next);
        Ok(self)
    }

    fn make(folder: Option<PathBuf>, config: Config, snapshot: Snapshot) -> Self {
        let shared = Shared {
            config,
            folder,
            generation: watch::Sender::new(snapshot.generation),
            current: ArcSwap::from_pointee(snapshot),
            writer: Arc::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The passages that answer a question best, best first, by words alone. It never waits;
    /// it computes for some 0.1 ms over 3,000 passages (1 ms over 20,000). A change that
    /// happens meanwhile is seen wholly or not at all.
    #[must_use]
    pub fn search(&self, query: &Query) -> Vec<Hit> {
        let snapshot = self.shared.current.load();
        search::search(&snapshot, &self.shared.config.ranking, query, &[])
    }

    /// The same with a dense retriever's ranking joined to it. Where that fails or takes longer
    /// than [`KnowledgeBase::DENSE_DEADLINE`], it is [`KnowledgeBase::search`].
    pub async fn search_with(&self, query: &Query, dense: &dyn DenseRetriever) -> Vec<Hit> {
        let ranked = dense.rank(query.text(), Self::DENSE_LIMIT);
        let mut ranked: Vec<Ranked> = match tokio::time::timeout(Self::DENSE_DEADLINE, ranked).await
        {
            Ok(Ok(ranked)) => ranked,
            Ok(Err(error)) => {
                tracing::warn!(%error, retryable = error.retryable, "searching by words alone");
                Vec::new()
            }
            Err(_) => {
                tracing::warn!("the dense retriever is late: searching by words alone");
                Vec::new()
            }
        };
        ranked.truncate(Self::DENSE_LIMIT);
        let snapshot = self.shared.current.load();
        search::search(&snapshot, &self.shared.config.ranking, query, &ranked)
    }

    /// The module that a question belongs to, by the passages it finds and the modules'
    /// keywords together; `None` where there are no modules.
    #[must_use]
    pub fn choose_module(&self, question: &str) -> Option<ModuleChoice> {
        let snapshot = self.shared.current.load();
        let about = search::about(&snapshot, &self.shared.config.ranking, question);
        snapshot.modules.choose(&about)
    }

    /// [`KnowledgeBase::search`] and [`KnowledgeBase::choose_module`] of the query's text: the
    /// same answers from one state of the base, for little more than the search's work.
    #[must_use]
    pub fn search_and_choose(&self, query: &Query) -> (Vec<Hit>, Option<ModuleChoice>) {
        let snapshot = self.shared.current.load();
        let ranking = &self.shared.config.ranking;
        let (hits, about) = search::search_and_about(&snapshot, ranking, query);
        (hits, snapshot.modules.choose(&about))
    }

    /// The modules, ordered by name.
    #[must_use]
    pub fn modules(&self) -> Vec<Arc<Module>> {
        let snapshot = self.shared.current.load();
        snapshot.modules.all().map(Arc::clone).collect()
    }

    /// Adds a document, or puts it in the place of the one with its id.
    ///
    /// # Errors
    ///
    /// [`KnowledgeError::Document`], [`KnowledgeError::Capacity`]; then nothing changes.
    pub async fn upsert(&self, document: Document) -> Result<(), KnowledgeError> {
        let entry = Entry::new(document, self.shared.config.max_passage_chars, false)?;
        let id = entry.document.id.clone();
        self.change(move |_| Ok(Some((id, Some(Arc::new(entry))))))
            .await
            .map(drop)
    }

    /// Removes a document; says whether there was one.
    ///
    /// # Errors
    ///
    /// [`KnowledgeError::Interrupted`].
    pub async fn remove(&self, id: &str) -> Result<bool, KnowledgeError> {
        let id = id.to_owned();
        self.change(move |snapshot| Ok(snapshot.find(&id).map(|_| (id.clone(), None))))
            .await
    }

    /// Marks a document as superseded: `last_day` is the last on which it holds. Questions of a
    /// later day ([`Query::today`]) don't find it; those without a day do. Says whether there
    /// was such a document. What comes from a file is as its file says again when that changes.
    ///
    /// # Errors
    ///
    /// [`KnowledgeError::Document`] where it would end before it begins.
    pub async fn supersede(&self, id: &str, last_day: Date) -> Result<bool, KnowledgeError> {
        let id = id.to_owned();
        self.change(move |snapshot| match snapshot.find(&id) {
            Some(entry) => Ok(Some((id.clone(), Some(Arc::new(entry.ending(last_day)?))))),
            None => Ok(None),
        })
        .await
    }

    /// Reads what changed in the folder since the last time. Searches go on meanwhile.
    ///
    /// # Errors
    ///
    /// [`KnowledgeError::NoFolder`], [`KnowledgeError::Capacity`] (then nothing changes). Files
    /// that are wrong are in the report.
    pub async fn reload(&self) -> Result<ReloadReport, KnowledgeError> {
        let folder = self.shared.folder.clone().ok_or(KnowledgeError::NoFolder)?;
        self.write(move |shared, state| {
            let snapshot = shared.current.load();
            let (loaded, next_state) = folder::read(&folder, &shared.config, state, &snapshot);
            let mut report = ReloadReport {
                tables: loaded.tables.is_some(),
                errors: loaded.errors,
                ..ReloadReport::default()
            };
            for (id, entry) in &loaded.changes {
                match (entry, snapshot.find(id)) {
                    (Some(_), Some(_)) => report.changed += 1,
                    (Some(_), None) => report.added += 1,
                    (None, _) => report.removed += 1,
                }
            }
            let mut next = None;
            if !loaded.changes.is_empty() {
                next = Some(snapshot.with(loaded.changes, &shared.config)?);
            }
            if let Some((synonyms, modules)) = loaded.tables {
                let last = next.as_ref().unwrap_or(&snapshot);
                next = Some(last.with_tables(synonyms, modules));
            }
            if let Some(next) = next {
                shared.publish(next);
            }
            *state = next_state;
            Ok(report)
        })
        .await
    }

    /// Reloads the folder every so often, for as long as the watch is kept. To be called on a
    /// tokio runtime with its timer on, like everything here that is `async`.
    #[must_use]
    pub fn watch(&self, every: Duration) -> Watch {
        let base = self.clone();
        let task = tokio::spawn(async move {
            let mut timer = tokio::time::interval(every.max(Duration::from_millis(10)));
            timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut told = Vec::new();
            loop {
                timer.tick().await;
                base.reload_and_tell(&mut told).await;
            }
        });
        Watch { task }
    }

    /// Logs what a reload found; the same complaints once.
    async fn reload_and_tell(&self, told: &mut Vec<String>) {
        let complaints = match self.reload().await {
            Ok(report) => {
                let count = report.added + report.changed + report.removed;
                if count > 0 || report.tables {
                    let (added, changed, removed) = (report.added, report.changed, report.removed);
                    tracing::info!(added, changed, removed, "the knowledge folder changed");
                }
                report.errors.iter().map(LoadError::to_string).collect()
            }
            Err(error) => vec![error.to_string()],
        };
        if complaints != *told {
            for complaint in &complaints {
                tracing::warn!(complaint, "the knowledge folder has a defect");
            }
            *told = complaints;
        }
    }

    /// Counts the changes: each one that can be searched makes the figure larger.
    #[must_use]
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.shared.generation.subscribe()
    }

    /// Passages that a search goes over, at once.
    #[must_use]
    pub fn passages(&self) -> usize {
        self.shared.current.load().slots()
    }

    /// What there is, in figures. It looks at every document.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats::of(&self.shared.current.load())
    }

    /// Changes one document, or none.
    async fn change<F>(&self, decide: F) -> Result<bool, KnowledgeError>
    where
        F: FnOnce(&Snapshot) -> Result<Option<(String, Option<Arc<Entry>>)>, KnowledgeError>
            + Send
            + 'static,
    {
        self.write(move |shared, _| {
            let snapshot = shared.current.load();
            let Some(change) = decide(&snapshot)? else {
                return Ok(false);
            };
            let next = snapshot.with(Changes::from([change]), &shared.config)?;
            shared.publish(next);
            Ok(true)
        })
        .await
    }

    /// Does a change off the runtime. It goes on where the caller stops waiting.
    async fn write<T, F>(&self, work: F) -> Result<T, KnowledgeError>
    where
        T: Send + 'static,
        F: FnOnce(&Shared, &mut FolderState) -> Result<T, KnowledgeError> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let mut state = Arc::clone(&shared.writer).lock_owned().await;
        spawn_blocking(move || work(&shared, &mut state))
            .await
            .map_err(|_| KnowledgeError::Interrupted)?
    }
}

impl Shared {
    fn publish(&self, next: Snapshot) {
        let generation = next.generation;
        self.current.store(Arc::new(next));
        self.generation.send_replace(generation);
    }
}

fn sane(mut config: Config) -> Config {
    config.ranking = config.ranking.sane();
    config
}

/// A folder being watched; dropping it ends that.
#[derive(Debug)]
pub struct Watch {
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
