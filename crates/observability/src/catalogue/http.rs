//! The HTTP server.

use super::words::{CODE, ENDPOINT, METHOD, STATUS, words};
use super::{Area, Metric, Unit};
use crate::http::{OVERHEAD_BUCKETS, REQUEST_BUCKETS};

pub(super) const AREA: Area = Area {
    title: "HTTP",
    metrics: &[
        Metric::histogram(
            "http_request_duration_seconds",
            Unit::Seconds,
            REQUEST_BUCKETS,
            "Time from a request's arrival to its answer, by method, route template and status",
        )
        .labels(&[METHOD, ENDPOINT, STATUS]),
        Metric::histogram(
            "http_request_overhead_seconds",
            Unit::Seconds,
            OVERHEAD_BUCKETS,
            "The part of a request's time that was not spent waiting for a model",
        )
        .labels(&[ENDPOINT])
        .always(),
        Metric::gauge(
            "http_requests_in_flight",
            Unit::Count,
            "Requests being worked on",
        )
        .always(),
        Metric::gauge(
            "http_connections_open",
            Unit::Count,
            "Connections of clients",
        )
        .always(),
        Metric::gauge(
            "http_streams_open",
            Unit::Count,
            "Answers that come in events and are being read",
        )
        .always(),
        Metric::counter(
            "http_request_body_bytes_total",
            Unit::Bytes,
            "Bytes of bodies that were read from clients",
        )
        .labels(&[ENDPOINT])
        .always(),
        Metric::counter(
            "http_response_body_bytes_total",
            Unit::Bytes,
            "Bytes of bodies that were answered, those of streams among them",
        )
        .labels(&[ENDPOINT])
        .always(),
        Metric::counter(
            "http_errors_total",
            Unit::Count,
            "Requests that were refused or failed, by the code that the client reads",
        )
        .labels(&[ENDPOINT, CODE]),
        Metric::counter(
            "http_refused_total",
            Unit::Count,
            "Connections over their bound, and requests that came while the process was late, by reason",
        )
        .labels(&[words("reason", &["connections", "overload"])])
        .always(),
        Metric::counter(
            "http_connections_evicted_total",
            Unit::Count,
            "Idle connections that gave their place to a new one",
        ),
        Metric::counter(
            "http_tls_handshakes_failed_total",
            Unit::Count,
            "Connections that came to no TLS, or not in time",
        )
        .with("TLS"),
        Metric::counter(
            "http_auth_throttled_total",
            Unit::Count,
            "Requests refused unread, as their address had tried too many wrong keys",
        ),
        Metric::counter(
            "http_rate_limited_total",
            Unit::Count,
            "Requests over their key's limit",
        ),
        Metric::counter(
            "http_rate_limit_local_total",
            Unit::Count,
            "Requests whose key's limit was this process's own, as the store did not answer",
        ),
    ],
};
