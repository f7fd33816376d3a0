//! The configuration from one URL, or from separate parameters.

use secrecy::SecretString;

use super::config::{Deployment, RedisConfig, RedisConfigError, RedisHost, RedisTls};

/// Redis's own port.
const PORT: u16 = 6379;
/// The sentinels' own port.
const SENTINEL_PORT: u16 = 26379;

/// The separate parameters that ERPs' compose files set.
#[derive(Debug, Clone, Default)]
pub struct RedisParameters {
    /// `REDIS_HOST`; without sentinels it is needed.
    pub host: Option<String>,
    /// `REDIS_PORT`; default 6379.
    pub port: Option<u16>,
    /// `REDIS_DB`; default 0.
    pub database: Option<u8>,
    /// `REDIS_PASSWORD`; an empty one counts as none.
    pub password: Option<SecretString>,
    /// `REDIS_SENTINEL_ENABLED`.
    pub sentinel_enabled: bool,
    /// `REDIS_SENTINEL_HOSTS`: `host[:port]`, separated by commas; the port is 26379 if absent.
    pub sentinel_hosts: Option<String>,
    /// `REDIS_SENTINEL_MASTER_NAME`; default `mymaster`.
    pub sentinel_master_name: Option<String>,
}

impl RedisConfig {
    /// The defaults, for what `url` says:
    ///
    /// - `redis://[[user]:password@]host[:port][/db]`
    /// - `redis-sentinel://[[user]:password@]host[:port][,host[:port]…]/master[/db]`
    /// - `redis-cluster://[[user]:password@]host[:port][,host[:port]…]`
    ///
    /// and each with `rediss` in front instead, for TLS with public roots. User and password
    /// are percent-encoded. The password is the servers', not the sentinels'.
    ///
    /// ```
    /// use store::{Deployment, RedisConfig};
    ///
    /// let config = RedisConfig::from_url("redis-sentinel://:s3cret@a:26379,b:26379/mymaster/2")?;
    /// assert!(matches!(config.deployment, Deployment::Sentinel { .. }));
    /// assert_eq!(config.database, 2);
    /// assert!(RedisConfig::from_url("http://a").is_err());
    /// # Ok::<(), store::RedisConfigError>(())
    /// ```
    ///
    /// # Errors
    /// [`RedisConfigError`] says which part can't be read.
    pub fn from_url(url: &str) -> Result<Self, RedisConfigError> {
        let (scheme, rest) = url.split_once("://").ok_or(RedisConfigError::Scheme)?;
        let (tls, kind) = match scheme.split_once('-').unwrap_or((scheme, "")) {
            ("redis", kind) => (false, kind),
            ("rediss", kind) => (true, kind),
            _ => return Err(RedisConfigError::Scheme),
        };
        // The last @: a password that isn't encoded may contain one.
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(login), rest),
            None => (None, rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (deployment, database) = match kind {
            "" => {
                let host = one_host(hosts, PORT)?;
                (Deployment::Standalone(host), path)
            }
            "sentinel" => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                let deployment = Deployment::Sentinel {
                    sentinels: all_hosts(hosts, SENTINEL_PORT)?,
                    master: decode(master)?,
                };
                (deployment, database)
            }
            "cluster" => (Deployment::Cluster(all_hosts(hosts, PORT)?), path),
            _ => return Err(RedisConfigError::Scheme),
        };
        let mut config = Self::new(deployment);
        config.tls = tls.then_some(RedisTls::PublicRoots);
        config.database = match database {
            "" => 0,
            number => number.parse().map_err(|_| RedisConfigError::Database)?,
        };
        if let Some(login) = login {
            config.log_in(login)?;
        }
        config.check()?;
        Ok(config)
    }

    /// The defaults, for what separate parameters say.
    ///
    /// # Errors
    /// [`RedisConfigError`] says which can't be read.
    pub fn from_parameters(parameters: RedisParameters) -> Result<Self, RedisConfigError> {
        let deployment = if parameters.sentinel_enabled {
            let hosts = parameters.sentinel_hosts.unwrap_or_default();
            let master = parameters.sentinel_master_name;
            Deployment::Sentinel {
                sentinels: all_hosts(&hosts, SENTINEL_PORT)?,
                master: master.unwrap_or_else(|| "mymaster".to_owned()),
            }
        } else {
            let host = parameters.host.ok_or(RedisConfigError::Host)?;
            Deployment::Standalone(RedisHost::new(host, parameters.port.unwrap_or(PORT)))
        };
        let mut config = Self::new(deployment);
        config.database = parameters.database.unwrap_or(0);
        config.password = parameters
            .password
            .filter(|password| !secrecy::ExposeSecret::expose_secret(password).is_empty());
        config.check()?;
        Ok(config)
    }

    fn log_in(&mut self, login: &str) -> Result<(), RedisConfigError> {
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (login, None),
        };
        self.username = Some(decode(user)?).filter(|user| !user.is_empty());
        let password = password.map(decode).transpose()?;
        self.password = password
            .filter(|password| !password.is_empty())
            .map(SecretString::from);
        Ok(())
    }
}

