//! Access tokens that were verified before, by their hash: the signature is checked once.

use std::collections::HashMap;
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use super::Caller;

/// How many tokens are remembered.
const TOKENS_MAX: usize = 10_000;

type Hash = [u8; SHA256_OUTPUT_LEN];

/// Two generations: what is asked for moves to the young one, and what was not asked for goes with the old one.
#[derive(Debug, Default)]
pub(super) struct Verified {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Hash, Known>,
    old: HashMap<Hash, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    caller: Arc<Caller>,
    /// The last second in which the token is good, since 1970.
    good_until: i64,
}

/// The name under which a token is remembered.
pub(super) fn hash_of(token: &str) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

impl Verified {
    /// Who a token speaks for that was verified before and has not expired at `now`, in seconds since 1970.
    pub(super) fn find(&self, hash: &Hash, now: i64) -> Option<Arc<Caller>> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = |known: &Known| now <= known.good_until;
        if let Some(known) = generations.young.get(hash) {
            return is_good(known).then(|| Arc::clone(&known.caller));
        }
        let known = generations.old.remove(hash).filter(is_good)?;
        let caller = Arc::clone(&known.caller);
        generations.keep(*hash, known);
        Some(caller)
    }

    pub(super) fn keep(&self, hash: Hash, caller: Arc<Caller>, good_until: i64) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.keep(hash, Known { caller, good_until });
    }
}

impl Generations {
    fn keep(&mut self, hash: Hash, known: Known) {
        if self.young.len() >= TOKENS_MAX / 2 {
            self.old = take(&mut self.young);
        }
        self.young.insert(hash, known);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{TOKENS_MAX, Verified, hash_of};
    use crate::auth::{Caller, Permissions};

    fn caller(user_id: i32) -> Arc<Caller> {
        Arc::new(Caller {
            user_id,
            session_id: String::new(),
            authenticated_at: 0,
            verified: true,
            permissions: Permissions::NONE,
            is_admin: false,
            is_key: false,
        })
    }

    #[test]
    fn a_token_is_known_until_it_expires() {
        let verified = Verified::default();
        verified.keep(hash_of("t"), caller(7), 100);
        assert_eq!(verified.find(&hash_of("t"), 100).map(|caller| caller.user_id), Some(7));
        assert!(verified.find(&hash_of("t"), 101).is_none());
        assert!(verified.find(&hash_of("u"), 1).is_none());
    }

    #[test]
    fn memory_is_bounded_and_what_is_in_use_stays() {
        let verified = Verified::default();
        for n in 0..i32::try_from(TOKENS_MAX).unwrap() * 3 {
            verified.keep(hash_of(&n.to_string()), caller(n), 100);
            assert!(n == 0 || verified.find(&hash_of("0"), 1).is_some(), "{n}");
        }
        let generations = verified.generations.lock().unwrap();
        assert!(generations.young.len() + generations.old.len() <= TOKENS_MAX);
    }
}
