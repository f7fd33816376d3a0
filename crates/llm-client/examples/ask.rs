//! Asks one question and prints the answer, its tokens and its price.
//!
//! ```text
//! ANTHROPIC_API_KEY=… cargo run -p llm-client --example ask -- "¿Qué es una guía de despacho?"
//! ```
//!
//! `ANTHROPIC_BASE_URL` points it at a stand-in (`http://127.0.0.1:8100`), `ANTHROPIC_MODEL`
//! at another model.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line example speaks to its user"
)]

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use llm_client::{
    Anthropic, AnthropicConfig, CacheLifetime, Completion, Error, LanguageModel, Request,
    SystemBlock,
};
use tokio::time::Instant;

const INSTRUCTIONS: &str = "Respondes en español de Chile, en pocas frases y con precisión.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(question) = env::args().nth(1) else {
        eprintln!("usage: ask QUESTION");
        return ExitCode::from(64);
    };
    let model = match Anthropic::try_new(config()) {
        Ok(model) => model,
        Err(error) => {
            eprintln!("configuration: {error}");
            return ExitCode::from(64);
        }
    };
    match ask(&model, question).await {
        Ok(completion) => {
            report(&model, &completion);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("failed to {error}");
            eprintln!(
                "fault: {}, retryable: {}",
                error.fault().as_str(),
                error.is_retryable()
            );
            ExitCode::FAILURE
        }
    }
}

fn config() -> AnthropicConfig {
    let key = env::var("ANTHROPIC_API_KEY").unwrap_or_default();
    let model = env::var("ANTHROPIC_MODEL").unwrap_or_else(|_| "claude-sonnet-4-5".to_owned());
    let mut config = AnthropicConfig::new(key.into(), model);
    if let Ok(url) = env::var("ANTHROPIC_BASE_URL") {
        config.base_url = url;
    }
    config
}

async fn ask(model: &dyn LanguageModel, question: String) -> Result<Completion, Error> {
    let request = Request::builder(512)
        .system(SystemBlock::new(INSTRUCTIONS).cached(CacheLifetime::FiveMinutes))
        .user(question)
        .deadline(Instant::now() + Duration::from_secs(60))
        .build()?;
    model.complete(&request).await
}

fn report(model: &Anthropic, completion: &Completion) {
    println!("{}", completion.text);
    let usage = &completion.usage;
    eprintln!(
        "{}: {} tokens in ({} from the cache), {} out, {:?}",
        completion.model,
        usage.prompt_tokens(),
        usage.cache_read_input_tokens,
        usage.output_tokens,
        completion.elapsed
    );
    if let Some(prices) = model.capabilities().prices {
        eprintln!(
            "cost: {} millionths of a dollar",
            prices.cost_pico_usd(usage) / 1_000_000
        );
    }
}
