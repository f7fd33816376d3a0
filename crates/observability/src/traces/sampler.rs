//! Which traces are sampled from their beginning.

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// Records every span, and marks as sampled those that are kept whatever comes: where the
/// caller sampled the trace, or, without a caller that says, by ratio of the trace's id.
#[derive(Debug, Clone)]
pub(super) struct KeepTrack {
    ratio: Sampler,
}

impl KeepTrack {
    pub(super) fn new(ratio: f64) -> Self {
        Self {
            ratio: Sampler::TraceIdRatioBased(ratio),
        }
    }
}

impl ShouldSample for KeepTrack {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let parent_span = parent.map(Context::span);
        let above = parent_span
            .as_ref()
            .map(opentelemetry::trace::SpanRef::span_context)
            .filter(|context| context.is_valid());
        if let Some(above) = above {
            let decision = if above.is_sampled() {
                SamplingDecision::RecordAndSample
            } else {
                SamplingDecision::RecordOnly
            };
            return SamplingResult {
                decision,
                attributes: Vec::new(),
                trace_state: above.trace_state().clone(),
            };
        }
        let mut result = self
            .ratio
            .should_sample(parent, trace_id, name, kind, attributes, links);
        if result.decision == SamplingDecision::Drop {
            result.decision = SamplingDecision::RecordOnly;
        }
        result
    }
}
