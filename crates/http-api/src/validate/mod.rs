//! `POST /api/ai/validate`: from a body to a verdict, through the cache.

mod answer;
mod decode;
mod history;
mod judge;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cache::{CacheError, CacheKey, Computed, Keep};
use http::StatusCode;
use jiff::civil::Date;

use crate::app::Shared;
use crate::auth::Caller;
use crate::kept;
use crate::offload::{self, INLINE_BYTES};
use crate::places::Place;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::service::Call;

pub(crate) use watch::ModelWatch;

use decode::{Ask, Document};
use judge::{Job, Judged};

/// The cache's name for this operation, also its metric label.
pub const OPERATION: &str = "validate";

/// Changes whenever the same verdict would be encoded otherwise; part of cache keys.
const ANSWER_VERSION: &str = "2";

/// Answers one request. Its place is held until the verdict is found, also when the client has
/// left meanwhile: what goes on for nobody counts towards the limit as well.
pub(crate) async fn handle(call: Call<'_>) -> Result<Reply, Problem> {
    let Call {
        shared,
        caller,
        place,
        head,
        body,
        ..
    } = call;
    let (mode, today) = (kept::mode(&head.headers), shared.today());
    // A body that came before, byte for byte and from the same caller: nothing of it needs to be
    // read again.
    if body.len() <= INLINE_BYTES
        && let Some(key) = shared.keys_of_bodies.get(&memo(caller, &day(today), &body))
        && let Some(reply) = kept::here(shared, caller, &key, mode)
    {
        return Ok(reply);
    }
    // Boxed, so that a hit doesn't carry the size of all that a miss needs.
    Box::pin(computed(shared, caller, place, mode, today, body)).await
}

/// The answer to a body that isn't a repeated one: from the cache under its key, or found now.
async fn computed(
    shared: &Arc<Shared>,
    caller: &Arc<Caller>,
    place: Place,
    mode: cache::Mode,
    today: Date,
    body: Bytes,
) -> Result<Reply, Problem> {
    shared.turns.begin().await;
    let effort = offload::effort(&body);
    let (keyed, asking) = (Arc::clone(shared), Arc::clone(caller));
    let read = body.clone();
    let prepare = move || prepare(&keyed, &asking, today, &read);
    let (ask, key) = shared.offload.run(effort, prepare).await??;
    if body.len() <= INLINE_BYTES {
        let day = day(today);
        shared
            .keys_of_bodies
            .insert(&memo(caller, &day, &body), key);
    }
    drop(body);
    if let Some(reply) = kept::here(shared, caller, &key, mode) {
        return Ok(reply);
    }
    // What base64 hides can't be weighed, and verifying signatures takes its time.
    let effort = match ask.document {
        Document::XmlBase64(_) => effort.max(INLINE_BYTES + 1),
        _ => effort,
    };
    let job = Job::new(shared, caller, ask, effort, today, place);
    // The rules take less than a look into Redis: only what the model is asked is worth one.
    let mut policy = kept::policy(shared);
    policy.memory_only = job.judge().await?;
    let (leader, begun) = (job.clone(), Instant::now());
    let lifetime = shared.config.validate_lifetime;
    let compute = move || async move { leader.run().await.map(|judged| judged.keep(lifetime)) };
    match shared
        .deps
        .cache
        .get_or_compute(&key, policy, mode, compute)
        .await
    {
        Ok(answer) => {
            shared.count_saved(OPERATION, caller, &answer);
            let reply = Reply::json(StatusCode::OK, answer.value);
            let asked = job.watch().of(answer.status, begun);
            Ok(reply
                .cached(answer.status, answer.age)
                .costing(answer.status, answer.cost)
                .asked(asked))
        }
        Err(CacheError::Compute(problem)) => Err((*problem).clone()),
        Err(CacheError::WaitTimeout | CacheError::ComputeTimeout | CacheError::Elsewhere(_)) => {
            // Somebody else's computation is late: the rules answer on their own.
            let judged = job.rules_only().await?;
            let reply = Reply::json(StatusCode::OK, judged.body);
            Ok(reply
                .cached(kept::late(mode), Duration::ZERO)
                .waited(begun.elapsed()))
        }
        Err(error) => {
            tracing::error!(%error, "validate computation failed");
            Err(Problem::internal())
        }
    }
}

/// All that decides the key of a body within one process: versions and model don't change.
fn memo<'a>(caller: &'a Caller, day: &'a [u8; 4], body: &'a [u8]) -> [&'a [u8]; 3] {
    [caller.name().as_bytes(), day, body]
}

fn day(today: Date) -> [u8; 4] {
    let [low, high] = today.year().to_le_bytes();
    let [day, rest] = today.day_of_year().to_le_bytes();
    [low, high, day, rest]
}

impl Judged {
    fn keep(self, lifetime: Duration) -> Computed {
        let keep = if self.complete {
            Keep::For(lifetime)
        } else {
            Keep::No
        };
        Computed::new(self.body, keep).cost(self.cost)
    }
}

/// What is asked and its key: the whole body, all that could judge it otherwise, and the day.
fn prepare(
    shared: &Shared,
    caller: &Caller,
    today: Date,
    body: &[u8],
) -> Result<(Ask, CacheKey), Problem> {
    let ask = decode::decode(body)?;
    let tenant = caller.tenant(ask.company)?;
    let mut builder = CacheKey::builder(OPERATION, tenant.as_str())
        .version("answer", ANSWER_VERSION)
        .version("rules", dte::RULES_VERSION)
        .version("prompt", dte::review::PROMPT_VERSION)
        .version("today", &today.to_string());
    if let Some(model) = &shared.deps.model {
        builder = builder
            .model(model.client.model())
            .parameter("origin", model.client.origin())
            .parameter("max_tokens", judge::MAX_TOKENS_TEXT);
    }
    // It decoded, so it is UTF-8.
    let text = std::str::from_utf8(body).map_err(|_| Problem::not_json(1, 1))?;
    let keyed = builder
        .json(text, &[])
        .map_err(|error| kept::unkeyable(&error))?;
    Ok((ask, keyed.finish()))
}
