//! Questions whose answers can be told apart: every answer names a figure of its own question.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Reply, Request, factura_con};

/// A validation, by its tenant and its number. No two have a figure in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asked {
    pub tenant: u64,
    pub number: u64,
    /// Whether the model is asked too.
    pub model: bool,
}

impl Asked {
    /// Only the rules are asked.
    pub fn rules(tenant: u64, number: u64) -> Self {
        let model = false;
        Self {
            tenant,
            number,
            model,
        }
    }

    /// The model is asked as well.
    pub fn model(tenant: u64, number: u64) -> Self {
        let model = true;
        Self {
            tenant,
            number,
            model,
        }
    }

    /// The wrong total of the document, which the rules' finding repeats.
    fn total(self) -> u64 {
        self.tenant * 10_000_000 + self.number + 1_000_000
    }

    pub fn body(self) -> Value {
        let mut document = factura_con("Cemento 25 kg");
        document["monto_total"] = json!(self.total());
        let mut body = json!({ "company_id": self.tenant, "dte_data": document });
        if self.model {
            body["model_check"] = json!("always");
        }
        body
    }

    pub fn request(self) -> Request {
        Request::validate(&self.body())
    }

    /// Whether this is a whole answer to this question and to no other.
    pub fn is_answered_by(self, reply: &Reply) -> bool {
        let said = format!("dice ${}:", dotted(self.total()));
        reply.status == 200 && String::from_utf8_lossy(&reply.body).contains(&said)
    }

    /// Asks, checks the answer, and says how long it took.
    pub async fn ask(self, addr: std::net::SocketAddr) -> (Reply, Duration) {
        let begun = Instant::now();
        let reply = self.request().try_send(addr).await.unwrap();
        let took = begun.elapsed();
        assert!(self.is_answered_by(&reply), "{self:?}: {reply:?}");
        (reply, took)
    }
}

/// A number as it is written in Chile.
fn dotted(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// The value below which this part in a hundred lies.
pub fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(index).copied().unwrap_or_default()
}

#[test]
fn numbers_are_written_with_dots() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1.000"),
        (12_345_678, "12.345.678"),
    ] {
        assert_eq!(dotted(number), text);
    }
}
