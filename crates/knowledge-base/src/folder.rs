//! A folder of Markdown, read and read again. Blocking: for threads that may wait.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::config::Config;
use crate::document::Entry;
use crate::error::{LoadError, LoadErrorKind};
use crate::front_matter;
use crate::modules::{Module, Modules};
use crate::snapshot::{Changes, Snapshot};
use crate::synonyms::Synonyms;

/// The file of synonyms, in the folder itself.
const SYNONYMS: &str = "sinonimos.txt";
/// The folder of modules.
const MODULES: &str = "modules";
/// Deepest nesting of folders.
const MAX_DEPTH: usize = 8;
/// A file changed so shortly before it was read may change again without a new time stamp.
const TIME_STAMP: Duration = Duration::from_secs(2);

/// What was read of the folder, to read only what changed since.
#[derive(Debug, Default)]
pub(crate) struct FolderState {
    read: BTreeMap<PathBuf, Stamp>,
    /// Whether synonyms and modules have been read, be it that there are none.
    tables: bool,
}

/// By what a change of a file is known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
    /// It may have changed after it was read, within the precision of its time.
    unsure: bool,
}

/// What reading a folder came to.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) changes: Changes,
    pub(crate) tables: Option<(Arc<Synonyms>, Arc<Modules>)>,
    pub(crate) errors: Vec<LoadError>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Document,
    Synonyms,
    Module,
}

/// One reading of a folder.
struct Reader<'a> {
    root: &'a Path,
    config: &'a Config,
    before: &'a FolderState,
    files: BTreeMap<PathBuf, (Kind, Stamp)>,
    errors: Vec<LoadError>,
}

/// Reads what changed since `state`. Documents whose file is gone are removed; a file that is
/// wrong is told and leaves what there was.
pub(crate) fn read(
    root: &Path,
    config: &Config,
    state: &FolderState,
    snapshot: &Snapshot,
) -> (Loaded, FolderState) {
    let mut reader = Reader {
        root,
        config,
        before: state,
        files: BTreeMap::new(),
        errors: Vec::new(),
    };
    reader.walk(root, 0);
    // What couldn't be listed isn't gone.
    let complete = reader.errors.is_empty();
    let mut loaded = Loaded::default();
    let mut next = FolderState::default();
    reader.documents(snapshot, &mut loaded, &mut next);
    if complete {
        removals(root, &reader.files, snapshot, &mut loaded.changes);
    }
    loaded.tables = reader.tables(&mut next);
    loaded.errors = reader.errors;
    (loaded, next)
}

impl Reader<'_> {
    fn fail(&mut self, file: &Path, line: Option<u32>, kind: LoadErrorKind) {
        self.errors.push(LoadError::new(file, line, kind));
    }

    fn walk(&mut self, folder: &Path, depth: usize) {
        let listed = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => return self.fail(folder, None, LoadErrorKind::Io(error)),
        };
        for item in listed {
            let path = item.path();
            if item.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            // Follows links: a mounted configuration is made of them.
            match fs::metadata(&path) {
                Ok(found) if found.is_dir() && depth < MAX_DEPTH => self.walk(&path, depth + 1),
                Ok(found) if found.is_dir() => self.fail(&path, None, LoadErrorKind::TooMany),
                Ok(found) => self.file(path, &found),
                Err(error) => self.fail(&path, None, LoadErrorKind::Io(error)),
            }
        }
    }

    fn file(&mut self, path: PathBuf, found: &fs::Metadata) {
        let Some(kind) = kind_of(self.root, &path) else {
            return;
        };
        if self.files.len() > self.config.max_documents {
            // Told once.
            let told = |error: &LoadError| matches!(error.kind(), LoadErrorKind::TooMany);
            if !self.errors.iter().any(told) {
                self.fail(&path, None, LoadErrorKind::TooMany);
            }
            return;
        }
        let modified = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let age = SystemTime::now().duration_since(modified);
        let stamp = Stamp {
            modified,
            bytes: found.len(),
            unsure: age.is_ok_and(|age| age < TIME_STAMP),
        };
        self.files.insert(path, (kind, stamp));
    }

    fn documents(&mut self, snapshot: &Snapshot, loaded: &mut Loaded, next: &mut FolderState) {
        for (path, (kind, stamp)) in self.files.clone() {
            if kind != Kind::Document {
                continue;
            }
            if self.is_unchanged(&path, &stamp) {
                next.read.insert(path, stamp);
                continue;
            }
            match self.document(&path, &stamp) {
                Ok(entry) => {
                    let id = entry.document.id.clone();
                    let same = snapshot.find(&id).is_some_and(|known| {
                        known.document == entry.document && known.passages == entry.passages
                    });
                    if !same {
                        loaded.changes.insert(id, Some(Arc::new(entry)));
                    }
                    next.read.insert(path, stamp);
                }
                // Without its stamp it is read, and told, again the next time.
                Err(error) => self.errors.push(error),
            }
        }
    }

    fn is_unchanged(&self, path: &Path, stamp: &Stamp) -> bool {
        self.before.read.get(path).is_some_and(|before| {
            !before.unsure && (before.modified, before.bytes) == (stamp.modified, stamp.bytes)
        })
    }

    fn document(&self, path: &Path, stamp: &Stamp) -> Result<Entry, LoadError> {
        let text = self.text(path, stamp)?;
        let document = front_matter::parse(path, &id_of(self.root, path), &text)?;
        Entry::new(document, self.config.max_passage_chars, true)
            .map_err(|error| LoadError::new(path, None, error.into()))
    }

    fn text(&self, path: &Path, stamp: &Stamp) -> Result<String, LoadError> {
        let fail = |kind| LoadError::new(path, None, kind);
        let limit = self.config.max_file_bytes;
        let too_large = |bytes| fail(LoadErrorKind::TooLarge { bytes, limit });
        if stamp.bytes > limit {
            return Err(too_large(stamp.bytes));
        }
        let bytes = fs::read(path).map_err(|error| fail(LoadErrorKind::Io(error)))?;
        if bytes.len() as u64 > limit {
            return Err(too_large(bytes.len() as u64));
        }
        String::from_utf8(bytes).map_err(|_| fail(LoadErrorKind::NotUtf8))
    }

    /// Synonyms and modules: all of them when one changed, or is wrong; none when none did.
    fn tables(&mut self, next: &mut FolderState) -> Option<(Arc<Synonyms>, Arc<Modules>)> {
        let files: Vec<(PathBuf, Kind, Stamp)> = self
            .files
            .iter()
            .filter(|(_, (kind, _))| *kind != Kind::Document)
            .map(|(path, (kind, stamp))| (path.clone(), *kind, stamp.clone()))
            .collect();
        let known = |path: &PathBuf| kind_of(self.root, path) != Some(Kind::Document);
        let before: HashSet<&PathBuf> =
            self.before.read.keys().filter(|path| known(path)).collect();
        let unchanged = files
            .iter()
            .all(|(path, _, stamp)| self.is_unchanged(path, stamp));
        if unchanged && before.len() == files.len() && self.before.tables {
            next.tables = true;
            next.read
                .extend(files.into_iter().map(|(path, _, stamp)| (path, stamp)));
            return None;
        }
        let mut synonyms = Synonyms::default();
        let mut modules: Vec<Module> = Vec::new();
        let mut sound = true;
        for (path, kind, stamp) in files {
            let read = self
                .text(&path, &stamp)
                .and_then(|text| table(kind, &path, &text, &mut synonyms, &mut modules));
            match read {
                Ok(()) => {
                    next.read.insert(path, stamp);
                }
                Err(error) => {
                    sound = false;
                    self.errors.push(error);
                }
            }
        }
        next.tables = sound;
        sound.then(|| (Arc::new(synonyms), Arc::new(Modules::new(modules))))
    }
}

