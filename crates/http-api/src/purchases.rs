//! `POST /api/ai/reception/match_po` and `POST /api/ai/reconcile`: which purchase order a
//! received invoice is for.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use cache::{CacheKey, Computed, Cost, Keep};
use llm_client::SystemBlock;
use matching::{Invoice, Match, Options, Order, Tie, match_order};
use serde::Serialize;
use tracing::Instrument as _;

use crate::app::Shared;
use crate::asked::{self, NoAnswer, Question, Stopwatch};
use crate::auth::{Caller, Tenant};
use crate::fields::Fields;
use crate::kept;
use crate::offload::{self, INLINE_BYTES};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::service::Call;

/// The cache's names for these operations, also their metric labels.
pub const MATCH_OPERATION: &str = "match_po";
/// See [`MATCH_OPERATION`].
pub const RECONCILE_OPERATION: &str = "reconcile";

/// Changes whenever the same match would be encoded otherwise; part of cache keys.
const ANSWER_VERSION: &str = "1";

/// The longest choice that the model may write, in tokens.
const MAX_TOKENS: u32 = 400;

/// What is compared.
#[derive(Debug)]
struct Ask {
    tenant: Tenant,
    invoice: Invoice,
    orders: Vec<Order>,
}

/// The answer of `match_po`.
#[derive(Serialize)]
struct Matched<'a> {
    matched_po_id: Option<i64>,
    confidence: u8,
    line_matches: Vec<LineMatched>,
    reasoning: &'a str,
    other_po_ids: &'a [i64],
    degraded: bool,
}

/// The answer of `reconcile`: the same under the contract's other name.
#[derive(Serialize)]
struct Reconciled<'a> {
    po_id: Option<i64>,
    confidence: u8,
    line_matches: Vec<LineMatched>,
    reasoning: &'a str,
    other_po_ids: &'a [i64],
    degraded: bool,
}

#[derive(Serialize)]
struct LineMatched {
    invoice_line: usize,
    po_line: usize,
    po_id: i64,
    po_line_id: Option<i64>,
    score: f64,
    quantity_ok: bool,
    price_ok: bool,
}

/// `POST /api/ai/reception/match_po`.
pub(crate) async fn match_po(call: Call<'_>) -> Result<Reply, Problem> {
    answer(call, MATCH_OPERATION, read_match, |found, degraded| {
        encode(&Matched {
            matched_po_id: found.po_id,
            confidence: found.confidence,
            line_matches: lines(found),
            reasoning: &found.reasoning,
            other_po_ids: &found.other_po_ids,
            degraded,
        })
    })
    .await
}

/// `POST /api/ai/reconcile`.
pub(crate) async fn reconcile(call: Call<'_>) -> Result<Reply, Problem> {
    answer(
        call,
        RECONCILE_OPERATION,
        read_reconcile,
        |found, degraded| {
            encode(&Reconciled {
                po_id: found.po_id,
                confidence: found.confidence,
                line_matches: lines(found),
                reasoning: &found.reasoning,
                other_po_ids: &found.other_po_ids,
                degraded,
            })
        },
    )
    .await
}

type Read = fn(&Caller, &[u8]) -> Result<Ask, Problem>;
type Encode = fn(&Match, bool) -> Result<Bytes, Problem>;

async fn answer(
    call: Call<'_>,
    operation: &'static str,
    read: Read,
    encode: Encode,
) -> Result<Reply, Problem> {
    let Call {
        shared,
        caller,
        place,
        head,
        body,
        ..
    } = call;
    let effort = offload::effort(&body);
    let (reader, sharing) = (Arc::clone(caller), Arc::clone(shared));
    let prepare = move || {
        let ask = read(&reader, &body)?;
        let key = key(&sharing, operation, &ask.tenant, &body)?;
        Ok::<_, Problem>((Arc::new(ask), key))
    };
    let (ask, key) = shared.offload.run(effort, prepare).await??;
    let mode = kept::mode(&head.headers);
    if let Some(reply) = kept::here(shared, caller, &key, mode) {
        return Ok(reply);
    }
    shared.turns.begin().await;
    let mut policy = kept::policy(shared);
    // A few lines are compared in less than a look into Redis takes: only what the model is asked
    // is worth one.
    let found = if effort <= INLINE_BYTES {
        let found = compared(shared, &ask, effort).await?;
        policy.memory_only = found.tie.is_none() || shared.deps.model.is_none();
        Some(found)
    } else {
        None
    };
    let (leader, asking) = (Arc::clone(shared), Arc::clone(caller));
    let watch = Stopwatch::default();
    let timed = watch.clone();
    let compute = move || async move {
        let _place = place;
        let found = match found {
            Some(found) => found,
            None => compared(&leader, &ask, effort).await?,
        };
        decided(&leader, &asking, operation, found, encode, &timed).await
    };
    kept::answer(shared, caller, &key, policy, mode, &watch, compute).await
}

/// What the figures say.
async fn compared(shared: &Shared, ask: &Arc<Ask>, effort: usize) -> Result<Match, Problem> {
    let ask = Arc::clone(ask);
    let work = move || match_order(&ask.invoice, &ask.orders, &Options::default());
    let compared = shared.offload.run(effort, work);
    compared.instrument(tracing::info_span!("match")).await
}

