//! The prefix cache's rules, one by one.

use super::*;
use crate::request::{Request, Route};
use serde_json::{Value, json};

const MODEL: &str = "claude-sonnet-4-5";

fn text(words: &str, tokens: usize, mark: Option<&str>) -> Value {
    let text: String = words.chars().cycle().take(tokens * 4).collect();
    let mut block = json!({"type": "text", "text": text});
    if let Some(ttl) = mark {
        block["cache_control"] = json!({"type": "ephemeral", "ttl": ttl});
    }
    block
}

fn body(system: &[Value], turns: &[Value]) -> Value {
    let messages: Vec<Value> = turns
        .iter()
        .enumerate()
        .map(|(n, turn)| {
            let role = if n % 2 == 0 { "user" } else { "assistant" };
            json!({"role": role, "content": [turn]})
        })
        .collect();
    json!({"model": MODEL, "max_tokens": 10, "system": system, "messages": messages})
}

/// A cache, its time, and the account that asks.
struct Bench {
    cache: PromptCache,
    now: Duration,
}

impl Bench {
    fn new() -> Self {
        Self {
            cache: PromptCache::new(100),
            now: Duration::from_secs(1_000),
        }
    }

    fn begin(&self, body: &Value, account: &str) -> (PromptUsage, Pending) {
        let body = body.to_string();
        let request = Request::parse(body.as_bytes(), Route::Messages, true).unwrap();
        let boundaries = request.prompt.boundaries(&request.model, account);
        let tokens = request.prompt.tokens();
        self.cache
            .look_up(&boundaries, tokens, request.min_cacheable, self.now)
    }