/// Documents and tables, all of them sound.
type Contents = (Vec<Arc<Entry>>, Arc<Synonyms>, Arc<Modules>);

/// Reads files that are in memory, each with its path from the root.
pub(crate) fn contents(
    files: &[(&str, &str)],
    config: &Config,
) -> Result<Contents, Vec<LoadError>> {
    let root = Path::new("");
    let (mut entries, mut errors) = (BTreeMap::new(), Vec::new());
    let (mut synonyms, mut modules) = (Synonyms::default(), Vec::new());
    for (path, text) in files {
        let path = Path::new(path);
        let read = match kind_of(root, path) {
            None => Ok(()),
            Some(Kind::Document) => {
                let id = id_of(root, path);
                let document = front_matter::parse(path, &id, text);
                let entry = document.and_then(|document| {
                    Entry::new(document, config.max_passage_chars, true)
                        .map_err(|error| LoadError::new(path, None, error.into()))
                });
                entry.map(|entry| drop(entries.insert(id, Arc::new(entry))))
            }
            Some(kind) => table(kind, path, text, &mut synonyms, &mut modules),
        };
        errors.extend(read.err());
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let modules = Arc::new(Modules::new(modules));
    Ok((entries.into_values().collect(), Arc::new(synonyms), modules))
}

/// Reads one file of synonyms or of a module.
fn table(
    kind: Kind,
    path: &Path,
    text: &str,
    synonyms: &mut Synonyms,
    modules: &mut Vec<Module>,
) -> Result<(), LoadError> {
    let fail = |line, kind| LoadError::new(path, line, kind);
    if kind == Kind::Synonyms {
        *synonyms = Synonyms::parse(text)
            .map_err(|(line, why)| fail(Some(line), LoadErrorKind::Synonyms(why)))?;
        return Ok(());
    }
    let module =
        Module::parse(text).map_err(|(line, why)| fail(line, LoadErrorKind::Module(why)))?;
    if modules.iter().any(|other| other.name == module.name) {
        let says = format!("another file has the name {} too", module.name);
        return Err(fail(None, LoadErrorKind::Module(says)));
    }
    modules.push(module);
    Ok(())
}

/// Documents of the folder whose files are gone.
fn removals(
    root: &Path,
    files: &BTreeMap<PathBuf, (Kind, Stamp)>,
    snapshot: &Snapshot,
    changes: &mut Changes,
) {
    let there: HashSet<String> = files.keys().map(|path| id_of(root, path)).collect();
    for entry in snapshot.entries() {
        let id = &entry.document.id;
        if entry.from_folder && !there.contains(id) {
            changes.insert(id.clone(), None);
        }
    }
}

/// What a file is; `None` for one that is none of ours.
fn kind_of(root: &Path, path: &Path) -> Option<Kind> {
    let inside = path.strip_prefix(root).ok()?;
    if inside == Path::new(SYNONYMS) {
        return Some(Kind::Synonyms);
    }
    let extension = path.extension().and_then(OsStr::to_str)?;
    if inside.starts_with(MODULES) {
        return (extension == "toml").then_some(Kind::Module);
    }
    let readme = inside
        .file_name()
        .is_some_and(|name| name.eq_ignore_ascii_case("readme.md"));
    (extension == "md" && !readme).then_some(Kind::Document)
}

/// The path from the root, with `/`, without `.md`.
fn id_of(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path).with_extension("");
    let parts: Vec<String> = inside
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}
