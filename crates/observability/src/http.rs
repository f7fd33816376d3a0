//! The request metrics: one table of routes, resolved once.
//!
//! Durations are counted here and not through the façade, whose exporter has one set of buckets
//! a metric: a probe is judged by the millisecond and a model's answer by the second. The same
//! counts answer `/health`'s quantiles.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use metrics::Counter;

use crate::quantiles::{LatencyHistogram, Quantiles};
use crate::text;

/// Bounds in seconds that the durations of every route have, so that routes of several classes
/// can be added up: 100 µs for a probe, 60 s for a model's answer.
pub const REQUEST_BUCKETS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 20.0, 30.0, 60.0,
];

/// The same, finer where routes are that answer by themselves.
const QUICK_BUCKETS: &[f64] = &[
    0.00005, 0.0001, 0.00015, 0.00025, 0.00035, 0.0005, 0.00075, 0.001, 0.0015, 0.0025, 0.0035,
    0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0,
];

/// The same, finer where routes are that may wait for a model; their kept answers are quick.
const MODEL_BUCKETS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.175, 0.25, 0.35, 0.5,
    0.75, 1.0, 1.5, 2.5, 3.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0,
];

/// Bounds in seconds of what we add to a request ourselves: 50 µs to 250 ms.
pub(crate) const OVERHEAD_BUCKETS: &[f64] = &[
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
];

const DURATION: &str = "http_request_duration_seconds";
const OVERHEAD: &str = "http_request_overhead_seconds";
const BYTES_IN: &str = "http_request_body_bytes_total";
const BYTES_OUT: &str = "http_response_body_bytes_total";

/// How long a route's answers take by their nature: it decides where its buckets are fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// From memory, the rules or the store.
    Quick,
    /// Some wait for a language model.
    Model,
}

impl Pace {
    /// Upper bounds of the durations' buckets, in seconds: [`REQUEST_BUCKETS`] and more.
    #[must_use]
    pub const fn buckets(self) -> &'static [f64] {
        match self {
            Self::Quick => QUICK_BUCKETS,
            Self::Model => MODEL_BUCKETS,
        }
    }
}

/// Metrics of an HTTP server whose routes are known when it starts.
#[derive(Debug)]
pub struct HttpMetrics {
    routes: Vec<Route>,
    in_flight: Arc<AtomicU64>,
    connections: Arc<AtomicU64>,
    total: AtomicU64,
}

