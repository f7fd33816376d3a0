//! What can only be asked from inside, of a real server.

use super::*;
use crate::{Added, Addition};

/// What the network may do to an addition: lose its answer, repeat it, and bring it late.
#[tokio::test]
async fn an_addition_happens_once_however_often_and_late_it_comes() {
    let server = crate::test_util::redis::Server::start(&[]).await.unwrap();
    let mut config = RedisConfig::new(Deployment::Standalone(server.host()));
    config.command_timeout = Duration::from_secs(5);
    let store = RedisStore::start(config).unwrap();
    store.ready(Duration::from_secs(20)).await.unwrap();
    let send = async |writer: &str, number, open_from| {
        let addition = Addition {
            key: "n",
            by: 1,
            limit: None,
            lifetime: None,
        };
        let once = Once {
            writer,
            number,
            open_from,
        };
        match store.add(&[addition], Some(once), "testing").await.unwrap() {
            Added::All(sums) => sums[0],
            over => panic!("{over:?}"),
        }
    };
    assert_eq!(send("a", 1, 1).await, 1);
    assert_eq!(send("a", 1, 1).await, 1);
    // Out of order, and under another name.
    assert_eq!(send("a", 9, 1).await, 2);
    assert_eq!(send("a", 10, 1).await, 3);
    assert_eq!(send("a", 2, 1).await, 4);
    assert_eq!(send("b", 1, 1).await, 5);
    for number in [1, 2, 9, 10] {
        assert_eq!(send("a", number, 1).await, 5);
    }
    // All up to 10 are done with: what still comes of them is late.
    assert_eq!(send("a", 11, 11).await, 6);
    for number in [1, 2, 3, 10, 11] {
        assert_eq!(send("a", number, 1).await, 6);
    }
    let field = server.command(&["HGET", "ai:n", "w:a"]).await.unwrap();
    assert!(field.text().unwrap().ends_with(":11:11"), "{field:?}");
    // Writers of long ago are forgotten once there are many.
    for writer in 0..20 {
        let field = format!("w:old-{writer}");
        server
            .command(&["HSET", "ai:n", &field, "1:1:1"])
            .await
            .unwrap();
    }
    assert_eq!(send("a", 12, 12).await, 7);
    let fields = server.command(&["HLEN", "ai:n"]).await.unwrap();
    assert_eq!(fields.text().as_deref(), Some("3"));
}
