//! `/v1/orders/{id}/cancel` and `/v1/orders/{id}/refunds`.

use std::sync::Arc;

use axum::Json as JsonBody;
use axum::extract::State;
use estore_kit::auth::{CallerOrKey, MayRefund};
use estore_kit::extract::{Json, Path};
use estore_kit::problem::Problem;
use estore_kit::request;
use estore_kit::validate::Rules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::documented::{Cancelling, Refunding};
use crate::answer::Answer;
use crate::idempotency::{IdempotencyKey, request_hash};
use crate::limits::NOTE_CHARACTERS_MAX;
use crate::operations::cancel_order as cancel;
use crate::operations::refund_order::{self as refund, RefundRequest};
use crate::order::Order;
use crate::refund::Refund;
use crate::service::Payments;

/// Money to be given back.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRefund {
    /// Cents, from 1; all that is left when left out.
    #[schema(minimum = 1)]
    amount: Option<i32>,
    /// Why, 1 to 500 characters.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Cancels an order: its units go back on sale and its money to the buyer. Cancelling again changes nothing.
#[utoipa::path(
    post, path = "/v1/orders/{id}/cancel", tag = "orders", security(("bearer" = [])),
    params(("id" = i32, Path, description = "The order")),
    responses((status = 200, body = Order, description = "It is cancelled"), Cancelling)
)]
pub(super) async fn cancel_order(
    State(payments): State<Payments>,
    CallerOrKey(caller): CallerOrKey,
    Path(id): Path<i32>,
) -> Result<JsonBody<Order>, Problem> {
    let work = request::within(request::current_id(), cancel::cancel_order(Arc::clone(&payments.shop), caller, id));
    Ok(JsonBody(payments.shop.shown(tokio::spawn(work).await.map_err(Problem::internal)??)?))
}

/// Gives money back, up to what was captured.
#[utoipa::path(
    post, path = "/v1/orders/{id}/refunds", tag = "orders", security(("bearer" = [])),
    params(("id" = i32, Path, description = "The order"),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 255,
         description = "Your own value, 1 to 255 visible characters; the same again when you repeat the request")),
    request_body = NewRefund,
    responses(
        (status = 201, body = Refund, description = "Paid out",
         headers(("Idempotent-Replayed" = bool, description = "Sent where this is the stored answer"))),
        Refunding,
    )
)]
pub(super) async fn refund_order(
    State(payments): State<Payments>,
    MayRefund(caller): MayRefund,
    Path(id): Path<i32>,
    key: IdempotencyKey,
    Json(body): Json<NewRefund>,
) -> Result<Answer, Problem> {
    let mut rules = Rules::new();
    rules.text("/reason", &body.reason, 1..=NOTE_CHARACTERS_MAX);
    rules.range("/amount", body.amount.unwrap_or(1), 1..=i32::MAX);
    rules.finish()?;
    let request_hash = request_hash(&format!("POST /v1/orders/{id}/refunds"), &body);
    let NewRefund { amount, reason } = body;
    let asked = RefundRequest { order_id: id, amount, reason, actor_id: caller.user_id, key: key.0, request_hash };
    let work = request::within(request::current_id(), refund::refund_order(Arc::clone(&payments.shop), asked));
    tokio::spawn(work).await.map_err(Problem::internal)
}
