//! What every request with a token pays, counted by `script/instructions`.

use std::sync::Arc;

use futures_util::FutureExt;
use jsonwebtoken::jwk::JwkSet;

use super::verified::hash_of;
use super::{Caller, Permissions, Verifier};

#[inline(never)]
fn counted_verify_cached_token(verifier: &Verifier, token: &str) -> bool {
    verifier.verify(token).now_or_never().is_some_and(|caller| caller.is_ok())
}

#[test]
fn verify_cached_token() {
    let verifier = Verifier::given(&JwkSet { keys: Vec::new() });
    let session_id = "01900000-0000-7000-8000-000000000001".to_owned();
    let caller = Caller {
        user_id: 7,
        session_id,
        authenticated_at: 0,
        verified: true,
        permissions: Permissions::NONE,
        is_admin: false,
        is_key: false,
    };
    // As long as a real one.
    let token = "eyJhbGciOiJFZERTQSJ9".repeat(20);
    verifier.verified.keep(hash_of(&token), Arc::new(caller), i64::MAX);
    for _ in 0..200 {
        assert!(counted_verify_cached_token(&verifier, &token));
    }
}
