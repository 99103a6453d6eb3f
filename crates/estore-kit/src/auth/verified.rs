//! Access tokens that were verified before, by their hash: the signature is checked once.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use super::Caller;
use crate::recent::Recent;

/// How many tokens are remembered.
const TOKENS_MAX: usize = 10_000;

pub(super) type Hash = [u8; SHA256_OUTPUT_LEN];

/// What is known of tokens.
#[derive(Debug)]
pub(super) struct Verified(Mutex<Recent<Hash, Known>>);

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

impl Default for Verified {
    fn default() -> Self {
        Self(Mutex::new(Recent::with_room_for(TOKENS_MAX)))
    }
}

impl Verified {
    /// Who a token speaks for that was verified before and has not expired at `now`, in seconds since 1970.
    pub(super) fn find(&self, hash: &Hash, now: i64) -> Option<Arc<Caller>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).find(hash)?;
        (now <= known.good_until).then_some(known.caller)
    }

    /// Whether the token was good before, though it has to be looked at anew.
    pub(super) fn knew(&self, hash: &Hash) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).find(hash).is_some()
    }

    pub(super) fn keep(&self, hash: Hash, caller: Arc<Caller>, good_until: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(hash, Known { caller, good_until });
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
        assert!(verified.0.lock().unwrap().len() <= TOKENS_MAX);
    }
}
