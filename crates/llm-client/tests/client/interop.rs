//! Both clients against a LiteLLM proxy, which nobody here wrote.
//!
//! `cargo xtask interop` installs and starts it, names it in `AI_SERVICE_TEST_LITELLM`, and
//! keeps the page that this prints as `docs/interop.md`; without the variable the test says
//! why it is skipped.

use std::fmt::Write as _;

use llm_client::{
    Anthropic, AnthropicConfig, Completion, Error, ErrorKind, LanguageModel, OpenAiCompatible,
    OpenAiConfig, Request, StopReason,
};
use secrecy::SecretString;
use serde_json::json;

use crate::support::{ask, patient};

const KEY: &str = "sk-interop";
const TEXT: &str = "Todo cuadra: ñandú y €.";

fn anthropic(url: &str, model: &str) -> Anthropic {
    let mut config = AnthropicConfig::new(SecretString::from(KEY), model);
    url.clone_into(&mut config.base_url);
    config.timeouts = patient();
    Anthropic::try_new(config).unwrap()
}

fn openai(url: &str, model: &str, key: &str) -> OpenAiCompatible {
    let mut config = OpenAiConfig::new(format!("{url}/v1"), model);
    config.api_key = Some(SecretString::from(key));
    config.timeouts = patient();
    OpenAiCompatible::try_new(config).unwrap()
}

fn json_request() -> Request {
    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}},
        "required": ["ok"], "additionalProperties": false});
    Request::builder(50)
        .user("¿cuadra?")
        .json("verdict", schema)
        .build()
        .unwrap()
}

async fn streamed(model: &dyn LanguageModel) -> Result<Completion, Error> {
    model.stream(&ask()).await?.completion().await
}

fn is_good(completion: &Completion) -> bool {
    completion.text == TEXT
        && completion.stop_reason == StopReason::EndTurn
        && completion.usage.prompt_tokens() > 0
        && completion.usage.output_tokens > 0
        && !completion.usage.estimated
}

/// The rows of the page: what was asked, what came back, whether that is right.
struct Page(String, Vec<String>);

impl Page {
    fn row(&mut self, what: &str, result: &Result<Completion, Error>, right: bool) {
        let found = match result {
            Ok(completion) => {
                let usage = completion.usage;
                format!(
                    "`{}`, {} + {} tokens",
                    completion.text,
                    usage.prompt_tokens(),
                    usage.output_tokens
                )
            }
            Err(error) => format!("{} ({})", error.kind().as_str(), error),
        };
        self.line(what, &found, right);
    }

    fn line(&mut self, what: &str, found: &str, right: bool) {
        let verdict = if right { "yes" } else { "NO" };
        writeln!(self.0, "| {what} | {found} | {verdict} |").unwrap();
        if !right {
            self.1.push(format!("{what}: {found}"));
        }
    }

    fn failure(&mut self, what: &str, result: &Result<Completion, Error>, kind: ErrorKind) {
        let right = result.as_ref().is_err_and(|error| error.kind() == kind);
        self.row(what, result, right);
    }

    fn good(&mut self, what: &str, result: &Result<Completion, Error>) {
        let right = result.as_ref().is_ok_and(is_good);
        self.row(what, result, right);
    }
}

#[tokio::test]
async fn a_proxy_that_nobody_here_wrote_is_understood() {
    let Some(url) = std::env::var_os("AI_SERVICE_TEST_LITELLM") else {
        println!("skipped: AI_SERVICE_TEST_LITELLM isn't set; `cargo xtask interop` sets it");
        return;
    };
    let url = url.into_string().unwrap();
    let mut page = Page(String::new(), Vec::new());

    let model = anthropic(&url, "texto");
    page.good("Messages, whole", &model.complete(&ask()).await);
    page.good(
        "Messages, streamed",
        &streamed(&anthropic(&url, "chained")).await,
    );
    page.failure(
        "Messages, streamed, with a made-up answer",
        &streamed(&model).await,
        ErrorKind::Upstream,
    );
    let counted = model.count_tokens(&ask()).await;
    let found = format!("{counted:?}");
    page.line(
        "Messages, count_tokens",
        &found,
        counted.is_ok_and(|count| count > Some(0)),
    );
    let result = anthropic(&url, "limitado").complete(&ask()).await;
    page.failure("Messages, a rate limit", &result, ErrorKind::RateLimited);
    let result = anthropic(&url, "roto").complete(&ask()).await;
    page.failure(
        "Messages, an error of the model's",
        &result,
        ErrorKind::Upstream,
    );

    let model = openai(&url, "texto", KEY);
    page.good("chat completions, whole", &model.complete(&ask()).await);
    page.good("chat completions, streamed", &streamed(&model).await);
    let result = openai(&url, "objeto", KEY).complete(&json_request()).await;
    let right = result
        .as_ref()
        .is_ok_and(|completion| completion.text == r#"{"ok": true}"#);
    page.row("chat completions, JSON by schema", &result, right);
    let result = model.complete(&json_request()).await;
    page.failure(
        "chat completions, prose where JSON was asked for",
        &result,
        ErrorKind::InvalidOutput,
    );
    let result = streamed(&openai(&url, "limitado", KEY)).await;
    page.failure(
        "chat completions, a rate limit",
        &result,
        ErrorKind::RateLimited,
    );
    let result = openai(&url, "roto", KEY).complete(&ask()).await;
    page.failure(
        "chat completions, an error of the model's",
        &result,
        ErrorKind::Upstream,
    );

    println!(
        "<<<interop\n{}\n{}\n{}interop>>>",
        HEAD.trim(),
        jiff::Timestamp::now().strftime(
            "\nLast run: %Y-%m-%d, all rows by `cargo xtask interop`.\n\n\
            | what was asked | what came back | as it should be |\n|---|---|---|"
        ),
        page.0
    );
    assert!(page.1.is_empty(), "{:#?}", page.1);
}

const HEAD: &str = "
# llm-client against a server that nobody here wrote

`cargo xtask interop` installs the LiteLLM proxy (`litellm[proxy]==1.79.1`, in a virtual
environment of its own under the target folder), starts it on loopback with made-up answers
(`mock_response`), and runs `crates/llm-client/tests/client/interop.rs` against it. It isn't
part of `cargo xtask test`, because the proxy is a large install. This page is what the test
printed.

LiteLLM 1.79.1 can't stream a `mock_response` over `/v1/messages`: it answers 500, and that is
told as what it is. The streamed row therefore goes through a model of the proxy's that asks
the proxy itself over chat completions, so that LiteLLM makes the Messages events.
";
