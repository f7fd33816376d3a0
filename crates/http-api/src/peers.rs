//! Who is at the other end: the proxies that are believed, and those who try keys.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;
use thiserror::Error;

use crate::problem::Problem;

/// Most peers whose failed tries are remembered: one more is let off, so that memory stays
/// bounded whoever tries.
const MAX_TRYING: usize = 10_000;

const MINUTE: Duration = Duration::from_secs(60);

/// The networks whose `X-Forwarded-For` is believed, and whose connections are everybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// A network: an address and how many of its first bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    bits: u128,
    prefix: u32,
}

/// A text that is no network: `10.0.0.0/8`, `::1`. The configuration's fault.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no address and no network such as 10.0.0.0/8")]
pub struct NetworkError(String);

impl Default for TrustedProxies {
    /// This machine itself: a proxy mostly runs beside the service.
    fn default() -> Self {
        let loopback = |address: IpAddr, prefix| Network {
            bits: bits(address),
            prefix,
        };
        Self(vec![
            loopback(IpAddr::from([127, 0, 0, 0]), 96 + 8),
            loopback(Ipv6Addr::LOCALHOST.into(), 128),
        ])
    }
}

impl TrustedProxies {
    /// These addresses (`10.1.2.3`) and networks (`10.0.0.0/8`); none: nobody is believed.
    ///
    /// # Errors
    /// [`NetworkError`] with the first text that is neither.
    pub fn parse<T: AsRef<str>>(networks: &[T]) -> Result<Self, NetworkError> {
        let each = networks.iter().map(|text| network(text.as_ref()));
        each.collect::<Result<_, _>>().map(Self)
    }

    /// Whether it is one of them.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let bits = bits(address);
        self.0.iter().any(|network| {
            let rest = 128 - network.prefix;
            (bits ^ network.bits).checked_shr(rest).unwrap_or(0) == 0
        })
    }

    /// Who asked, where `peer` is at the other end of the connection: the last one in
    /// `X-Forwarded-For` that isn't a trusted proxy, as far as trusted proxies have written it.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let lists = headers.get_all("x-forwarded-for");
        let mut lists: Vec<_> = lists.iter().filter_map(|list| list.to_str().ok()).collect();
        lists.reverse();
        for hop in lists.iter().flat_map(|list| list.rsplit(',')) {
            if !self.contains(client) {
                break;
            }
            let Ok(hop) = hop.trim().parse() else { break };
            client = hop;
        }
        client
    }
}

fn network(text: &str) -> Result<Network, NetworkError> {
    let wrong = || NetworkError(text.to_owned());
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Ok(width), |prefix| prefix.trim().parse::<u32>());
    let prefix = prefix.ok().filter(|prefix| *prefix <= width);
    Ok(Network {
        bits: bits(address),
        prefix: 128 - width + prefix.ok_or_else(wrong)?,
    })
}

/// An address of either kind as one of 128 bits; IPv4 as IPv6 writes it.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// Whom to hold a try against: an address, or the network of 64 bits that one customer of an
/// IPv6 provider has for himself.
fn household(address: IpAddr) -> u128 {
    let bits = bits(address);
    match address.to_canonical() {
        IpAddr::V4(_) => bits,
        IpAddr::V6(_) => bits & !u128::from(u64::MAX),
    }
}

/// How often each peer has presented a key that nobody has.
///
/// A right key always opens: behind one proxy or one company's address, somebody who tries keys
/// must not lock out those who have one.
#[derive(Debug)]
pub(crate) struct FailedTries {
    per_minute: u32,
    began: Instant,
    /// When what each has tried is forgotten, since `began`.
    peers: Mutex<HashMap<u128, Duration>>,
}

