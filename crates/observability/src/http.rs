//! The request metrics: one table of routes, resolved once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use metrics::{Counter, Histogram, Unit};

use crate::quantiles::{LatencyHistogram, Quantiles};

/// Bounds in seconds of the request histograms: 100 µs for a probe, 60 s for a model's answer.
pub const REQUEST_BUCKETS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 20.0, 30.0, 60.0,
];

pub(crate) const DURATION: &str = "http_request_duration_seconds";
pub(crate) const OVERHEAD: &str = "http_request_overhead_seconds";
const IN_FLIGHT: &str = "http_requests_in_flight";
const REFUSED: &str = "http_refused_total";

/// Bounds in seconds of what we add to a request ourselves: 50 µs to 250 ms.
pub(crate) const OVERHEAD_BUCKETS: &[f64] = &[
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
];

/// Metrics of an HTTP server whose routes are known when it starts.
#[derive(Debug)]
pub struct HttpMetrics {
    routes: Vec<Route>,
    in_flight: Arc<AtomicU64>,
    total: AtomicU64,
}

struct Route {
    endpoint: &'static str,
    /// Few: the methods and statuses that this route has answered with so far.
    series: RwLock<Vec<(&'static str, u16, Histogram)>>,
    overhead: Histogram,
    latency: LatencyHistogram,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl HttpMetrics {
    /// Metrics for these route templates; afterwards a route is named by its place in the list.
    #[must_use]
    pub fn new(endpoints: &[&'static str]) -> Self {
        describe();
        let routes = endpoints
            .iter()
            .map(|endpoint| Route::new(endpoint))
            .collect();
        Self {
            routes,
            in_flight: Arc::default(),
            total: AtomicU64::new(0),
        }
    }

    /// Counts an answered request: `route` is its place in the list given to [`Self::new`],
    /// `upstream` the part of `elapsed` that was spent waiting for a model. A route outside
    /// the list counts only towards the total.
    pub fn observe(
        &self,
        route: usize,
        method: &str,
        status: u16,
        elapsed: Duration,
        upstream: Duration,
    ) {
        self.total.fetch_add(1, Ordering::Relaxed);
        let Some(route) = self.routes.get(route) else {
            return;
        };
        route.latency.observe(elapsed);
        route.record(method_label(method), status, elapsed.as_secs_f64());
        route
            .overhead
            .record(elapsed.saturating_sub(upstream).as_secs_f64());
    }

    /// Counts a request as being worked on until what is returned is dropped.
    pub fn enter(&self) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight {
            count: Arc::clone(&self.in_flight),
        }
    }

    /// Sets the gauge of requests in flight: for whoever is about to read the figures. It is
    /// not kept up to date at every request, which would cost more than the counting.
    pub fn publish(&self) {
        let now = self.in_flight.load(Ordering::Relaxed);
        metrics::gauge!(IN_FLIGHT).set(now as f64);
    }

    /// A counter of what was refused before it had a route, by a reason known beforehand.
    pub fn refused(reason: &'static str) -> Counter {
        metrics::counter!(REFUSED, "reason" => reason)
    }

    /// P50, P95 and P99 in seconds of every route that has answered.
    #[must_use]
    pub fn quantiles(&self) -> BTreeMap<&'static str, Quantiles> {
        self.routes
            .iter()
            .filter_map(|route| Some((route.endpoint, route.latency.quantiles()?)))
            .collect()
    }

    /// Requests answered since the start.
    #[must_use]
    pub fn total_requests(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

impl Route {
    fn new(endpoint: &'static str) -> Self {
        Self {
            endpoint,
            series: RwLock::default(),
            overhead: metrics::histogram!(OVERHEAD, "endpoint" => endpoint),
            latency: LatencyHistogram::new(REQUEST_BUCKETS),
        }
    }

    fn record(&self, method: &'static str, status: u16, seconds: f64) {
        let known = |series: &[(&'static str, u16, Histogram)]| {
            let found = series.iter().find(|(m, s, _)| *m == method && *s == status);
            found
                .inspect(|(_, _, histogram)| histogram.record(seconds))
                .is_some()
        };
        let series = self
            .series
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if known(&series) {
            return;
        }
        drop(series);
        let mut series = self
            .series
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if !known(&series) {
            let histogram = metrics::histogram!(DURATION, "method" => method,
                "endpoint" => self.endpoint, "status" => status.to_string());
            histogram.record(seconds);
            series.push((method, status, histogram));
        }
    }
}

/// A request being worked on; dropping it ends that.
#[must_use = "the request counts as in flight only while this is held"]
pub struct InFlight {
    count: Arc<AtomicU64>,
}

impl std::fmt::Debug for InFlight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InFlight")
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A method as a label: the well-known ones, and one word for all that a client may invent.
#[must_use]
pub fn method_label(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

fn describe() {
    metrics::describe_histogram!(
        DURATION,
        Unit::Seconds,
        "Time from a request's arrival to its answer, by method, route template and status"
    );
    metrics::describe_histogram!(
        OVERHEAD,
        Unit::Seconds,
        "The part of a request's time that was not spent waiting for a model"
    );
    metrics::describe_gauge!(IN_FLIGHT, Unit::Count, "Requests being worked on");
    metrics::describe_counter!(
        REFUSED,
        Unit::Count,
        "Connections and requests refused before they had a route, by reason"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invented_method_has_no_series_of_its_own() {
        assert_eq!(method_label("POST"), "POST");
        assert_eq!(method_label("BREW"), "other");
    }

    #[test]
    fn quantiles_name_only_routes_that_answered() {
        let http = HttpMetrics::new(&["/live", "/health"]);
        http.observe(1, "GET", 200, Duration::from_millis(2), Duration::ZERO);
        http.observe(99, "GET", 404, Duration::from_millis(2), Duration::ZERO);
        assert_eq!(
            http.quantiles().into_keys().collect::<Vec<_>>(),
            ["/health"]
        );
        assert_eq!(http.total_requests(), 2);
    }

    #[test]
    fn one_series_per_method_and_status() {
        let route = Route::new("/live");
        for status in [200, 200, 404, 200] {
            route.record("GET", status, 0.1);
        }
        assert_eq!(route.series.read().unwrap().len(), 2);
    }
}
