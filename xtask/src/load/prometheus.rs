//! A real Prometheus that scrapes during the load, and whether its answers are ours.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use store::test_util::redis::{free_port, until};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::figures::RouteFigures;
use super::traffic::Goal;
use crate::bench::client::Connection;
use crate::error::Error;
use crate::run;

const PROGRAM: &str = "prometheus";
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// One figure by two accounts.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// What.
    pub what: String,
    /// By the generator.
    pub ours: f64,
    /// By Prometheus; absent where it has none.
    pub theirs: Option<f64>,
}

impl Comparison {
    /// By how much of a hundred Prometheus differs.
    pub fn off_percent(&self) -> Option<f64> {
        let theirs = self.theirs?;
        let largest = self.ours.abs().max(theirs.abs());
        Some(match largest > 0.0 {
            true => (self.ours - theirs).abs() / largest * 100.0,
            false => 0.0,
        })
    }
}

/// A Prometheus of our own; killed when dropped.
pub struct Prometheus {
    address: SocketAddr,
    _child: Child,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts it over this service, every second.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where there is no such program, [`Error::Io`] where it doesn't answer.
    pub async fn start(goal: &Goal) -> Result<Self, Error> {
        let folder = tempfile::tempdir().map_err(Error::io("make a temporary folder"))?;
        let port = free_port().map_err(Error::io("find a free port"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let config = format!(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n\
             - job_name: ai-service\n  authorization:\n    credentials: {}\n  static_configs:\n\
             \x20 - targets: ['{}']\n",
            goal.key,
            goal.admin()
        );
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config).map_err(Error::io("write Prometheus' configuration"))?;
        let child = Command::new(PROGRAM)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|_| Error::Missing {
                what: PROGRAM.to_owned(),
                hint: "on Debian: apt-get install prometheus".to_owned(),
            })?;
        let prometheus = Self {
            address,
            _child: child,
            _folder: folder,
        };
        let up = async || {
            prometheus
                .query("up == 1")
                .await
                .is_ok_and(|found| !found.is_empty())
        };
        until("Prometheus to scrape the service", up)
            .await
            .map_err(Error::io("start Prometheus"))?;
        Ok(prometheus)
    }

    /// The values that a query has now.
    ///
    /// # Errors
    ///
    /// [`Error::Bench`] with what Prometheus says where it refuses.
    pub async fn query(&self, query: &str) -> Result<Vec<f64>, Error> {
        let failed = |reason: String| Error::Bench(format!("Prometheus on {query}: {reason}"));
        let request = format!(
            "GET /api/v1/query?query={} HTTP/1.1\r\nhost: load\r\n\r\n",
            escaped(query)
        );
        let asked = async {
            let mut connection = Connection::open(self.address)
                .await
                .map_err(|error| failed(error.to_string()))?;
            let answer = connection.stream(request.as_bytes(), || ()).await;
            let answer = answer.map_err(|failure| failed(failure.to_string()))?;
            serde_json::from_slice::<Value>(answer.body).map_err(|error| failed(error.to_string()))
        };
        let answer = timeout(ANSWER_LIMIT, asked)
            .await
            .map_err(|_| failed(format!("no answer in {ANSWER_LIMIT:?}")))??;
        if answer["status"] != "success" {
            return Err(failed(answer["error"].to_string()));
        }
        Ok(values(&answer["data"]))
    }

    /// The generator's figures beside those of Prometheus, over the last `seconds`.
    ///
    /// # Errors
    ///
    /// Where Prometheus refuses a query.
    pub async fn compare(
        &self,
        routes: &[RouteFigures],
        seconds: f64,
    ) -> Result<Vec<Comparison>, Error> {
        let window = format!("{}s", (seconds - 5.0).max(5.0) as u64);
        let mut all = Vec::new();
        for (endpoint, names) in ENDPOINTS {
            let of = routes.iter().filter(|route| names.contains(&route.name));
            let answers: u64 = of.map(|route| route.accepted + route.shed).sum();
            let query = format!(
                "sum(rate(http_request_duration_seconds_count{{endpoint=\"{endpoint}\"}}[{window}]))"
            );
            all.push(Comparison {
                what: format!("requests/s of {endpoint}"),
                ours: answers as f64 / seconds,
                theirs: self.query(&query).await?.first().copied(),
            });
        }
        let (_, hits) = super::figures::hit_rate(routes);
        let lookups = |result: &str| {
            format!(
                "sum(rate(cache_requests_total{{operation=~\"validate|payroll_validate|match_po|\
                 suggest_project\"{result}}}[{window}]))"
            )
        };
        let query = format!("{} / {}", lookups(",result=\"hit\""), lookups(""));
        all.push(Comparison {
            what: "hit rate".to_owned(),
            ours: hits,
            theirs: self.query(&query).await?.first().copied(),
        });
        Ok(all)
    }