impl FailedTries {
    /// So many a minute, all of them at once after a rest.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute: per_minute.max(1),
            began: Instant::now(),
            peers: Mutex::default(),
        }
    }

    /// `peer` has presented a wrong key; the problem to answer with.
    pub(crate) fn failed(&self, peer: IpAddr) -> Problem {
        match self.take(household(peer), self.began.elapsed()) {
            None => Problem::unauthorized(),
            Some(wait) => {
                metrics::counter!("http_auth_throttled_total").increment(1);
                Problem::too_many_tries().after(wait)
            }
        }
    }

    /// Takes one try; how long to wait where there is none left.
    fn take(&self, peer: u128, now: Duration) -> Option<Duration> {
        let step = MINUTE / self.per_minute;
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if peers.len() >= MAX_TRYING && !peers.contains_key(&peer) {
            peers.retain(|_, forgotten| *forgotten > now);
            if peers.len() >= MAX_TRYING {
                return None;
            }
        }
        let forgotten = peers.entry(peer).or_insert(now);
        let next = (*forgotten).max(now) + step;
        if next > now + MINUTE {
            return Some(next - now - MINUTE);
        }
        *forgotten = next;
        None
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_of_both_kinds() {
        let trusted = TrustedProxies::parse(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]).unwrap();
        for (address, inside) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("::ffff:10.1.1.1", true),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(trusted.contains(ip(address)), inside, "{address}");
        }
        assert!(
            TrustedProxies::parse(&["0.0.0.0/0"])
                .unwrap()
                .contains(ip("1.2.3.4"))
        );
        assert!(
            TrustedProxies::parse(&["::/0"])
                .unwrap()
                .contains(ip("::5"))
        );
        let none = TrustedProxies::parse::<&str>(&[]).unwrap();
        assert!(!none.contains(ip("127.0.0.1")));
        assert!(TrustedProxies::default().contains(ip("127.9.9.9")));
        assert!(!TrustedProxies::default().contains(ip("128.0.0.1")));
        for wrong in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "::/129",
            "localhost",
            "1.2.3",
        ] {
            assert!(TrustedProxies::parse(&[wrong]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let trusted = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap();
        let client = |peer: &str, lists: &[&str]| {
            let name = || http::HeaderName::from_static("x-forwarded-for");
            let headers: HeaderMap = lists
                .iter()
                .map(|list| (name(), HeaderValue::from_str(list).unwrap()))
                .collect();
            trusted.client(ip(peer), &headers).to_string()
        };
        assert_eq!(client("203.0.113.9", &["1.1.1.1"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["1.1.1.1"]), "1.1.1.1");
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6, 1.1.1.1, 10.0.0.2"]),
            "1.1.1.1"
        );
        assert_eq!(
            client("10.0.0.1", &["6.6.6.6", "1.1.1.1,10.0.0.2"]),
            "1.1.1.1"
        );
        assert_eq!(client("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, ?, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn tries_come_back_with_time_and_are_each_household_s_own() {
        let tries = FailedTries::new(6);
        let at = Duration::from_secs;
        for _ in 0..6 {
            assert_eq!(tries.take(1, at(100)), None);
        }
        assert_eq!(tries.take(1, at(100)), Some(at(10)));
        assert_eq!(tries.take(2, at(100)), None);
        assert_eq!(tries.take(1, at(109)), Some(at(1)));
        assert_eq!(tries.take(1, at(110)), None);
        assert_eq!(household(ip("2001:db8::1")), household(ip("2001:db8::2:9")));
        assert_ne!(household(ip("192.0.2.1")), household(ip("192.0.2.2")));
        assert_eq!(
            household(ip("::ffff:192.0.2.1")),
            household(ip("192.0.2.1"))
        );
    }

    #[test]
    fn however_many_try_the_memory_is_bounded() {
        let tries = FailedTries::new(1);
        for peer in 0..3 * MAX_TRYING as u128 {
            assert_eq!(tries.take(peer, Duration::ZERO), None);
        }
        assert_eq!(tries.peers.lock().unwrap().len(), MAX_TRYING);
        // Those of long ago make room.
        let later = Duration::from_secs(3_600);
        assert_eq!(tries.take(u128::MAX, later), None);
        assert_eq!(tries.peers.lock().unwrap().len(), 1);
    }
}
