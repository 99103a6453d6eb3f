//! How long those wait who guess passwords. Failures alone are counted, in the database, so that all processes know.
//!
//! An account's own delay holds strangers only: where it was logged in before, it waits for what failed there, and for
//! nothing that others do elsewhere. So nobody can lock an owner out, and a reset by mail begins the count anew.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use aws_lc_rs::hmac;
use estore_kit::metrics::Counter;
use estore_kit::problem::Problem;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::limits::{
    ACCOUNT_DELAY_MAX, ACCOUNT_FAILURES_FREE, ADDRESS_DELAY_MAX, ADDRESS_FAILURES_FREE, FAILURES_REMEMBERED,
    LOG_INS_OF_SUBJECT_MAX,
};

/// So many turns are kept apart; accounts that share one wait for each other now and then.
const TURNS: usize = 256;

/// Names subjects, and lets few log-ins of one account in at a time, so that many at once cannot pass by the count.
pub(crate) struct Throttle {
    key: hmac::Key,
    turns: Vec<Semaphore>,
    /// Log-ins that were told to wait.
    pub(crate) delayed: Counter,
}

/// Whose failures count for a log-in, as keyed hashes.
#[derive(Debug)]
pub(crate) struct Subjects {
    pub(crate) account: String,
    /// Nothing where the client's address is not known, or is this machine's: there it says nothing of the client.
    pub(crate) address: Option<String>,
    /// The account at this address.
    pub(crate) pair: Option<String>,
}

impl Subjects {
    /// All of them, to be counted.
    pub(crate) fn all(&self) -> Vec<&str> {
        [Some(&self.account), self.address.as_ref(), self.pair.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect()
    }
}

/// Failures of one subject, and how long ago the last was.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Failed {
    pub(crate) times: i32,
    pub(crate) seconds_ago: i64,
}

/// So many failures cost nothing; each further one doubles the delay, from a second on.
#[derive(Debug, Clone, Copy)]
struct Rule {
    free: i32,
    delay_max: Duration,
}

const ACCOUNT: Rule = Rule { free: ACCOUNT_FAILURES_FREE, delay_max: ACCOUNT_DELAY_MAX };
const ADDRESS: Rule = Rule { free: ADDRESS_FAILURES_FREE, delay_max: ADDRESS_DELAY_MAX };

impl Rule {
    /// How many seconds are still to wait.
    fn wait(self, failed: Failed) -> u32 {
        let over = u32::try_from(failed.times.saturating_sub(self.free)).unwrap_or(0);
        let ago = u64::try_from(failed.seconds_ago).unwrap_or(0);
        if over == 0 || ago >= FAILURES_REMEMBERED.as_secs() {
            return 0;
        }
        let delay = 1_u64.checked_shl(over - 1).unwrap_or(u64::MAX).min(self.delay_max.as_secs());
        u32::try_from(delay.saturating_sub(ago)).unwrap_or(u32::MAX)
    }
}

/// How often a log-in's subjects failed of late.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tried {
    pub(crate) account: Failed,
    pub(crate) address: Failed,
    pub(crate) pair: Failed,
}

impl Tried {
    /// How many seconds a stranger waits.
    pub(crate) fn wait_of_stranger(&self) -> u32 {
        ACCOUNT.wait(self.account).max(ADDRESS.wait(self.address))
    }

    /// How many seconds somebody waits whose account was logged in at this address before. What failed here counts
    /// while the account's failures do: a reset by mail begins both anew.
    pub(crate) fn wait_where_known(&self) -> u32 {
        ACCOUNT.wait(Failed { times: self.pair.times.min(self.account.times), ..self.pair })
    }
}

/// How many seconds a session waits before it may try its password again.
pub(crate) fn wait_of_session(failed: Failed) -> u32 {
    ACCOUNT.wait(failed)
}

/// How many seconds an address waits that showed passkeys that are not taken.
pub(crate) fn wait_of_address(failed: Failed) -> u32 {
    ADDRESS.wait(failed)
}

