//! Answers that are worth keeping: one question, one key, one computation.

use std::time::{Duration, Instant};

use cache::{CacheError, CacheKey, Computed, Mode, Policy, Status};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, StatusCode};

use crate::app::Shared;
use crate::asked::Stopwatch;
use crate::auth::Caller;
use crate::problem::{FieldError, Problem};
use crate::reply::Reply;

/// Between the model's time and the caller's: what rules and encoding need.
pub(crate) const MARGIN: Duration = Duration::from_secs(1);

/// `no-store` neither reads nor writes; `no-cache` refreshes.
pub(crate) fn mode(headers: &HeaderMap) -> Mode {
    let mut mode = Mode::Normal;
    for value in headers.get_all(CACHE_CONTROL) {
        for word in value
            .as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
        {
            if word.eq_ignore_ascii_case(b"no-store") {
                return Mode::Bypass;
            }
            if word.eq_ignore_ascii_case(b"no-cache") {
                mode = Mode::Refresh;
            }
        }
    }
    mode
}

/// The times of a computation that may wait for a model.
pub(crate) fn policy(shared: &Shared) -> Policy {
    let limits = &shared.config.limits;
    let wait = (limits.model_timeout + MARGIN).min(limits.request_timeout);
    // The computation ends by itself at the model's time-out; the limit is for a defect.
    Policy::new(wait).compute_limit(wait + MARGIN)
}

/// The answer under `key`, if it is in memory.
pub(crate) fn here(shared: &Shared, caller: &Caller, key: &CacheKey, mode: Mode) -> Option<Reply> {
    if mode != Mode::Normal {
        return None;
    }
    let answer = shared.deps.cache.get_local(key)?;
    shared.count_saved(key.operation(), caller, &answer);
    Some(Reply::json(StatusCode::OK, answer.value).cached(answer.status, answer.age))
}

/// The answer under `key`: kept, or computed now, with `X-Cache` and `Age`. The computation's
/// model is timed by `watch`.
///
/// # Errors
/// The computation's own [`Problem`]; 503 where it took too long.
pub(crate) async fn answer<F, Fut>(
    shared: &Shared,
    caller: &Caller,
    key: &CacheKey,
    policy: Policy,
    mode: Mode,
    watch: &Stopwatch,
    compute: F,
) -> Result<Reply, Problem>
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = Result<Computed, Problem>> + Send + 'static,
{
    let (cache, begun) = (&shared.deps.cache, Instant::now());
    match cache.get_or_compute(key, policy, mode, compute).await {
        Ok(answer) => {
            shared.count_saved(key.operation(), caller, &answer);
            let reply = Reply::json(StatusCode::OK, answer.value);
            Ok(reply
                .cached(answer.status, answer.age)
                .costing(answer.status, answer.cost)
                .asked(watch.of(answer.status, begun)))
        }
        Err(CacheError::Compute(problem)) => Err((*problem).clone()),
        Err(CacheError::WaitTimeout | CacheError::ComputeTimeout | CacheError::Elsewhere(_)) => {
            Err(Problem::deadline())
        }
        Err(error) => {
            tracing::error!(%error, "a computation failed");
            Err(Problem::internal())
        }
    }
}

/// Where an answer is from that was found beside a computation which was late.
pub(crate) fn late(mode: Mode) -> Status {
    match mode {
        Mode::Bypass => Status::Bypass,
        Mode::Normal | Mode::Refresh => Status::Miss,
    }
}

/// A body that decodes but has no key: two members of one name, or nested too deep.
pub(crate) fn unkeyable(error: &cache::KeyError) -> Problem {
    let msg = match error.kind() {
        cache::KeyErrorKind::DuplicateMember => {
            "El JSON repite un campo dentro de un mismo objeto."
        }
        cache::KeyErrorKind::TooDeep => "El JSON tiene demasiados niveles anidados.",
        cache::KeyErrorKind::NumberRange => "El JSON trae un número fuera de todo rango.",
        _ => "El JSON no se puede interpretar de una sola manera.",
    };
    let mut error = FieldError::body("", "ambiguous", msg);
    error.loc.truncate(1);
    Problem::wrong_shape(vec![error])
}
