//! The data: passages, questions, judgements, sub-corpora.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// A passage, as `corpus.jsonl` has it.
#[derive(Debug, Clone, Deserialize)]
pub struct Passage {
    pub id: String,
    pub title: String,
    /// The title to search for set A, whose questions are the titles themselves.
    #[serde(default)]
    pub alt_title: String,
    #[serde(default)]
    pub module: String,
    #[serde(default)]
    pub tags: Vec<String>,
    pub content: String,
}

/// A question, as `queries.jsonl` has it.
#[derive(Debug, Clone, Deserialize)]
pub struct Question {
    pub id: String,
    pub text: String,
    /// `A`: the passages' own questions; `B`: how people ask.
    pub set: String,
}

/// All of it.
#[derive(Debug)]
pub struct Corpus {
    pub passages: Vec<Passage>,
    pub questions: Vec<Question>,
    /// By question, the grade (1, 2) of each passage that answers it.
    pub judgements: HashMap<String, HashMap<String, u32>>,
    /// Ids of the passages of each sub-corpus.
    pub subsets: BTreeMap<String, HashSet<String>>,
}

impl Corpus {
    /// Reads the four files of a folder; sub-corpora may be absent.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where the folder isn't there, [`Error::Io`] for a file that can't be
    /// read or has another shape.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        if !folder.join("corpus.jsonl").is_file() {
            return Err(Error::Missing {
                what: format!("{}/corpus.jsonl", folder.display()),
                hint: "say with --data where the questions and passages are".to_owned(),
            });
        }
        let subsets = folder.join("subsets.json");
        let subsets = if subsets.is_file() {
            let text = text(&subsets)?;
            let lists: BTreeMap<String, Vec<String>> =
                serde_json::from_str(&text).map_err(shape(&subsets))?;
            let sets = lists.into_iter();
            sets.map(|(name, ids)| (name, ids.into_iter().collect()))
                .collect()
        } else {
            BTreeMap::new()
        };
        Ok(Self {
            passages: lines(&folder.join("corpus.jsonl"))?,
            questions: lines(&folder.join("queries.jsonl"))?,
            judgements: judgements(&folder.join("qrels.tsv"))?,
            subsets,
        })
    }

    /// The questions of a set.
    pub fn set<'a>(&'a self, set: &'a str) -> impl Iterator<Item = &'a Question> + 'a {
        self.questions
            .iter()
            .filter(move |question| question.set == set)
    }
}

fn text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io(format!("read {}", path.display())))
}

fn shape(path: &Path) -> impl Fn(serde_json::Error) -> Error {
    let what = format!("understand {}", path.display());
    move |error| Error::io(what.clone())(io::Error::other(error))
}

fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    let text = text(path)?;
    let filled = text.lines().filter(|line| !line.trim().is_empty());
    filled
        .map(|line| serde_json::from_str(line).map_err(shape(path)))
        .collect()
}

fn judgements(path: &Path) -> Result<HashMap<String, HashMap<String, u32>>, Error> {
    let mut all: HashMap<String, HashMap<String, u32>> = HashMap::new();
    for line in text(path)?.lines() {
        let mut fields = line.split('\t').map(str::trim);
        let (Some(question), Some(passage), Some(grade)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        // A heading has no grade.
        if let Ok(grade) = grade.parse::<u32>()
            && grade > 0
        {
            let of_question = all.entry(question.to_owned()).or_default();
            of_question.insert(passage.to_owned(), grade);
        }
    }
    Ok(all)
}
