//! `/v1/payment-methods`.

use axum::Json as JsonBody;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use estore_kit::auth::Caller;
use estore_kit::extract::{Json, Path, Query};
use estore_kit::paging::{self, List, PageQuery};
use estore_kit::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use super::documented::{Adding, Listing, Reading};
use crate::billing::BillingAddress;
use crate::card::SecretJson;
use crate::operations::{add_payment_method as operation, deactivate_payment_method as deactivate};
use crate::payment_method::PaymentMethod;
use crate::service::Payments;
use crate::store;

/// A card to pay with. Only the gateway sees its number. Where the gateway is Stripe, not even we do: `details` is
/// `{"token": "pm_…"}`, made by Stripe's script in the browser. Where the shop is paid by invoice, the body is
/// `{"payment_type": "invoice"}`.
// Documents the body, which is read as `SecretJson` so that no error ever repeats its content.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewPaymentMethod {
    /// Always `card`.
    #[schema(example = "card", pattern = "^card$")]
    payment_type: String,
    /// The card.
    details: NewCard,
}

/// A card as it is typed.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewCard {
    /// 12 to 19 digits; spaces and dashes do not count.
    #[schema(example = "4242424242424242", format = Password)]
    card_number: String,
    /// 1 to 12.
    #[schema(minimum = 1, maximum = 12, example = 12)]
    expiry_month: i8,
    /// Four digits.
    #[schema(example = 2030)]
    expiry_year: i16,
    /// 3 or 4 digits.
    #[schema(example = "123", pattern = "^[0-9]{3,4}$", format = Password)]
    cvc: String,
    /// Whose it is, 1 to 100 characters; stored sealed.
    #[schema(min_length = 1, max_length = 100, example = "Ada Lovelace")]
    holder_name: Option<String>,
    /// Where its bills go; stored sealed.
    billing_address: Option<BillingAddress>,
}

/// Adds a card; the same card again is the same payment method.
#[utoipa::path(
    post, path = "/v1/payment-methods", tag = "payment methods", security(("bearer" = [])),
    request_body = NewPaymentMethod,
    responses(
        (status = 201, body = PaymentMethod, description = "Added"),
        (status = 200, body = PaymentMethod, description = "You have it already; its expiry is brought up to date"),
        Adding,
    )
)]
pub(super) async fn add_payment_method(
    State(payments): State<Payments>,
    caller: Caller,
    Json(body): Json<SecretJson>,
) -> Result<Response, Problem> {
    let (method, is_new) = operation::add_payment_method(&payments.shop, caller.user_id, &body).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, JsonBody(method)).into_response())
}

/// The caller's active payment methods, newest first.
#[utoipa::path(
    get, path = "/v1/payment-methods", tag = "payment methods", security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, body = List<PaymentMethod>), Listing)
)]
pub(super) async fn list_payment_methods(
    State(payments): State<Payments>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<JsonBody<List<PaymentMethod>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let before: i32 = paging::decode(query.cursor.as_deref())?.unwrap_or(i32::MAX);
    let rows = store::payment_methods::list(&payments.shop.db, caller.user_id, before, limit as i64 + 1).await?;
    Ok(JsonBody(paging::page(payments.shop.shown(rows)?, limit, |method| method.id)))
}

/// One payment method of the caller's.
#[utoipa::path(
    get, path = "/v1/payment-methods/{id}", tag = "payment methods", security(("bearer" = [])),
    params(("id" = i32, Path, description = "The payment method")),
    responses((status = 200, body = PaymentMethod), Reading)
)]
pub(super) async fn read_payment_method(
    State(payments): State<Payments>,
    caller: Caller,
    Path(id): Path<i32>,
) -> Result<JsonBody<PaymentMethod>, Problem> {
    let found = store::payment_methods::seen(&payments.shop.db, caller.user_id, id).await?;
    Ok(JsonBody(payments.shop.shown(found.ok_or_else(|| Problem::not_found("payment method"))?)?))
}

/// Deactivates a payment method of the caller's; orders keep naming it. Its card is taken off the caller at the gateway
/// too, once no open charge needs it.
#[utoipa::path(
    delete, path = "/v1/payment-methods/{id}", tag = "payment methods", security(("bearer" = [])),
    params(("id" = i32, Path, description = "The payment method")),
    responses((status = 204, description = "It can no longer be paid with"), Reading)
)]
pub(super) async fn deactivate_payment_method(
    State(payments): State<Payments>,
    caller: Caller,
    Path(id): Path<i32>,
) -> Result<StatusCode, Problem> {
    deactivate::deactivate_payment_method(&payments.shop, caller.user_id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
