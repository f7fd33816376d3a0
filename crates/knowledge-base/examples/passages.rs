//! Asks a folder of Markdown a question:
//! `cargo run -p knowledge-base --example passages -- knowledge "se me vencieron los folios"`.
#![expect(clippy::print_stdout, reason = "a program talks to its user")]

use std::env;
use std::process::ExitCode;

use knowledge_base::{Config, KnowledgeBase, KnowledgeError, Query};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (Some(folder), Some(question)) = (arguments.next(), arguments.next()) else {
        println!("ask FOLDER QUESTION");
        return ExitCode::from(64);
    };
    match ask(&folder, &question).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(KnowledgeError::Load(errors)) => {
            for error in errors {
                println!("{error}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn ask(folder: &str, question: &str) -> Result<(), KnowledgeError> {
    let base = KnowledgeBase::open(folder, Config::default()).await?;
    if let Some(choice) = base.choose_module(question) {
        println!("module {} ({:.2})", choice.module, choice.confidence);
    }
    let hits = base.search(&Query::new(question));
    if !hits.first().is_some_and(|first| first.is_relevant()) {
        println!("nothing that seems to answer it");
    }
    for hit in hits {
        println!("\n{:.3} {} – {}", hit.score, hit.id, hit.title);
        println!("      {}", hit.snippet.text);
    }
    Ok(())
}