fn all_hosts(hosts: &str, port: u16) -> Result<Vec<RedisHost>, RedisConfigError> {
    hosts
        .split(',')
        .map(|host| one_host(host.trim(), port))
        .collect()
}

fn one_host(text: &str, default: u16) -> Result<RedisHost, RedisConfigError> {
    let (host, port) = match text.strip_prefix('[') {
        // An IPv6 address in brackets.
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(RedisConfigError::Host)?;
            (host, port)
        }
        None => match text.find(':') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        },
    };
    let port = match port {
        "" => default,
        port => port
            .strip_prefix(':')
            .and_then(|port| port.parse().ok())
            .ok_or(RedisConfigError::Host)?,
    };
    if host.is_empty() || host.contains(char::is_whitespace) || port == 0 {
        return Err(RedisConfigError::Host);
    }
    Ok(RedisHost::new(host, port))
}

/// Percent-decoded UTF-8.
fn decode(text: &str) -> Result<String, RedisConfigError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).map_err(|_| RedisConfigError::Encoding)?);
            }
            _ => return Err(RedisConfigError::Encoding),
        }
    }
    String::from_utf8(bytes).map_err(|_| RedisConfigError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    fn read(url: &str) -> RedisConfig {
        RedisConfig::from_url(url).unwrap()
    }

    #[test]
    fn every_form_is_read() {
        let config = read("redis://cache.example");
        let host = RedisHost::new("cache.example", 6379);
        assert_eq!(config.deployment, Deployment::Standalone(host));
        assert!(config.tls.is_none() && config.password.is_none() && config.database == 0);
        let config = read("rediss://app:p%40ss%2Fword@[::1]:7000/3");
        let host = RedisHost::new("::1", 7000);
        assert_eq!(host.to_string(), "[::1]:7000");
        assert_eq!(config.deployment, Deployment::Standalone(host));
        assert_eq!(config.tls, Some(RedisTls::PublicRoots));
        assert_eq!(config.username.as_deref(), Some("app"));
        assert_eq!(config.password.unwrap().expose_secret(), "p@ss/word");
        assert_eq!(config.database, 3);
        let config = read("redis-sentinel://:x@a,b:1,c/mymaster/2");
        let sentinels = [("a", 26379), ("b", 1), ("c", 26379)];
        let deployment = Deployment::Sentinel {
            sentinels: sentinels
                .map(|(host, port)| RedisHost::new(host, port))
                .into(),
            master: "mymaster".to_owned(),
        };
        assert_eq!(config.deployment, deployment);
        assert_eq!((config.username, config.database), (None, 2));
        let config = read("rediss-cluster://a:1,b:2");
        let hosts = vec![RedisHost::new("a", 1), RedisHost::new("b", 2)];
        assert_eq!(config.deployment, Deployment::Cluster(hosts));
    }

    #[test]
    fn what_cannot_be_read_is_refused_without_the_password() {
        for url in [
            "",
            "a:1",
            "http://a",
            "redis-ring://a",
            "redis://",
            "redis://a:0",
            "redis://a:b",
            "redis://a:70000",
            "redis://[::1",
            "redis://[::1]7",
            "redis://a/256",
            "redis://a/-1",
            "redis://a/0/1",
            "redis://user@a",
            "redis://:s3cret%zz@a",
            "redis://:s3cret%ff@a",
            "redis-sentinel://a:1",
            "redis-sentinel://a:1,/m",
            "redis-cluster://a/1",
        ] {
            let error = RedisConfig::from_url(url).expect_err(url);
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{url}");
        }
        let debug = format!("{:?}", read("redis://:s3cret@a"));
        assert!(!debug.contains("s3cret"), "{debug}");
    }

    #[test]
    fn parameters_are_read() {
        let config = RedisConfig::from_parameters(RedisParameters {
            host: Some("redis".to_owned()),
            database: Some(4),
            password: Some(SecretString::from("")),
            ..RedisParameters::default()
        })
        .unwrap();
        let host = RedisHost::new("redis", 6379);
        assert_eq!(config.deployment, Deployment::Standalone(host));
        assert!(config.password.is_none() && config.database == 4);
        let config = RedisConfig::from_parameters(RedisParameters {
            sentinel_enabled: true,
            sentinel_hosts: Some("s1:26379, s2".to_owned()),
            ..RedisParameters::default()
        })
        .unwrap();
        let deployment = Deployment::Sentinel {
            sentinels: vec![RedisHost::new("s1", 26379), RedisHost::new("s2", 26379)],
            master: "mymaster".to_owned(),
        };
        assert_eq!(config.deployment, deployment);
        let nothing = RedisConfig::from_parameters(RedisParameters::default());
        assert!(matches!(nothing, Err(RedisConfigError::Host)));
    }

    proptest! {
        #[test]
        fn no_text_panics(url in "(redis|rediss)(-sentinel|-cluster)?://.{0,60}", other: String) {
            let _ = RedisConfig::from_url(&url).is_ok();
            let _ = RedisConfig::from_url(&other).is_ok();
        }
    }
}
