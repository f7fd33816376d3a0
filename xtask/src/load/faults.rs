//! What goes wrong while the service is pressed, and when.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use store::test_util::redis;
use tokio::time::{Instant, sleep_until, timeout};

use super::launch::{Scenario, Trouble};
use super::traffic::Goal;
use crate::bench::client::Connection;
use crate::bench::targets::post;

const ANSWER_LIMIT: Duration = Duration::from_secs(120);

/// Something that goes wrong, or is done meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Redis is killed and started again, empty.
    RestartRedis,
    /// Redis is stopped in its tracks.
    FreezeRedis,
    /// Redis goes on.
    ThawRedis,
    /// Redis is killed.
    KillRedis,
    /// A third of the model's answers is a 529.
    BreakModel,
    /// The model is well again.
    MendModel,
    /// The monitor of the tax service runs.
    RunMonitor,
    /// The knowledge base is read again.
    ReloadKnowledge,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::RestartRedis => "redis restarted",
            Self::FreezeRedis => "redis frozen",
            Self::ThawRedis => "redis thawed",
            Self::KillRedis => "redis killed",
            Self::BreakModel => "model overloaded",
            Self::MendModel => "model well",
            Self::RunMonitor => "monitor run",
            Self::ReloadKnowledge => "knowledge reloaded",
        }
    }
}

/// One that happened.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Seconds from the start.
    pub at: f64,
    /// What.
    pub what: &'static str,
    /// How it went.
    pub outcome: String,
}

/// The faults of a run of this length, in their order.
pub fn timetable(scenario: Scenario, trouble: Trouble, length: Duration) -> Vec<(Duration, Fault)> {
    const MINUTE: [(u64, Fault); 5] = [
        (10, Fault::BreakModel),
        (20, Fault::MendModel),
        (30, Fault::RestartRedis),
        (40, Fault::ReloadKnowledge),
        (50, Fault::RunMonitor),
    ];
    match scenario {
        Scenario::Failover => [
            (0.25, Fault::FreezeRedis),
            (0.40, Fault::ThawRedis),
            (0.60, Fault::KillRedis),
            (0.75, Fault::RestartRedis),
        ]
        .map(|(part, fault)| (length.mul_f64(part), fault))
        .to_vec(),
        Scenario::Soak => (0..length.as_secs().div_ceil(60))
            .flat_map(|minute| MINUTE.map(|(second, fault)| (minute * 60 + second, fault)))
            .filter(|(_, fault)| trouble == Trouble::All || *fault == Fault::RestartRedis)
            .map(|(second, fault)| (Duration::from_secs(second), fault))
            .filter(|(at, _)| *at < length)
            .collect(),
        _ => Vec::new(),
    }
}

/// Lets the faults happen at their times, and tells how each went. Redis comes back with it.
pub async fn happen(
    timetable: Vec<(Duration, Fault)>,
    mut redis: Option<redis::Server>,
    goal: Goal,
) -> (Vec<Event>, Option<redis::Server>) {
    let start = Instant::now();
    let mut events = Vec::new();
    for (at, fault) in timetable {
        sleep_until(start + at).await;
        let outcome = match redis.as_mut() {
            Some(redis) => strike(fault, redis, &goal).await,
            None => "no redis of ours".to_owned(),
        };
        println!(
            "    {:>6.1} s  {}: {outcome}",
            start.elapsed().as_secs_f64(),
            fault.name()
        );
        events.push(Event {
            at: at.as_secs_f64(),
            what: fault.name(),
            outcome,
        });
    }
    (events, redis)
}

async fn strike(fault: Fault, redis: &mut redis::Server, goal: &Goal) -> String {
    let told = |outcome: std::io::Result<()>| match outcome {
        Ok(()) => "done".to_owned(),
        Err(error) => format!("failed: {error}"),
    };
    let broken = json!({ "fault": "overloaded", "probability": 0.33, "path": "/v1/messages" });
    match fault {
        Fault::RestartRedis => told(redis.restart().await),
        Fault::FreezeRedis => told(redis.freeze()),
        Fault::ThawRedis => told(redis.thaw()),
        Fault::KillRedis => told(redis.kill()),
        Fault::BreakModel => match goal.model {
            Some(model) => status(model, &post("/mock/faults", "none", &broken.to_string())).await,
            None => "no model of ours".to_owned(),
        },
        Fault::MendModel => match goal.model {
            Some(model) => {
                status(model, b"DELETE /mock/faults HTTP/1.1\r\nhost: load\r\n\r\n").await
            }
            None => "no model of ours".to_owned(),
        },
        Fault::RunMonitor => {
            let request = post("/api/ai/sii/monitor", &goal.key, "{\"force\": true}");
            status(goal.service, &request).await
        }
        Fault::ReloadKnowledge => {
            let request = post("/knowledge/reload", &goal.key, "{}");
            status(goal.admin(), &request).await
        }
    }
}

/// Asks, and tells the status: a route that this version doesn't have is a 404.
async fn status(address: SocketAddr, request: &[u8]) -> String {
    let asked = async {
        let mut connection = Connection::open(address)
            .await
            .map_err(|error| error.to_string())?;
        let answer = connection.stream(request, || ()).await;
        answer
            .map(|answer| answer.status)
            .map_err(|failure| failure.to_string())
    };
    match timeout(ANSWER_LIMIT, asked).await {
        Ok(Ok(404)) => "absent in this version (404)".to_owned(),
        Ok(Ok(status)) => format!("status {status}"),
        Ok(Err(failure)) => format!("failed: {failure}"),
        Err(_) => format!("no answer in {ANSWER_LIMIT:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_minute_has_its_faults_and_none_is_after_the_end() {
        let length = Duration::from_secs(150);
        let all = timetable(Scenario::Soak, Trouble::All, length);
        assert_eq!(all.len(), 12, "{all:?}");
        assert!(all.is_sorted_by_key(|(at, _)| *at));
        let redis = timetable(Scenario::Soak, Trouble::Redis, length);
        let at: Vec<u64> = redis.iter().map(|(at, _)| at.as_secs()).collect();
        assert_eq!(at, [30, 90]);
        assert!(timetable(Scenario::Mixed, Trouble::All, length).is_empty());
    }

    #[test]
    fn after_a_failover_redis_is_back() {
        let all = timetable(Scenario::Failover, Trouble::All, Duration::from_secs(40));
        assert_eq!(
            all.first(),
            Some(&(Duration::from_secs(10), Fault::FreezeRedis))
        );
        assert_eq!(
            all.last(),
            Some(&(Duration::from_secs(30), Fault::RestartRedis))
        );
    }
}
