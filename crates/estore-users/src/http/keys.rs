//! The public keys that verify access tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;

use crate::service::Service;

/// The key set, as RFC 7517 has it.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "tokens", operation_id = "publish_keys",
    responses((status = 200, description = "A JSON Web Key Set", body = serde_json::Value)),
)]
pub(super) async fn publish(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let fresh = [(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))];
    (fresh, axum::Json(service.signer.key_set().clone()))
}
