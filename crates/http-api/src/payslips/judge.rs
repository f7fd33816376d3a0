//! `POST /api/payroll/validate`: the rules over the month's indicators, then the model where it
//! can tell more.
//!
//! Only months that are built in or kept count here: nobody's payslip waits for Previred.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cache::{CacheError, CacheKey, Computed, Cost, Keep};
use http::StatusCode;
use llm_client::{Schema, SystemBlock};
use payroll::review::{self, Review, Verdict};
use payroll::{Liquidacion, PathSegment, Periodo, ReadError, Recommendation, Report};

use super::OPERATION;
use super::answer::Outcome;
use super::months::Month;
use tracing::Instrument as _;

use crate::app::Shared;
use crate::asked::{self, ModelCall, NoAnswer, Question, Stopwatch};
use crate::auth::{Caller, Tenant};
use crate::fields::Fields;
use crate::kept;
use crate::offload::{self, INLINE_BYTES};
use crate::places::Place;
use crate::problem::{Problem, Segment};
use crate::reply::Reply;
use crate::service::Call;

/// Changes whenever the same verdict would be encoded otherwise; part of cache keys.
const ANSWER_VERSION: &str = "1";

/// The longest review that the model may write, in tokens.
const MAX_TOKENS: u32 = 1_000;

/// A verdict to be found.
struct Job {
    shared: Arc<Shared>,
    caller: Arc<Caller>,
    payslip: Liquidacion,
    month: Arc<Month>,
    /// That of the body: it decides where the work is done.
    effort: usize,
    /// How long the model took, once it was asked.
    watch: Stopwatch,
    /// Until the verdict is encoded.
    ruled: Mutex<Option<Report>>,
    /// Held for as long as anything goes on for the request.
    _place: Place,
}

/// `POST /api/payroll/validate`.
pub(crate) async fn validate(call: Call<'_>) -> Result<Reply, Problem> {
    let Call {
        shared,
        caller,
        place,
        head,
        body,
        ..
    } = call;
    let (mode, begun) = (kept::mode(&head.headers), Instant::now());
    let effort = offload::effort(&body);
    let (reader, text) = (Arc::clone(caller), body.clone());
    let prepare = move || read(&reader, &text);
    let (tenant, payslip) = shared.offload.run(effort, prepare).await??;
    let month = month(shared, &payslip).await;
    let job = Arc::new(Job {
        shared: Arc::clone(shared),
        caller: Arc::clone(caller),
        payslip,
        month,
        effort,
        watch: Stopwatch::default(),
        ruled: Mutex::default(),
        _place: place,
    });
    let keyed = Arc::clone(&job);
    let make_key = move || keyed.key(&tenant, &body);
    let key = shared.offload.run(effort, make_key).await??;
    if let Some(reply) = kept::here(shared, caller, &key, mode) {
        return Ok(reply);
    }
    shared.turns.begin().await;
    let mut policy = kept::policy(shared);
    policy.memory_only = effort <= INLINE_BYTES && job.judge().await?;
    let leader = Arc::clone(&job);
    let compute = move || async move { leader.run().await };
    let cache = &shared.deps.cache;
    match cache.get_or_compute(&key, policy, mode, compute).await {
        Ok(answer) => {
            shared.count_saved(OPERATION, caller, &answer);
            let asked = job.watch.of(answer.status, begun);
            let reply = Reply::json(StatusCode::OK, answer.value);
            Ok(reply
                .cached(answer.status, answer.age)
                .costing(answer.status, answer.cost)
                .asked(asked))
        }
        Err(CacheError::Compute(problem)) => Err((*problem).clone()),
        Err(CacheError::WaitTimeout | CacheError::ComputeTimeout | CacheError::Elsewhere(_)) => {
            // Somebody else's computation is late: the rules answer on their own.
            let report = job.rule().await?;
            let late = job
                .encode(report, None, Some(NoAnswer::TimedOut))
                .await?
                .value;
            let reply = Reply::json(StatusCode::OK, late);
            Ok(reply
                .cached(kept::late(mode), Duration::ZERO)
                .waited(begun.elapsed()))
        }
        Err(error) => {
            tracing::error!(%error, "checking a payslip failed");
            Err(Problem::internal())
        }
    }
}

/// What is known of the payslip's month without asking anybody outside.
async fn month(shared: &Shared, payslip: &Liquidacion) -> Arc<Month> {
    match payslip.periodo {
        Some(period) => shared.months.of(&shared.deps.indicators, period).await,
        None => Arc::new(Month::new(None)),
    }
}

