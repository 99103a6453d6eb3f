//! `/v1/stripe/webhook`.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use estore_kit::extract::too_large;
use estore_kit::problem::Problem;

use super::documented::Telling;
use crate::operations::receive_stripe_event as operation;
use crate::service::Payments;

/// Stripe tells what became of a charge or refund.
#[utoipa::path(
    post, path = "/v1/stripe/webhook", tag = "orders",
    params(("Stripe-Signature" = String, Header, description = "Stripe's signature over the time and the body")),
    request_body(content = String, content_type = "application/json", description = "An event of Stripe's"),
    responses((status = 200, description = "Heard, now or before"), Telling)
)]
pub(super) async fn receive_stripe_event(
    State(payments): State<Payments>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let body = body.map_err(|_too_much| too_large())?;
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or("");
    operation::receive_stripe_event(&payments.shop, signature, &body).await?;
    Ok(StatusCode::OK)
}
