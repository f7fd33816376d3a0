//! What is asked of a model: validated once, when it is built.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

mod invalid;
mod message;
mod output;
mod schema;
mod system;

pub use invalid::InvalidRequest;
pub use message::{Message, Role};
pub use output::{Output, Temperature};
pub use schema::Schema;
pub use system::{CacheLifetime, SystemBlock};

/// The most `cache_control` marks that one request may carry (Anthropic, prompt caching).
pub const MAX_CACHE_MARKS: usize = 4;

/// What a request is for where nobody said it.
pub const DEFAULT_OPERATION: &str = "other";

/// One call's worth of input. Built with [`Request::builder`], immutable afterwards.
///
/// Cloning is cheap where it matters: system blocks and the schema are shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    system: Vec<SystemBlock>,
    messages: Vec<Message>,
    max_tokens: u32,
    temperature: Option<Temperature>,
    output: Output,
    deadline: Option<Instant>,
    attempt_limit: Option<Duration>,
    operation: &'static str,
    account: Option<Arc<str>>,
    prompt_chars: u64,
}

impl Request {
    /// Starts a request that may produce at most `max_tokens` tokens.
    #[must_use]
    pub fn builder(max_tokens: u32) -> RequestBuilder {
        RequestBuilder {
            request: Self {
                system: Vec::new(),
                messages: Vec::new(),
                max_tokens,
                temperature: None,
                output: Output::Text,
                deadline: None,
                attempt_limit: None,
                operation: DEFAULT_OPERATION,
                account: None,
                prompt_chars: 0,
            },
        }
    }

    /// The instructions, stable parts first.
    #[must_use]
    pub fn system(&self) -> &[SystemBlock] {
        &self.system
    }

    /// The same request with other instructions: for a layer that moves cache marks.
    pub(crate) fn with_system(&self, system: Vec<SystemBlock>) -> Self {
        Self {
            system,
            ..self.clone()
        }
    }

    /// The conversation; the first and the last message are the user's.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The most tokens that the answer may have.
    #[must_use]
    pub fn max_tokens(&self) -> u32 {
        self.max_tokens
    }

    /// The sampling temperature; `None` leaves the provider's default.
    #[must_use]
    pub fn temperature(&self) -> Option<Temperature> {
        self.temperature
    }

    /// The form of the answer.
    #[must_use]
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// The moment by which the call must have ended, whatever the client's time-outs say.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The longest that one attempt at the call may take from its start to its end, in place of
    /// the client's own [`Timeouts::total`](crate::Timeouts::total).
    #[must_use]
    pub fn attempt_limit(&self) -> Option<Duration> {
        self.attempt_limit
    }

    /// What the call is for: a word of the calling program's, fit for a metric label.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Whose call it is: what budgets and ledgers count by. Never sent to the provider, and
    /// never a metric label.
    #[must_use]
    pub fn account(&self) -> Option<&Arc<str>> {
        self.account.as_ref()
    }

    /// The characters of the whole prompt, for estimates: system, messages, and the schema
    /// with its name where JSON is asked for. Counted once, when the request is built.
    #[must_use]
    pub fn prompt_chars(&self) -> u64 {
        self.prompt_chars
    }

    fn count_chars(&self) -> u64 {
        let system = self.system.iter().map(SystemBlock::chars);
        let messages = self.messages.iter().map(|message| chars(message.text()));
        let output = match &self.output {
            Output::Text => 0,
            Output::Json { name, schema } => chars(name).saturating_add(schema.chars()),
        };
        system.chain(messages).fold(output, u64::saturating_add)
    }
}

/// Collects the parts of a [`Request`]; [`build`](Self::build) checks them together.
#[derive(Debug, Clone)]
pub struct RequestBuilder {
    request: Request,
}

impl RequestBuilder {
    /// Adds a block of instructions after those already there.
    #[must_use]
    pub fn system(mut self, block: SystemBlock) -> Self {
        self.request.system.push(block);
        self
    }

    /// Adds a message of the user's.
    #[must_use]
    pub fn user(self, text: impl Into<String>) -> Self {
        self.message(Message::user(text))
    }

    /// Adds a message, whoever's it is.
    #[must_use]
    pub fn message(mut self, message: Message) -> Self {
        self.request.messages.push(message);
        self
    }

