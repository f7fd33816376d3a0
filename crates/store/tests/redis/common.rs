//! A store over real servers, with a hand on their clock.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::conformance::Subject;
use store::test_util::redis::Server;
use store::{Deployment, RedisConfig, RedisStore, Store};

/// Longest wait for something that should come soon.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A patient configuration: the machine may be busy, and speed is not what is tested.
pub fn config(deployment: Deployment) -> RedisConfig {
    let mut config = RedisConfig::new(deployment);
    config.command_timeout = Duration::from_secs(5);
    config.connect_timeout = Duration::from_secs(2);
    config.reconnect_min = Duration::from_millis(10);
    config.reconnect_max = Duration::from_millis(200);
    config.heartbeat = Duration::from_millis(100);
    config.sentinel_interval = Duration::from_millis(200);
    config
}

/// A store that answers.
pub async fn started(config: RedisConfig) -> RedisStore {
    let store = RedisStore::start(config).unwrap();
    store.ready(PATIENCE).await.unwrap();
    store
}

/// Moves everything that a server holds into the past, by shortening what is left of it: to
/// Redis that is the same as time going by, and no test has to wait.
pub async fn age(server: &Server, by: Duration) {
    const SCRIPT: &str = r"
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('TYPE', key).ok == 'zset' then
    redis.call('ZINCRBY', key, -1000 * tonumber(ARGV[1]), 't')
  end
  local left = redis.call('PTTL', key)
  if left >= 0 then
    if left > tonumber(ARGV[1]) then
      redis.call('PEXPIRE', key, left - tonumber(ARGV[1]))
    else
      redis.call('DEL', key)
    end
  end
end
return 1";
    let millis = by.as_millis().to_string();
    let done = server
        .command(&["EVAL", SCRIPT, "0", &millis])
        .await
        .unwrap();
    assert_eq!(done.text().as_deref(), Some("1"), "{done:?}");
}

/// A store under the conformance suite, with the servers that hold its keys.
pub struct Redis<'a> {
    pub store: Arc<RedisStore>,
    pub servers: Vec<&'a Server>,
}

#[async_trait]
impl Subject for Redis<'_> {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    async fn advance(&self, by: Duration) {
        for server in &self.servers {
            age(server, by).await;
        }
    }
}