/// Few: the methods and statuses that a route has answered with so far.
type Series = Vec<(&'static str, u16, LatencyHistogram)>;

#[derive(Debug)]
struct Route {
    endpoint: &'static str,
    pace: Pace,
    series: RwLock<Series>,
    overhead: LatencyHistogram,
    bytes_in: AtomicU64,
    bytes_out: Arc<AtomicU64>,
}

impl HttpMetrics {
    /// Metrics for these route templates; afterwards a route is named by its place in the list.
    #[must_use]
    pub fn new(endpoints: &[(&'static str, Pace)]) -> Self {
        Self {
            routes: endpoints.iter().map(Route::new).collect(),
            in_flight: Arc::default(),
            connections: Arc::default(),
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
        route.record(method_label(method), status, elapsed);
        route.overhead.observe(elapsed.saturating_sub(upstream));
    }

    /// Counts a body that was read for a route.
    pub fn read(&self, route: usize, bytes: usize) {
        if let Some(route) = self.routes.get(route) {
            route.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    /// What counts the bytes that a route answers. A stream's body keeps it until it ends.
    #[must_use]
    pub fn written(&self, route: usize) -> Written {
        Written(
            self.routes
                .get(route)
                .map(|route| Arc::clone(&route.bytes_out)),
        )
    }

    /// Counts a request that was refused or failed, by a code that is one of few.
    pub fn failed(&self, route: usize, code: &'static str) {
        if let Some(route) = self.routes.get(route) {
            metrics::counter!("http_errors_total", "endpoint" => route.endpoint, "code" => code)
                .increment(1);
        }
    }

    /// Counts a request as being worked on until what is returned is dropped.
    pub fn enter(&self) -> InFlight {
        InFlight::of(&self.in_flight)
    }

    /// Counts a connection as open until what is returned is dropped.
    pub fn connected(&self) -> InFlight {
        InFlight::of(&self.connections)
    }

    /// A counter of what was refused whatever it asked for, by a reason known beforehand.
    pub fn refused(reason: &'static str) -> Counter {
        metrics::counter!("http_refused_total", "reason" => reason)
    }

    /// P50, P95 and P99 in seconds of every route that has answered, over all its methods and
    /// statuses: from the counts that Prometheus sees.
    #[must_use]
    pub fn quantiles(&self) -> BTreeMap<&'static str, Quantiles> {
        self.routes
            .iter()
            .filter_map(|route| Some((route.endpoint, route.quantiles()?)))
            .collect()
    }

    /// Requests answered since the start.
    #[must_use]
    pub fn total_requests(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Appends all of it in Prometheus' text format, and sets the gauges of what is open: for
    /// whoever is about to read the figures. A gauge that followed every request would cost more
    /// than the counting.
    pub fn render(&self, out: &mut String) {
        text::family(out, DURATION);
        for route in &self.routes {
            for (method, status, histogram) in route.read().iter() {
                let labels = format!(
                    "method=\"{method}\",endpoint=\"{}\",status=\"{status}\"",
                    route.endpoint
                );
                histogram_text(out, DURATION, &labels, route.pace.buckets(), histogram);
            }
        }
        out.push('\n');
        text::family(out, OVERHEAD);
        for route in &self.routes {
            let labels = format!("endpoint=\"{}\"", route.endpoint);
            histogram_text(out, OVERHEAD, &labels, OVERHEAD_BUCKETS, &route.overhead);
        }
        out.push('\n');
        self.render_bytes(out, BYTES_IN, |route| &route.bytes_in);
        self.render_bytes(out, BYTES_OUT, |route| &route.bytes_out);
        for (name, count) in [
            ("http_requests_in_flight", &self.in_flight),
            ("http_connections_open", &self.connections),
        ] {
            text::single(out, name, count.load(Ordering::Relaxed) as f64);
        }
    }

    fn render_bytes(&self, out: &mut String, name: &str, count: impl Fn(&Route) -> &AtomicU64) {
        text::family(out, name);
        for route in &self.routes {
            let bytes = count(route).load(Ordering::Relaxed);
            text::sample(out, name, &[("endpoint", route.endpoint)], bytes as f64);
        }
        out.push('\n');
    }
}

/// One histogram: its buckets added up, their sum and their number.
fn histogram_text(
    out: &mut String,
    name: &str,
    labels: &str,
    bounds: &[f64],
    histogram: &LatencyHistogram,
) {
    let counts = histogram.counts();
    let mut upto = 0;
    for (bound, count) in bounds.iter().zip(&counts) {
        upto += count;
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {upto}");
    }
    let total: u64 = counts.iter().sum();
    let sum = histogram.sum();
    let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {total}");
    let _ = writeln!(out, "{name}_sum{{{labels}}} {sum}");
    let _ = writeln!(out, "{name}_count{{{labels}}} {total}");
}

impl Route {
    fn new((endpoint, pace): &(&'static str, Pace)) -> Self {
        Self {
            endpoint,
            pace: *pace,
            series: RwLock::default(),
            overhead: LatencyHistogram::new(OVERHEAD_BUCKETS),
            bytes_in: AtomicU64::default(),
            bytes_out: Arc::default(),
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Series> {
        self.series.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, method: &'static str, status: u16, elapsed: Duration) {
        let known = |series: &Series| {
            let found = series.iter().find(|(m, s, _)| *m == method && *s == status);
            found
                .inspect(|(_, _, histogram)| histogram.observe(elapsed))
                .is_some()
        };
        if known(&self.read()) {
            return;
        }
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        if !known(&series) {
            let histogram = LatencyHistogram::new(self.pace.buckets());
            histogram.observe(elapsed);
            series.push((method, status, histogram));
        }
    }

    fn quantiles(&self) -> Option<Quantiles> {
        let bounds = self.pace.buckets();
        let mut all = vec![0; bounds.len() + 1];
        for (_, _, histogram) in self.read().iter() {
            for (sum, count) in all.iter_mut().zip(histogram.counts()) {
                *sum += count;
            }
        }
        Quantiles::of(bounds, &all)
    }
}

/// Something that goes on; dropping it ends that.
#[must_use = "it counts only while this is held"]
#[derive(Debug)]
pub struct InFlight {
    count: Arc<AtomicU64>,
}

impl InFlight {
    fn of(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self {
            count: Arc::clone(count),
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts the bytes that a route answers; by default nothing.
#[derive(Debug, Clone, Default)]
pub struct Written(Option<Arc<AtomicU64>>);

impl Written {
    /// So many more.
    pub fn add(&self, bytes: usize) {
        if let Some(count) = &self.0 {
            count.fetch_add(bytes as u64, Ordering::Relaxed);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn http() -> HttpMetrics {
        HttpMetrics::new(&[("/live", Pace::Quick), ("/ask", Pace::Model)])
    }

    #[test]
    fn an_invented_method_has_no_series_of_its_own() {
        assert_eq!(method_label("POST"), "POST");
        assert_eq!(method_label("BREW"), "other");
    }

    #[test]
    fn every_pace_has_the_common_bounds_and_finer_ones() {
        for pace in [Pace::Quick, Pace::Model] {
            let bounds = pace.buckets();
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(REQUEST_BUCKETS.iter().all(|bound| bounds.contains(bound)));
            assert!(bounds.len() > REQUEST_BUCKETS.len());
        }
    }

    #[test]
    fn quantiles_name_only_routes_that_answered_and_join_their_statuses() {
        let http = http();
        http.observe(1, "GET", 200, Duration::from_millis(2), Duration::ZERO);
        http.observe(1, "GET", 404, Duration::from_millis(400), Duration::ZERO);
        http.observe(99, "GET", 404, Duration::from_millis(2), Duration::ZERO);
        let quantiles = http.quantiles();
        assert_eq!(quantiles.keys().collect::<Vec<_>>(), [&"/ask"]);
        assert!(quantiles["/ask"].p50 <= 0.0025 && quantiles["/ask"].p99 > 0.35);
        assert_eq!(http.total_requests(), 3);
    }

    #[test]
    fn the_text_has_every_series_with_its_sums() {
        let http = http();
        let _connection = http.connected();
        let ms = Duration::from_millis;
        http.observe(0, "GET", 200, ms(3), Duration::ZERO);
        http.observe(1, "POST", 200, ms(1_400), ms(1_399));
        http.observe(1, "POST", 200, ms(300_000), ms(0));
        http.read(1, 20);
        let written = http.written(1);
        written.add(30);
        written.add(12);
        http.written(9).add(1);
        let mut text = String::new();
        http.render(&mut text);
        for line in [
            "# TYPE http_request_duration_seconds histogram",
            r#"http_request_duration_seconds_bucket{method="GET",endpoint="/live",status="200",le="0.0025"} 0"#,
            r#"http_request_duration_seconds_bucket{method="GET",endpoint="/live",status="200",le="0.0035"} 1"#,
            r#"http_request_duration_seconds_bucket{method="POST",endpoint="/ask",status="200",le="1.5"} 1"#,
            r#"http_request_duration_seconds_bucket{method="POST",endpoint="/ask",status="200",le="60"} 1"#,
            r#"http_request_duration_seconds_bucket{method="POST",endpoint="/ask",status="200",le="+Inf"} 2"#,
            r#"http_request_duration_seconds_sum{method="POST",endpoint="/ask",status="200"} 301.4"#,
            r#"http_request_duration_seconds_count{method="POST",endpoint="/ask",status="200"} 2"#,
            r#"http_request_overhead_seconds_bucket{endpoint="/ask",le="0.001"} 1"#,
            r#"http_request_body_bytes_total{endpoint="/ask"} 20"#,
            r#"http_response_body_bytes_total{endpoint="/ask"} 42"#,
            "http_connections_open 1",
            "http_requests_in_flight 0",
        ] {
            assert!(
                text.lines().any(|known| known == line),
                "no {line} in\n{text}"
            );
        }
    }

    #[test]
    fn one_series_per_method_and_status() {
        let http = http();
        for status in [200, 200, 404, 200] {
            http.observe(0, "GET", status, Duration::from_millis(1), Duration::ZERO);
        }
        assert_eq!(http.routes[0].read().len(), 2);
    }
}