/// `company_id` isn't part of this route's contract: where it is given it counts.
fn read(caller: &Caller, body: &[u8]) -> Result<(Tenant, Liquidacion), Problem> {
    const EMPLOYEE: &str = "employee_id";
    let mut fields = Fields::read(body)?;
    let company = fields.given("company_id").and_then(|_| fields.company());
    if fields.lacks(EMPLOYEE) {
        let msg = "Falta «employee_id», el número del trabajador en el ERP.";
        fields.wrong(EMPLOYEE, "missing", msg);
    }
    let text = std::str::from_utf8(body).map_err(|_| Problem::not_json(1, 1))?;
    let payslip = match payroll::read_json(text) {
        Ok(payslip) => Some(payslip),
        Err(error) => {
            unreadable(&mut fields, &error);
            None
        }
    };
    // The reader knows more spellings; the contract has one.
    let spelt = payslip
        .as_ref()
        .map(|payslip| payslip.periodo_texto.as_deref());
    if spelt.is_some_and(|text| text.and_then(Periodo::iso).is_none()) {
        let msg = "El período debe ser un mes, como AAAA-MM.";
        fields.wrong("period", "value_error", msg);
    }
    let payslip = fields.finish(payslip)?;
    let tenant = match company {
        Some(company) => caller.tenant(company)?,
        None => caller.own_tenant(),
    };
    Ok((tenant, payslip))
}

fn unreadable(fields: &mut Fields<'_>, error: &ReadError) {
    if error.shape_errors().is_empty() {
        fields.wrong_at([], error.code(), error.user_message());
    }
    for wrong in error.shape_errors() {
        let path = wrong.loc.iter().map(|step| match step {
            PathSegment::Key(name) => Segment::Name(name.clone()),
            PathSegment::Index(index) => Segment::Index(*index),
        });
        fields.wrong_at(path, wrong.kind, wrong.msg.as_str());
    }
}

fn is_reject(report: &Report) -> bool {
    report.recommendation() == Recommendation::Reject
}

impl Job {
    /// The key: the whole body, and all that could judge it otherwise. A month's indicators may
    /// change between two questions: they were fetched meanwhile.
    fn key(&self, tenant: &Tenant, body: &[u8]) -> Result<CacheKey, Problem> {
        let builder = CacheKey::builder(OPERATION, tenant.as_str())
            .version("answer", ANSWER_VERSION)
            .version("rules", payroll::RULES_VERSION)
            .version("prompt", review::PROMPT_VERSION)
            .version("indicators", &self.month.version);
        self.shared.keyed(builder, body)
    }

    /// Applies the rules; says whether theirs is the last word.
    async fn judge(self: &Arc<Self>) -> Result<bool, Problem> {
        let report = self.rule().await?;
        let last = !self.has_model() || is_reject(&report);
        *self.ruled() = Some(report);
        Ok(last)
    }

    /// The whole verdict: rules, then the model where one is configured.
    async fn run(self: &Arc<Self>) -> Result<Computed, Problem> {
        let judged = self.ruled().take();
        let report = match judged {
            Some(report) => report,
            None => self.rule().await?,
        };
        if self.has_model() && is_reject(&report) {
            // The rules have the last word on a reject: the model could add nothing to it.
            return self.encode(report, None, None).await;
        }
        match self.review(&report).await {
            Ok(reviewed) => self.encode(report, Some(reviewed), None).await,
            Err(unreviewed) => self.encode(report, None, Some(unreviewed)).await,
        }
    }

    fn has_model(&self) -> bool {
        self.shared.deps.model.is_some()
    }

    fn ruled(&self) -> MutexGuard<'_, Option<Report>> {
        self.ruled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn rule(self: &Arc<Self>) -> Result<Report, Problem> {
        let job = Arc::clone(self);
        let work = move || payroll::validate(&job.payslip, job.month.indicators.as_ref());
        let rules = tracing::info_span!("rules");
        let ruled = self.shared.offload.run(self.effort, work);
        ruled.instrument(rules).await
    }

    async fn review(&self, report: &Report) -> Result<(Review, ModelCall), NoAnswer> {
        static INSTRUCTIONS: LazyLock<SystemBlock> =
            LazyLock::new(|| asked::instructions(review::instructions()));
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| review::schema().into());
        if self.shared.deps.model.is_none() {
            return Err(NoAnswer::Off);
        }
        let question = Question {
            operation: OPERATION,
            instructions: INSTRUCTIONS.clone(),
            text: review::question(&self.payslip, report),
            name: "revision_liquidacion",
            schema: SCHEMA.clone(),
            max_tokens: MAX_TOKENS,
        };
        let answered = asked::ask(&self.shared, &self.caller, question, &self.watch).await;
        let completion = answered?;
        let review = Review::parse(&completion.text).map_err(|error| {
            tracing::warn!(%error, model = completion.model, "the model's answer is no review");
            self.shared.model_watch.bad();
            NoAnswer::Failed
        })?;
        let call = ModelCall {
            cost: self.shared.cost_of(&completion),
            model: completion.model,
            usage: completion.usage,
        };
        Ok((review, call))
    }

    async fn encode(
        &self,
        report: Report,
        reviewed: Option<(Review, ModelCall)>,
        unreviewed: Option<NoAnswer>,
    ) -> Result<Computed, Problem> {
        let keep = match unreviewed {
            None => Keep::For(self.shared.config.validate_lifetime),
            Some(_) => Keep::No,
        };
        let work = move || {
            let (review, call) = reviewed.unzip();
            let cost = call.as_ref().map_or(Cost::FREE, |call| call.cost);
            let outcome = Outcome {
                verdict: Verdict::new(report, review.as_ref()),
                unreviewed,
                call,
            };
            Ok(Computed::new(outcome.encode()?, keep).cost(cost))
        };
        self.shared.offload.run(self.effort, work).await?
    }
}
