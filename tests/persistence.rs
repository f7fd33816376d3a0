//! What is on the disk outlives the process, and only one process has it.

use mock_anthropic::{Answer, Config, MockServer};

use crate::support::{Options, Request, valid};

#[tokio::test]
async fn a_kept_answer_is_there_after_a_restart() {
    let mock = MockServer::start(Config::default()).await.unwrap();
    mock.answer_with(Answer::once(r#"{"confidence": 93, "findings": []}"#));
    let options = Options::default().model(&mock, 20_000);
    let mut service = options.start().await;
    let first = service.send(Request::validate(&valid())).await;
    assert_eq!(first.header("x-cache"), "miss");
    // A drain waits for the writes under way.
    service.signal("INT").await;
    assert_eq!(service.ended().await.code(), Some(0));
    let service = options.start().await;
    let second = service.send(Request::validate(&valid())).await;
    assert_eq!(
        (second.header("x-cache"), &second.body),
        ("hit", &first.body)
    );
    assert_eq!(mock.stats().requests_to("/v1/messages"), 1);
}

#[tokio::test]
async fn an_answer_of_a_stand_in_is_not_served_for_another_models() {
    let stand_in = MockServer::start(Config::default()).await.unwrap();
    stand_in.answer_with(Answer::once(r#"{"confidence": 71, "findings": []}"#));
    let real = MockServer::start(Config::default()).await.unwrap();
    real.answer_with(Answer::once(r#"{"confidence": 99, "findings": []}"#));
    let options = Options::default();
    for (mock, confidence) in [(&stand_in, 71), (&real, 99)] {
        let mut service = options.clone().model(mock, 20_000).start().await;
        let reply = service.send(Request::validate(&valid())).await;
        assert_eq!(reply.json()["confidence"], confidence);
        service.signal("INT").await;
        assert_eq!(service.ended().await.code(), Some(0));
    }
}

#[tokio::test]
async fn a_second_process_on_the_same_file_says_so_and_ends() {
    let options = Options::default();
    let service = options.start().await;
    let output = options.command().output().await.unwrap();
    assert_eq!(output.status.code(), Some(69));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("failed to open the store"), "{text}");
    assert_eq!(service.send(Request::get("/ready")).await.status, 200);
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let options = Options::default();
    let path = options.dir().join("data/ai-service.redb");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "no soy una base de datos").unwrap();
    let output = options.command().output().await.unwrap();
    assert_eq!(output.status.code(), Some(69), "{output:?}");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "no soy una base de datos"
    );
}

#[tokio::test]
async fn a_bad_configuration_is_refused_before_anything_is_touched() {
    let options = Options::default().config("listn = \"127.0.0.1:1\"\n");
    let output = options.command().output().await.unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8(output.stderr).unwrap().contains("listn"));
    assert!(!options.dir().join("data").exists());
    let options = Options::default().env("ANTHROPIC_API_KEY", "sk-ant-secreta");
    let output = options
        .command()
        .arg("check-config")
        .stdout(std::process::Stdio::piped())
        .output()
        .await;
    let output = output.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("model = claude-") && !text.contains("secreta"),
        "{text}"
    );
}
