//! A server that is there and won't have us, or not as we are: password, rights, names, TLS.

use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use secrecy::SecretString;
use store::test_util::redis::{Sentinels, Server, until};
use store::{Deployment, ErrorKind, Problem, RedisConfig, RedisHost, RedisStore, RedisTls, Store};

use crate::common::{Redis, config, started};

/// Waits until health tells this problem; the store must be down with it.
async fn problem(store: &RedisStore, problem: Problem) {
    until(problem.as_str(), async || {
        store.health().await.problem == Some(problem)
    })
    .await
    .unwrap();
    let health = store.health().await;
    assert!(health.reason.is_some(), "{health:?}");
}

fn with_login(server: &Server, user: Option<&str>, password: &str) -> RedisConfig {
    let mut config = config(Deployment::Standalone(server.host()));
    config.username = user.map(str::to_owned);
    config.password = Some(SecretString::from(password));
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_and_the_right_one_works() {
    let server = Server::start(&["--requirepass", "right"]).await.unwrap();
    let wrong = RedisStore::start(with_login(&server, None, "s3cret-wrong")).unwrap();
    problem(&wrong, Problem::WrongPassword).await;
    let health = format!("{:?} {wrong:?}", wrong.health().await);
    assert!(!health.contains("s3cret"), "{health}");
    let refused = wrong.get("a").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);

    let right = started(with_login(&server, None, "right")).await;
    right.set("a", Bytes::new(), None).await.unwrap();
    let none = RedisStore::start(config(Deployment::Standalone(server.host()))).unwrap();
    problem(&none, Problem::WrongPassword).await;

    // What an operator puts right is found by itself.
    let auth: [&[&str]; 2] = [
        &["AUTH", "right"],
        &["CONFIG", "SET", "requirepass", "s3cret-wrong"],
    ];
    server.commands(&auth).await.unwrap();
    wrong.ready(crate::common::PATIENCE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_few_rights_suffices_and_one_with_fewer_is_told() {
    let server = Server::start(&[]).await.unwrap();
    let rights =
        "+@read +@write +@connection +@scripting +@pubsub +time +role +cluster|slots +info";
    let mut user = vec!["ACL", "SETUSER", "app", "on", ">pw", "resetkeys", "~ai:*"];
    user.extend(["resetchannels", "&ai:*", "-@all"]);
    user.extend(rights.split(' '));
    server.command(&user).await.unwrap();
    let store = std::sync::Arc::new(started(with_login(&server, Some("app"), "pw")).await);
    let subject = Redis {
        store: std::sync::Arc::clone(&store),
        servers: vec![&server],
    };
    store::conformance::all(&subject).await.unwrap();
    assert_eq!(store.health().await.problem, None);

    let fewer = ["ACL", "SETUSER", "app", "-set"];
    server.command(&fewer).await.unwrap();
    let refused = store.set("a", Bytes::new(), None).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    problem(&store, Problem::NotPermitted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_master_name_is_told() {
    let group = Sentinels::start().await.unwrap();
    let Deployment::Sentinel { sentinels, .. } = group.deployment() else {
        panic!("sentinels");
    };
    let master = "nobody".to_owned();
    let store = RedisStore::start(config(Deployment::Sentinel { sentinels, master })).unwrap();
    problem(&store, Problem::UnknownMaster).await;
    assert!(!store.health().await.up);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_told_as_such() {
    let port = store::test_util::redis::free_port().unwrap();
    let nowhere = RedisHost::new("127.0.0.1", port);
    for deployment in [
        Deployment::Standalone(nowhere.clone()),
        Deployment::Cluster(vec![nowhere.clone()]),
        Deployment::Sentinel {
            sentinels: vec![nowhere.clone()],
            master: "mymaster".to_owned(),
        },
    ] {
        let store = RedisStore::start(config(deployment)).unwrap();
        problem(&store, Problem::Unreachable).await;
        let refused = store.get("a").await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unavailable);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_trusts_the_given_authority_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let port = store::test_util::redis::free_port().unwrap();
    let _server = Server::start(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &file("server.pem"),
        "--tls-key-file",
        &file("server.key"),
        "--tls-ca-cert-file",
        &file("ca.pem"),
        "--tls-auth-clients",
        "no",
    ])
    .await
    .unwrap();
    let tls = |roots| {
        let host = RedisHost::new("localhost", port);
        let mut config = config(Deployment::Standalone(host));
        config.tls = Some(roots);
        config
    };
    let store = started(tls(RedisTls::CaFile(folder.path().join("ca.pem")))).await;
    store
        .set("a", Bytes::from_static(b"1"), None)
        .await
        .unwrap();
    assert!(store.get("a").await.unwrap().is_some());

    let stranger = RedisStore::start(tls(RedisTls::PublicRoots)).unwrap();
    problem(&stranger, Problem::Tls).await;
    for bad in ["missing.pem", "server.key"] {
        let refused = RedisStore::start(tls(RedisTls::CaFile(folder.path().join(bad))));
        assert!(refused.is_err(), "{bad}");
    }
}

/// An authority, and a certificate of it for `localhost`.
fn certificates(folder: &Path) {
    let openssl = |args: &[&str]| {
        let done = Command::new("openssl")
            .args(args)
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("openssl is installed by `cargo xtask test`");
        assert!(done.success(), "{args:?}");
    };
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    let mut authority = vec!["req", "-x509", "-days", "2", "-subj", "/CN=test authority"];
    authority.extend(key);
    authority.extend(["-keyout", "ca.key", "-out", "ca.pem"]);
    openssl(&authority);
    let mut request = vec!["req", "-subj", "/CN=localhost"];
    request.extend(key);
    request.extend(["-keyout", "server.key", "-out", "server.csr"]);
    openssl(&request);
    let extension = "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n";
    std::fs::write(folder.join("extension"), extension).unwrap();
    openssl(&[
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        "server.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-extfile",
        "extension",
        "-out",
        "server.pem",
    ]);
}