/// 429: the same for accounts that there are and that there are not.
pub(crate) fn too_many(seconds: u32) -> Problem {
    let detail = format!(
        "Wrong passwords, codes or passkeys were tried too often, for this account or from this address. Try again in {seconds} seconds, \
         or set a new password by POST /v1/password-resets."
    );
    Problem::new(axum::http::StatusCode::TOO_MANY_REQUESTS, "log_in_delayed", detail).retry_after(seconds)
}

impl Throttle {
    /// Names subjects by a key that only UserService has: the names in the database tell no address.
    pub(crate) fn new(key: hmac::Key) -> Self {
        let turns = (0..TURNS).map(|_| Semaphore::new(LOG_INS_OF_SUBJECT_MAX)).collect();
        Self { key, turns, delayed: Counter::default() }
    }

    /// The subjects of a log-in with this account's address from this network address.
    pub(crate) fn subjects(&self, account: &str, address: Option<IpAddr>) -> Subjects {
        let network = address.map(network).filter(|address| !address.is_loopback()).map(|address| address.to_string());
        Subjects {
            account: self.name(&["account", account]),
            address: network.as_ref().map(|network| self.name(&["address", network])),
            pair: network.as_ref().map(|network| self.name(&["pair", account, network])),
        }
    }

    /// The subject of a session that is asked for its password.
    pub(crate) fn session(&self, session_id: &str) -> String {
        self.name(&["session", session_id])
    }

    /// The parts hold no NUL: addresses and ids do not.
    fn name(&self, parts: &[&str]) -> String {
        hex::encode(hmac::sign(&self.key, parts.join("\0").as_bytes()))
    }

    /// Waits for one of the account's or session's turns, in the order of asking.
    pub(crate) async fn turn(&self, subject: &str) -> Option<SemaphorePermit<'_>> {
        let number = usize::from_str_radix(subject.get(..2)?, 16).ok()?;
        self.turns.get(number)?.acquire().await.ok()
    }
}

/// What one client may choose its address of: all of IPv4, 64 bits of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;

    use super::{ACCOUNT, ADDRESS, Failed, Throttle};

    fn failed(times: i32, seconds_ago: i64) -> Failed {
        Failed { times, seconds_ago }
    }

    #[test]
    fn the_delay_grows_ends_and_is_forgotten() {
        let waits: Vec<_> = (4..18).map(|times| ACCOUNT.wait(failed(times, 0))).collect();
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(ACCOUNT.wait(failed(12, 60)), 4);
        assert_eq!(ACCOUNT.wait(failed(12, 64)), 0);
        assert_eq!(ACCOUNT.wait(failed(i32::MAX, 0)), 900);
        assert_eq!(ACCOUNT.wait(failed(i32::MAX, 3_600)), 0);
        assert_eq!((ADDRESS.wait(failed(30, 0)), ADDRESS.wait(failed(31, 0)), ADDRESS.wait(failed(99, 0))), (0, 1, 60));
    }

    #[test]
    fn subjects_are_names_that_tell_nothing() {
        let throttle = Throttle::new(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]));
        let subjects = |address: &str| throttle.subjects("ada@example.com", Some(address.parse().unwrap()));
        let one = subjects("192.0.2.1");
        assert_eq!(one.all().len(), 3);
        assert!(one.all().iter().all(|name| name.len() == 64));
        assert_eq!(one.account, subjects("192.0.2.2").account);
        assert_ne!(one.address, subjects("192.0.2.2").address);
        assert_ne!(one.pair, throttle.subjects("bob@example.com", Some("192.0.2.1".parse().unwrap())).pair);
        assert_eq!(one.address, subjects("::ffff:192.0.2.1").address);
        assert_eq!(subjects("2001:db8::1").address, subjects("2001:db8::2:3:4:5").address);
        assert_ne!(subjects("2001:db8::1").address, subjects("2001:db8:0:1::1").address);
        for here in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(subjects(here).all().len(), 1, "{here}");
        }
        let other = Throttle::new(hmac::Key::new(hmac::HMAC_SHA256, &[8; 32]));
        assert_ne!(one.account, other.subjects("ada@example.com", None).account);
    }
}