/// Lets the model choose where the figures can't tell.
async fn decided(
    shared: &Shared,
    caller: &Caller,
    operation: &'static str,
    found: Match,
    encode: Encode,
    watch: &Stopwatch,
) -> Result<Computed, Problem> {
    let Some(tie) = found.tie.clone() else {
        return Ok(Computed::new(encode(&found, false)?, keep(shared)));
    };
    let chosen = choose(shared, caller, operation, &tie, watch).await;
    let (found, degraded, cost) = match chosen {
        Ok((choice, cost)) => {
            let decide_at = Options::default().decide_at;
            (found.with_choice(&choice, decide_at), false, cost)
        }
        // Nobody expects a model that isn't there: the figures are the whole answer then.
        Err(NoAnswer::Off) => (found, false, Cost::FREE),
        Err(_) => (found, true, Cost::FREE),
    };
    let keep = if degraded { Keep::No } else { keep(shared) };
    Ok(Computed::new(encode(&found, degraded)?, keep).cost(cost))
}

async fn choose(
    shared: &Shared,
    caller: &Caller,
    operation: &'static str,
    tie: &Tie,
    watch: &Stopwatch,
) -> Result<(matching::Choice, Cost), NoAnswer> {
    static INSTRUCTIONS: LazyLock<SystemBlock> =
        LazyLock::new(|| asked::instructions(matching::instructions()));
    let question = Question {
        operation,
        instructions: INSTRUCTIONS.clone(),
        text: tie.question().to_owned(),
        name: "orden_de_compra",
        schema: tie.schema().into(),
        max_tokens: MAX_TOKENS,
    };
    let completion = asked::ask(shared, caller, question, watch).await?;
    let cost = shared.cost_of(&completion);
    let choice = tie.parse(&completion.text).map_err(|error| {
        tracing::warn!(%error, model = completion.model, "the model's answer is no choice");
        NoAnswer::Failed
    })?;
    Ok((choice, cost))
}

fn keep(shared: &Shared) -> Keep {
    Keep::For(shared.config.answer_lifetime)
}

fn key(
    shared: &Shared,
    operation: &'static str,
    tenant: &Tenant,
    body: &[u8],
) -> Result<CacheKey, Problem> {
    let builder = CacheKey::builder(operation, tenant.as_str())
        .version("answer", ANSWER_VERSION)
        .version("crate", env!("CARGO_PKG_VERSION"))
        .version("prompt", matching::PROMPT_VERSION);
    shared.keyed(builder, body)
}

fn read_match(caller: &Caller, body: &[u8]) -> Result<Ask, Problem> {
    let mut fields = Fields::read(body)?;
    let company = fields.company();
    let invoice = document(&mut fields);
    let orders = orders(&mut fields);
    let built = company.zip(invoice).zip(orders);
    let ((company, invoice), orders) = fields.finish(built)?;
    Ok(Ask {
        tenant: caller.tenant(company)?,
        invoice,
        orders,
    })
}

/// `company_id` isn't part of this route's contract: where it is given it counts.
fn read_reconcile(caller: &Caller, body: &[u8]) -> Result<Ask, Problem> {
    const NAME: &str = "dte_xml";
    let mut fields = Fields::read(body)?;
    let company = fields.given("company_id").and_then(|_| fields.company());
    let xml = fields.text(NAME);
    if xml.is_none() && fields.given(NAME).is_none() {
        fields.wrong(NAME, "missing", "Falta «dte_xml», el documento recibido.");
    }
    let invoice =
        xml.and_then(
            |xml| match dte::read_xml(xml.as_bytes(), &dte::Limits::default()) {
                Ok(reading) => {
                    let first = reading.documentos.first().map(Invoice::from);
                    if first.is_none() {
                        fields.wrong(NAME, "not_a_document", "El XML no trae ningún documento.");
                    }
                    first
                }
                Err(error) => {
                    fields.wrong(NAME, error.code(), error.user_message());
                    None
                }
            },
        );
    let orders = orders(&mut fields);
    let (invoice, orders) = fields.finish(invoice.zip(orders))?;
    let tenant = match company {
        Some(company) => caller.tenant(company)?,
        None => caller.own_tenant(),
    };
    Ok(Ask {
        tenant,
        invoice,
        orders,
    })
}

/// `dte_data`, or `invoice_data` as it was called before.
fn document(fields: &mut Fields<'_>) -> Option<Invoice> {
    let names = ["dte_data", "invoice_data"];
    let given = names
        .into_iter()
        .find_map(|name| Some((name, fields.given(name)?)));
    let Some((name, raw)) = given else {
        fields.wrong(
            "dte_data",
            "missing",
            "Falta «dte_data», la factura recibida.",
        );
        return None;
    };
    match matching::read_invoice(raw.get()) {
        Ok(invoice) => Some(invoice),
        Err(error) => {
            fields.wrong_within(name, error.shape_errors());
            None
        }
    }
}

fn orders(fields: &mut Fields<'_>) -> Option<Vec<Order>> {
    const NAME: &str = "pending_pos";
    let Some(raw) = fields.given(NAME) else {
        let msg = "Falta «pending_pos», las órdenes de compra pendientes.";
        fields.wrong(NAME, "missing", msg);
        return None;
    };
    match matching::read_orders(raw.get()) {
        Ok(orders) if orders.is_empty() => {
            let msg = "«pending_pos» debe traer al menos una orden de compra.";
            fields.wrong(NAME, "too_short", msg);
            None
        }
        Ok(orders) => Some(orders),
        Err(error) => {
            fields.wrong_within(NAME, error.shape_errors());
            None
        }
    }
}

fn lines(found: &Match) -> Vec<LineMatched> {
    let lines = found.line_matches.iter();
    lines
        .map(|line| LineMatched {
            invoice_line: line.invoice_line,
            po_line: line.po_line,
            po_id: line.po_id,
            po_line_id: line.po_line_id,
            score: line.score,
            quantity_ok: line.quantity_ok,
            price_ok: line.price_ok,
        })
        .collect()
}

pub(crate) fn encode(answer: &impl Serialize) -> Result<Bytes, Problem> {
    serde_json::to_vec(answer)
        .map(Bytes::from)
        .map_err(|_| Problem::internal())
}
