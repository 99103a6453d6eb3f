//! The routes of PaymentService: extract → call → respond.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use estore_kit::problem::ProblemBody;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::service::Payments;

mod attention;
mod checkouts;
mod disputes;
mod documented;
mod internal;
mod orders;
mod payment_methods;
mod refunds;
mod stripe_webhook;
mod webhook_deliveries;
mod webhook_endpoints;

#[derive(OpenApi)]
#[openapi(
    components(schemas(ProblemBody)),
    tags(
        (name = "payment methods", description = "Cards, kept by the payment gateway"),
        (name = "orders", description = "Placing, following, cancelling and refunding orders"),
        (name = "webhooks", description = "Events of the shop, posted to receivers of your own"),
    )
)]
struct Documented;

/// All routes.
pub(crate) fn router(payments: Payments) -> OpenApiRouter {
    let webhook = if payments.shop.webhook_secret.is_some() {
        OpenApiRouter::new().routes(routes!(stripe_webhook::receive_stripe_event))
    } else {
        OpenApiRouter::new()
    };
    OpenApiRouter::with_openapi(Documented::openapi())
        .merge(webhook)
        .routes(routes!(payment_methods::add_payment_method, payment_methods::list_payment_methods))
        .routes(routes!(payment_methods::read_payment_method, payment_methods::deactivate_payment_method))
        .routes(routes!(checkouts::place_checkout))
        .routes(routes!(checkouts::read_checkout))
        .routes(routes!(attention::list_stuck_checkouts))
        .routes(routes!(attention::resolve_checkout))
        .routes(routes!(attention::list_stuck_refunds))
        .routes(routes!(attention::resolve_refund))
        .routes(routes!(disputes::list_disputes))
        .routes(routes!(checkouts::place_order, orders::list_orders))
        .routes(routes!(orders::read_order))
        .routes(routes!(orders::list_order_events))
        .routes(routes!(orders::change_order_status))
        .routes(routes!(refunds::cancel_order))
        .routes(routes!(refunds::refund_order))
        .routes(routes!(webhook_endpoints::create_webhook_endpoint, webhook_endpoints::list_webhook_endpoints))
        .routes(routes!(
            webhook_endpoints::read_webhook_endpoint,
            webhook_endpoints::change_webhook_endpoint,
            webhook_endpoints::delete_webhook_endpoint
        ))
        .routes(routes!(webhook_endpoints::rotate_webhook_secret))
        .routes(routes!(webhook_deliveries::list_webhook_deliveries))
        .routes(routes!(webhook_deliveries::replay_dead_webhook_deliveries))
        .routes(routes!(webhook_deliveries::replay_webhook_delivery))
        .with_state(payments)
}

/// The routes for neighbours in other processes.
pub(crate) fn internal(payments: Payments) -> axum::Router {
    axum::Router::new()
        .route(estore_api::events::ROUTE, post(internal::publish))
        .route(estore_api::customers::PURCHASES_ROUTE, post(internal::purchases))
        .with_state(payments)
}

/// What an `ETag` says of a thing: a hash of its JSON.
pub(crate) fn etag<T: Serialize>(thing: &T) -> String {
    let json = serde_json::to_vec(thing).unwrap_or_default();
    let hash = hex::encode(Sha256::digest(&json));
    format!("\"{}\"", hash.get(..32).unwrap_or(&hash))
}

/// The thing with its `ETag`, or 304 where the client has it.
fn tagged<T: Serialize>(headers: &HeaderMap, thing: &T) -> Response {
    let tag = etag(thing);
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    let is_known = known.split(',').any(|one| matches!(one.trim().trim_start_matches("W/"), t if t == tag || t == "*"));
    let mut response =
        if is_known { StatusCode::NOT_MODIFIED.into_response() } else { axum::Json(thing).into_response() };
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}
