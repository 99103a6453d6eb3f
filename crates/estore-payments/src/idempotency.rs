//! Idempotency keys: the header, and the hash that tells one request from another.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use estore_kit::problem::Problem;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::limits::KEY_CHARACTERS_MAX;

/// The key of the header `Idempotency-Key`: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone)]
pub(crate) struct IdempotencyKey(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else {
            return Err(Problem::bad_request(
                "idempotency_key_missing",
                "Send the header Idempotency-Key with a value of your own, the same again when you repeat the request.",
            ));
        };
        let text = value.to_str().unwrap_or("");
        if text.is_empty() || text.len() > KEY_CHARACTERS_MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Problem::bad_request(
                "idempotency_key_invalid",
                format!("Idempotency-Key must have 1 to {KEY_CHARACTERS_MAX} visible ASCII characters."),
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// What a request asks for, as 32 bytes: its route and its body as it was understood.
pub(crate) fn request_hash<T: Serialize>(route: &str, body: &T) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(route.as_bytes());
    hash.update([0]);
    hash.update(serde_json::to_vec(body).unwrap_or_default());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::request_hash;

    #[test]
    fn route_and_body_both_count() {
        let hash = request_hash("POST /v1/orders", &serde_json::json!({"b": 1, "a": 2}));
        assert_eq!(hash, request_hash("POST /v1/orders", &serde_json::json!({"a": 2, "b": 1})));
        assert_ne!(hash, request_hash("POST /v1/checkouts", &serde_json::json!({"a": 2, "b": 1})));
        assert_ne!(hash, request_hash("POST /v1/orders", &serde_json::json!({"a": 2, "b": 2})));
    }
}
