//! Questions, and what they are answered from.

use super::words::words;
use super::{Area, Metric, Unit};

pub(super) const AREA: Area = Area {
    title: "Chat and knowledge base",
    metrics: &[
        Metric::counter(
            "chat_answers_total",
            Unit::Count,
            "Answers by what they were made from",
        )
        .labels(&[words("source", &["model", "extract", "nothing", "failed"])]),
        Metric::counter(
            "chat_withheld_total",
            Unit::Count,
            "Answers of the model that were withheld because they gave away instructions",
        ),
        Metric::counter(
            "chat_sessions_total",
            Unit::Count,
            "Sessions that were opened",
        ),
        Metric::counter(
            "chat_turns_aside_total",
            Unit::Count,
            "Turns that wait beside their session, because the store couldn't be asked for it",
        ),
        Metric::gauge(
            "knowledge_documents",
            Unit::Count,
            "Documents that questions are answered from",
        )
        .always(),
        Metric::gauge(
            "knowledge_passages",
            Unit::Count,
            "Passages of these documents",
        )
        .always(),
        Metric::gauge(
            "knowledge_generation",
            Unit::Count,
            "Versions of the knowledge base that were served since the start",
        )
        .always(),
    ],
};