    /// Sets the sampling temperature. It is not sent to models that refuse it.
    #[must_use]
    pub fn temperature(mut self, temperature: Temperature) -> Self {
        self.request.temperature = Some(temperature);
        self
    }

    /// Asks for one JSON value of the given shape instead of free text.
    ///
    /// `name` says what the value is (`invoice_findings`); `schema` is a JSON Schema whose
    /// root is an object. Anthropic wants `"additionalProperties": false` on every object.
    #[must_use]
    pub fn json(mut self, name: impl Into<Arc<str>>, schema: impl Into<Schema>) -> Self {
        self.request.output = Output::Json {
            name: name.into(),
            schema: schema.into(),
        };
        self
    }

    /// Sets the moment by which the call must have ended.
    #[must_use]
    pub fn deadline(mut self, deadline: Instant) -> Self {
        self.request.deadline = Some(deadline);
        self
    }

    /// Sets the longest that one attempt may take, shorter or longer than the client's own
    /// [`Timeouts::total`](crate::Timeouts::total): a stream that a person reads takes longer
    /// than an answer that a program waits for. The limits on connecting, on the first byte
    /// and on silence, and the [`deadline`](Self::deadline) over all attempts, hold as ever.
    #[must_use]
    pub fn attempt_limit(mut self, limit: Duration) -> Self {
        self.request.attempt_limit = Some(limit);
        self
    }

    /// Says what the call is for, such as `validate`. Default: [`DEFAULT_OPERATION`]. It is a
    /// word of the program's and not of its users', as it becomes a label.
    #[must_use]
    pub fn operation(mut self, operation: &'static str) -> Self {
        self.request.operation = operation;
        self
    }

    /// Says whose call it is: the key or tenant that budgets and ledgers count by.
    #[must_use]
    pub fn account(mut self, account: impl Into<Arc<str>>) -> Self {
        self.request.account = Some(account.into());
        self
    }

    /// Checks the parts and makes the request.
    ///
    /// # Errors
    ///
    /// An [`InvalidRequest`] that names the first part which no provider would accept.
    pub fn build(self) -> Result<Request, InvalidRequest> {
        let mut request = self.request;
        if request.max_tokens == 0 {
            return Err(InvalidRequest::ZeroMaxTokens);
        }
        if request.attempt_limit.is_some_and(|limit| limit.is_zero()) {
            return Err(InvalidRequest::ZeroAttemptLimit);
        }
        check_system(&request.system)?;
        check_messages(&request.messages)?;
        check_output(&request.output)?;
        request.prompt_chars = request.count_chars();
        Ok(request)
    }
}

fn check_system(system: &[SystemBlock]) -> Result<(), InvalidRequest> {
    if let Some(index) = system.iter().position(|block| is_blank(block.text())) {
        return Err(InvalidRequest::BlankSystemBlock { index });
    }
    let marks: Vec<_> = system.iter().filter_map(SystemBlock::cache).collect();
    if marks.len() > MAX_CACHE_MARKS {
        return Err(InvalidRequest::TooManyCacheMarks { count: marks.len() });
    }
    if !marks.is_sorted_by_key(|lifetime| *lifetime == CacheLifetime::FiveMinutes) {
        return Err(InvalidRequest::CacheOrder);
    }
    Ok(())
}

fn check_messages(messages: &[Message]) -> Result<(), InvalidRequest> {
    let (Some(first), Some(last)) = (messages.first(), messages.last()) else {
        return Err(InvalidRequest::NoMessages);
    };
    if let Some(index) = messages.iter().position(|message| is_blank(&message.text)) {
        return Err(InvalidRequest::BlankMessage { index });
    }
    if first.role != Role::User || last.role != Role::User {
        return Err(InvalidRequest::NotFromUser);
    }
    Ok(())
}

fn check_output(output: &Output) -> Result<(), InvalidRequest> {
    let Output::Json { name, schema } = output else {
        return Ok(());
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(InvalidRequest::OutputName);
    }
    if schema.value().get("type").and_then(Value::as_str) != Some("object") {
        return Err(InvalidRequest::SchemaNotObject);
    }
    Ok(())
}

/// The characters of a text.
pub(crate) fn chars(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
mod tests;
