//! API keys that nobody knows, and who shows them: one that is made up costs a look-up, so that an address has so many a
//! minute, and one that was looked up in vain is not looked up again.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::verified::Hash;
use crate::edge::{Budgets, counted_address};
use crate::recent::Recent;

/// How many such keys are remembered.
const KEYS_MAX: usize = 10_000;
/// For how long, in seconds. A key that nobody knows is never known later: it is random, and made by the shop.
const REMEMBERED_SECONDS: i64 = 60;
/// How many look-ups in vain an address has in a minute.
pub(super) const LOOK_UPS_MAX: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

#[derive(Debug)]
pub(super) struct UnknownKeys {
    keys: Mutex<Recent<Hash, i64>>,
    look_ups: Budgets<IpAddr>,
    begun: Instant,
}

impl Default for UnknownKeys {
    fn default() -> Self {
        Self { keys: Mutex::new(Recent::with_room_for(KEYS_MAX)), look_ups: Budgets::new(), begun: Instant::now() }
    }
}

impl UnknownKeys {
    /// Whether the key was looked up in vain a moment ago.
    pub(super) fn hold(&self, hash: &Hash, now: i64) -> bool {
        let until = self.keys.lock().unwrap_or_else(PoisonError::into_inner).find(hash);
        until.is_some_and(|until| now <= until)
    }

    /// Takes a look-up of the address's, or answers how long it waits for the next one.
    pub(super) fn take(&self, address: IpAddr) -> Option<Duration> {
        self.look_ups.take(counted_address(address), LOOK_UPS_MAX, self.begun.elapsed()).wait
    }

    /// Gives it back: the key was good.
    pub(super) fn give_back(&self, address: IpAddr) {
        self.look_ups.give_back(&counted_address(address), LOOK_UPS_MAX, self.begun.elapsed());
    }

    /// Remembers that a key was looked up in vain.
    pub(super) fn keep(&self, hash: Hash, now: i64) {
        let until = now.saturating_add(REMEMBERED_SECONDS);
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).keep(hash, until);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use async_trait::async_trait;
    use jsonwebtoken::jwk::JwkSet;

    use super::LOOK_UPS_MAX;
    use crate::auth::verified::hash_of;
    use crate::auth::{API_KEY_PREFIX, ApiKey, ApiKeys, Verifier, now_seconds};
    use crate::problem::Problem;

    /// Knows one key, and counts how often it is asked.
    #[derive(Default)]
    struct Known(AtomicUsize);

    #[async_trait]
    impl ApiKeys for Known {
        async fn find(&self, hash: &str) -> Result<Option<ApiKey>, Problem> {
            self.0.fetch_add(1, SeqCst);
            let key = ApiKey { id: "1".into(), user_id: 7, scopes: vec!["orders".into()], seconds_left: 3_600 };
            Ok((hash == hex::encode(hash_of(&key_named("good")))).then_some(key))
        }
    }

    /// Knows every key, for so many seconds more.
    struct Ending(i64);

    #[async_trait]
    impl ApiKeys for Ending {
        async fn find(&self, _hash: &str) -> Result<Option<ApiKey>, Problem> {
            Ok(Some(ApiKey { id: "1".into(), user_id: 7, scopes: Vec::new(), seconds_left: self.0 }))
        }
    }

    #[tokio::test]
    async fn a_key_is_known_for_a_minute_and_never_beyond_its_end() {
        for (seconds_left, known_for) in [(3_600, 60), (5, 5)] {
            let verifier = Verifier::given(&JwkSet { keys: Vec::new() }).taking(Arc::new(Ending(seconds_left)));
            let before = now_seconds();
            verifier.verify(&key_named("good")).await.unwrap();
            let is_known = |at| verifier.verified.find(&hash_of(&key_named("good")), at).is_some();
            assert!(is_known(before + known_for) && !is_known(now_seconds() + known_for + 1), "{seconds_left}");
        }
    }

    fn key_named(name: &str) -> String {
        format!("{API_KEY_PREFIX}{name}")
    }

    #[tokio::test]
    async fn what_is_made_up_is_looked_up_so_often_and_no_more() {
        let known = Arc::<Known>::default();
        let verifier = Verifier::given(&JwkSet { keys: Vec::new() }).taking(Arc::<Known>::clone(&known));
        let ask = async |name: &str, address: &str| {
            let caller = verifier.verify_from(&key_named(name), Some(address.parse().unwrap())).await;
            (caller.map(|caller| caller.user_id).map_err(|problem| problem.code), known.0.load(SeqCst))
        };
        for _ in 0..1_000 {
            assert_eq!(ask("one", "192.0.2.1").await, (Err("api_key_invalid"), 1), "the same is looked up once");
        }
        let most = usize::try_from(LOOK_UPS_MAX.get()).unwrap();
        for n in 0..1_000 {
            let (answer, asked) = ask(&format!("made up {n}"), "192.0.2.1").await;
            assert_eq!(answer, Err(if n < most - 1 { "api_key_invalid" } else { "api_keys_delayed" }), "{n}");
            assert!(asked <= most, "{asked}");
        }
        assert_eq!(ask("good", "192.0.2.1").await.0, Err("api_keys_delayed"), "not known there yet");
        assert_eq!(ask("good", "192.0.2.2").await.0, Ok(7), "others do not wait");
        assert_eq!(ask("good", "192.0.2.1").await.0, Ok(7), "nor does one that is known");
        // Neither does it later, when it has to be looked at anew.
        let caller = Arc::new(verifier.verify(&key_named("good")).await.unwrap());
        verifier.verified.keep(hash_of(&key_named("good")), caller, 0);
        assert_eq!(ask("good", "192.0.2.1").await, (Ok(7), most + 2));
        // Good ones cost nothing, and an IPv6 client is one however many addresses it has.
        for n in 0..1_000 {
            verifier.verified.keep(
                hash_of(&key_named("good")),
                Arc::new(verifier.verify(&key_named("good")).await.unwrap()),
                0,
            );
            assert_eq!(ask("good", "2001:db8::1").await.0, Ok(7));
            let made_up = ask(&format!("from {n}"), &format!("2001:db8::{n:x}")).await.0;
            assert_eq!(made_up, Err(if n < most { "api_key_invalid" } else { "api_keys_delayed" }), "{n}");
        }
    }
}