    /// Asks every query of the committed dashboards; tells how many have an answer, and which
    /// have none.
    ///
    /// # Errors
    ///
    /// Where Prometheus refuses one.
    pub async fn dashboards(&self) -> Result<(usize, Vec<String>), Error> {
        let (mut answered, mut empty) = (0, Vec::new());
        for query in queries(&run::root().join("deploy/grafana"), 0) {
            match self.query(&query).await?.is_empty() {
                true => empty.push(query),
                false => answered += 1,
            }
        }
        Ok((answered, empty))
    }
}

/// Which kinds of requests an endpoint's figures are made of.
const ENDPOINTS: [(&str, &[&str]); 5] = [
    (
        "/api/ai/validate",
        &["validate-cached", "validate-rules", "validate-miss"],
    ),
    ("/api/payroll/validate", &["payroll-cached", "payroll-new"]),
    ("/api/ai/reception/match_po", &["match-po"]),
    ("/api/chat/message", &["chat-message"]),
    ("/api/chat/message/stream", &["chat-stream"]),
];

fn values(data: &Value) -> Vec<f64> {
    let series = data["result"].as_array().into_iter().flatten();
    let value = |series: &Value| series["value"][1].as_str()?.parse().ok();
    series.filter_map(value).collect()
}

fn escaped(query: &str) -> String {
    use std::fmt::Write as _;
    query.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            // Writing into a string can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// The queries of all panels of the dashboards in a folder, with Grafana's variables filled in.
fn queries(folder: &Path, depth: usize) -> Vec<String> {
    const DEEPEST: usize = 4;
    let mut all = Vec::new();
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = file.path();
        if path.is_dir() && depth < DEEPEST {
            all.append(&mut queries(&path, depth + 1));
        } else if path.extension().is_some_and(|ext| ext == "json") {
            let text = fs::read_to_string(path).unwrap_or_default();
            if let Ok(dashboard) = serde_json::from_str(&text) {
                collect(&dashboard, &mut all, 0);
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// Every `expr`, however deep a panel lies in its row.
fn collect(value: &Value, all: &mut Vec<String>, depth: usize) {
    const DEEPEST: usize = 32;
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value.as_str()) {
                    ("expr", Some(query)) => all.push(filled(query)),
                    _ => collect(value, all, depth + 1),
                }
            }
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect(value, all, depth + 1)),
        _ => {}
    }
}

/// Grafana's own variables by a minute, a dashboard's by whatever matches.
fn filled(query: &str) -> String {
    let mut rest = query;
    let mut text = String::new();
    while let Some(at) = rest.find('$') {
        let (before, variable) = rest.split_at(at);
        text.push_str(before);
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let body = variable.get(1..).unwrap_or_default();
        let (word, after) = match body.strip_prefix('{').and_then(|body| body.split_once('}')) {
            Some((word, after)) => (word, after),
            None => body.split_at(body.find(|c| !name(c)).unwrap_or(body.len())),
        };
        text.push_str(if word.starts_with("__") { "1m" } else { ".*" });
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn queries_are_found_in_rows_and_their_variables_filled() {
        let dashboard = json!({ "panels": [
            { "targets": [{ "expr": "rate(a{job=~\"$job\"}[$__rate_interval])" }] },
            { "panels": [{ "targets": [{ "expr": "b{x=~\"${x:regex}\"} > 1" }] }] },
        ]});
        let mut all = Vec::new();
        collect(&dashboard, &mut all, 0);
        assert_eq!(all, ["rate(a{job=~\".*\"}[1m])", "b{x=~\".*\"} > 1"]);
    }

    #[test]
    fn answers_are_read_and_queries_escaped() {
        let data = json!({ "result": [{ "value": [1.5, "2.5"] }, { "value": [1.5, "NaN"] }] });
        let values = values(&data);
        assert!(values[0] == 2.5 && values[1].is_nan());
        assert_eq!(escaped("a{b=\"c\"}"), "a%7Bb%3D%22c%22%7D");
    }

    #[test]
    fn differences_are_of_the_larger_figure() {
        let compared = |ours, theirs| {
            let what = String::new();
            Comparison { what, ours, theirs }.off_percent()
        };
        assert_eq!(compared(100.0, Some(95.0)), Some(5.0));
        assert_eq!(compared(0.0, Some(0.0)), Some(0.0));
        assert_eq!(compared(0.0, Some(3.0)), Some(100.0));
        assert_eq!(compared(1.0, None), None);
    }
}