    fn ask(&self, body: &Value) -> PromptUsage {
        let (usage, pending) = self.begin(body, "key");
        self.cache.commit(pending, self.now);
        usage
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

fn usage(input: u32, read: u32, written_5m: u32, written_1h: u32) -> PromptUsage {
    PromptUsage {
        input,
        read,
        written_5m,
        written_1h,
    }
}

#[test]
fn a_prefix_is_written_once_and_then_read() {
    let bench = Bench::new();
    let request = body(&[text("a", 2_000, Some("5m"))], &[text("q", 100, None)]);
    assert_eq!(bench.ask(&request), usage(104, 0, 2_000, 0));
    assert_eq!(bench.ask(&request), usage(104, 2_000, 0, 0));
    let other = body(&[text("b", 2_000, Some("5m"))], &[text("q", 100, None)]);
    assert_eq!(bench.ask(&other), usage(104, 0, 2_000, 0));
}

#[test]
fn without_a_mark_nothing_is_cached() {
    let bench = Bench::new();
    let request = body(&[text("a", 2_000, None)], &[text("q", 100, None)]);
    for _ in 0..2 {
        assert_eq!(bench.ask(&request), usage(2_104, 0, 0, 0));
    }
}

#[test]
fn a_prefix_under_the_minimum_is_silently_not_cached() {
    let bench = Bench::new();
    for (tokens, cached) in [(1_023, false), (1_024, true)] {
        let request = body(&[text("a", tokens, Some("5m"))], &[text("q", 1, None)]);
        assert_eq!(bench.ask(&request).written_5m > 0, cached, "{tokens}");
        assert_eq!(bench.ask(&request).read > 0, cached, "{tokens}");
    }
}

#[test]
fn the_minimum_is_the_models() {
    let bench = Bench::new();
    let mut request = body(&[text("a", 4_000, Some("5m"))], &[text("q", 1, None)]);
    request["model"] = json!("claude-haiku-4-5");
    assert_eq!(bench.ask(&request).written_5m, 0);
    request["model"] = json!("claude-opus-4-8");
    assert_eq!(bench.ask(&request).written_5m, 4_000);
}

#[test]
fn a_read_renews_the_five_minutes() {
    let mut bench = Bench::new();
    let request = body(&[text("a", 2_000, Some("5m"))], &[text("q", 1, None)]);
    bench.ask(&request);
    for _ in 0..3 {
        bench.wait(299);
        assert_eq!(bench.ask(&request).read, 2_000);
    }
    bench.wait(300);
    assert_eq!(bench.ask(&request), usage(5, 0, 2_000, 0));
}

#[test]
fn an_hour_lasts_an_hour() {
    let mut bench = Bench::new();
    let request = body(&[text("a", 2_000, Some("1h"))], &[text("q", 1, None)]);
    assert_eq!(bench.ask(&request), usage(5, 0, 0, 2_000));
    bench.wait(3_599);
    assert_eq!(bench.ask(&request).read, 2_000);
    bench.wait(3_600);
    assert_eq!(bench.ask(&request).read, 0);
}

#[test]
fn an_entry_is_readable_once_its_first_answer_has_begun() {
    let bench = Bench::new();
    let request = body(&[text("a", 2_000, Some("5m"))], &[text("q", 1, None)]);
    let (first, pending) = bench.begin(&request, "key");
    let (sibling, sibling_pending) = bench.begin(&request, "key");
    assert_eq!(
        (first.written_5m, sibling.written_5m),
        (2_000, 2_000),
        "both pay the write"
    );
    drop(sibling_pending);
    bench.cache.commit(pending, bench.now);
    assert_eq!(bench.ask(&request).read, 2_000);
}

#[test]
fn several_marks_are_billed_by_what_is_new() {
    let bench = Bench::new();
    let system = [text("a", 2_000, Some("1h")), text("b", 500, Some("5m"))];
    assert_eq!(
        bench.ask(&body(&system, &[text("q", 1, None)])),
        usage(5, 0, 500, 2_000)
    );
    assert_eq!(
        bench.ask(&body(&system, &[text("q", 1, None)])),
        usage(5, 2_500, 0, 0)
    );
    let changed = [text("a", 2_000, Some("1h")), text("c", 500, Some("5m"))];
    assert_eq!(
        bench.ask(&body(&changed, &[text("q", 1, None)])),
        usage(5, 2_000, 500, 0)
    );
}

#[test]
fn a_growing_conversation_reads_what_the_turn_before_wrote() {
    let bench = Bench::new();
    let system = [text("a", 1_500, None)];
    let first = body(&system, &[text("q", 100, Some("5m"))]);
    assert_eq!(bench.ask(&first), usage(4, 0, 1_600, 0));
    let turns = [
        text("q", 100, None),
        text("r", 50, None),
        text("s", 10, Some("5m")),
    ];
    assert_eq!(bench.ask(&body(&system, &turns)), usage(12, 1_600, 60, 0));
}

#[test]
fn the_look_back_ends_after_twenty_blocks() {
    for (between, found) in [(18, true), (20, false)] {
        let bench = Bench::new();
        bench.ask(&body(
            &[text("a", 1_500, Some("5m"))],
            &[text("q", 1, None)],
        ));
        let mut turns: Vec<Value> = (0..between).map(|_| text("t", 1, None)).collect();
        turns.push(text("z", 1, Some("5m")));
        let asked = bench.ask(&body(&[text("a", 1_500, None)], &turns));
        assert_eq!(asked.read > 0, found, "{between}");
    }
}

#[test]
fn model_account_tools_and_schema_part_prefixes() {
    let bench = Bench::new();
    let request = body(&[text("a", 5_000, Some("5m"))], &[text("q", 1, None)]);
    bench.ask(&request);
    assert_eq!(bench.begin(&request, "another key").0.read, 0);
    for (name, value, kept) in [
        ("model", json!("claude-opus-4-8"), false),
        (
            "tools",
            json!([{"name": "t", "input_schema": {"type": "object"}}]),
            false,
        ),
        (
            "output_config",
            json!({"format": {"type": "json_schema", "schema": {"enum": [1]}}}),
            false,
        ),
        ("max_tokens", json!(99), true),
        ("thinking", json!({"type": "adaptive"}), true),
    ] {
        let mut changed = request.clone();
        changed[name] = value;
        assert_eq!(bench.begin(&changed, "key").0.read > 0, kept, "{name}");
    }
}

#[test]
fn thinking_and_tool_choice_part_only_the_messages() {
    let bench = Bench::new();
    let request = body(
        &[text("a", 1_500, Some("5m"))],
        &[text("q", 100, Some("5m"))],
    );
    bench.ask(&request);
    let mut changed = request.clone();
    changed["thinking"] = json!({"type": "adaptive"});
    assert_eq!(bench.ask(&changed), usage(4, 1_500, 100, 0));
    assert_eq!(bench.ask(&request), usage(4, 1_600, 0, 0));
}

#[test]
fn the_requests_own_mark_is_on_the_last_block() {
    let bench = Bench::new();
    let mut request = body(&[text("a", 1_500, None)], &[text("q", 100, None)]);
    request["cache_control"] = json!({"type": "ephemeral"});
    assert_eq!(bench.ask(&request), usage(4, 0, 1_600, 0));
}

#[test]
fn a_plain_system_and_a_text_block_are_the_same_prefix() {
    let bench = Bench::new();
    let mut request = body(&[text("a", 1_500, None)], &[text("q", 1, Some("5m"))]);
    bench.ask(&request);
    request["system"] = request["system"][0]["text"].clone();
    assert_eq!(bench.ask(&request).read, 1_501);
}

#[test]
fn the_table_is_bounded_and_drops_what_ends_first() {
    let cache = PromptCache::new(10);
    let key = |n: u8| [n; 32];
    for n in 0..50 {
        let now = Duration::from_secs(u64::from(n));
        cache.commit(Pending(vec![(key(n), Ttl::FiveMinutes)]), now);
        assert!(cache.len() <= 10);
    }
    let boundary = |n: u8| Boundary {
        key: key(n),
        tokens: 2_000,
        mark: Some(Ttl::FiveMinutes),
    };
    let read = |n| {
        cache
            .look_up(&[boundary(n)], 2_000, 0, Duration::from_secs(50))
            .0
            .read
    };
    assert_eq!((read(49), read(45), read(0)), (2_000, 2_000, 0));
    let none = PromptCache::new(0);
    none.commit(Pending(vec![(key(1), Ttl::FiveMinutes)]), Duration::ZERO);
    assert_eq!(none.len(), 0);
}
