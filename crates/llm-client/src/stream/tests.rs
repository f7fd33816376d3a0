//! What was used, at every point of a stream.

use super::*;
use crate::{ErrorKind, Provider, StopReason};

fn request() -> Request {
    Request::builder(100).user("12345678").build().unwrap()
}

fn usage(input: u64, output: u64) -> Usage {
    Usage {
        input_tokens: input,
        output_tokens: output,
        ..Usage::default()
    }
}

fn started() -> StreamEvent {
    StreamEvent::Started {
        request_id: None,
        model: "m".to_owned(),
        usage: usage(50, 1),
        rate_limits: None,
    }
}

fn finished(text: &str) -> Completion {
    Completion {
        text: text.to_owned(),
        stop_reason: StopReason::EndTurn,
        usage: usage(50, 7),
        provider: Provider::Scripted,
        model: "m".to_owned(),
        request_id: None,
        rate_limits: None,
        elapsed: std::time::Duration::ZERO,
    }
}

fn stream_of(items: Vec<Result<StreamEvent, Error>>) -> CompletionStream {
    CompletionStream::new(stream::iter(items), &request())
}

async fn used_at_each_point(items: Vec<Result<StreamEvent, Error>>) -> Vec<(u64, u64, bool)> {
    let mut stream = stream_of(items);
    let mut seen = Vec::new();
    loop {
        let (usage, exact) = stream.usage_so_far();
        assert_eq!(usage.estimated, !exact);
        seen.push((usage.input_tokens, usage.output_tokens, exact));
        if stream.next().await.is_none() {
            return seen;
        }
    }
}

#[tokio::test]
async fn usage_is_replaced_never_added_and_exact_only_at_the_end() {
    let text = |text: &str| Ok(StreamEvent::Text(text.to_owned()));
    let seen = used_at_each_point(vec![
        Ok(started()),
        text("12345678"),
        text("ññññ"),
        Ok(StreamEvent::Usage(usage(50, 5))),
        Ok(StreamEvent::Usage(usage(50, 7))),
        Ok(StreamEvent::Finished(finished("12345678ññññ"))),
    ])
    .await;
    let expected = [
        (4, 0, false),
        (50, 1, false),
        (50, 4, false),
        (50, 6, false),
        (50, 6, false),
        (50, 7, false),
        (50, 7, true),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn an_estimate_never_exceeds_what_was_allowed() {
    let long = StreamEvent::Text("x".repeat(10_000));
    let seen = used_at_each_point(vec![Ok(started()), Ok(long)]).await;
    assert_eq!(seen.last(), Some(&(50, 100, false)));
}

#[tokio::test]
async fn nothing_comes_after_the_end_or_an_error() {
    let failed = || Err(Error::new(ErrorKind::Overloaded).with_usage(usage(50, 3)));
    let mut stream = stream_of(vec![Ok(started()), failed(), Ok(started())]);
    assert!(stream.next().await.unwrap().is_ok());
    assert!(stream.next().await.unwrap().is_err());
    assert!(stream.next().await.is_none());
    assert_eq!(stream.usage_so_far(), (usage(50, 3), true));
    let end = StreamEvent::Finished(finished(""));
    let mut stream = stream_of(vec![Ok(end), Ok(started())]);
    assert!(stream.next().await.is_some());
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_whole_answer_is_a_stream_too_and_comes_back() {
    for text in ["", "hola"] {
        let completion = finished(text);
        let stream = CompletionStream::whole(completion.clone(), &request());
        assert_eq!(stream.completion().await.unwrap(), completion);
        let events: Vec<_> = CompletionStream::whole(completion, &request())
            .collect::<Vec<_>>()
            .await;
        assert_eq!(events.len(), if text.is_empty() { 2 } else { 3 });
    }
}

#[tokio::test]
async fn a_stream_without_an_end_is_interrupted() {
    let error = stream_of(vec![Ok(started())])
        .completion()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(error.usage().unwrap().input_tokens, 50);
}
