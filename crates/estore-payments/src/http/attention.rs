//! What staff must look at: `/v1/checkouts/needing-attention`, `/v1/refunds/needing-attention`.

use std::sync::Arc;

use axum::Json as JsonBody;
use axum::extract::State;
use estore_kit::auth::{MayHandleOrders, MayRefund, Permission};
use estore_kit::extract::{Path, Query};
use estore_kit::paging::{self, List, PageQuery};
use estore_kit::problem::Problem;
use estore_kit::request;
use uuid::Uuid;

use super::documented::{Listing, Resolving};
use crate::attention::{StuckCheckout, StuckRefund};
use crate::checkout::Checkout;
use crate::operations::resolve_checkout as of_checkout;
use crate::operations::resolve_refund as of_refund;
use crate::service::Payments;
use crate::store::attention;

/// Checkouts that wait because the gateway does not say what became of their charge, oldest first. They are looked at
/// again and again by themselves; `POST /v1/checkouts/{id}/resolve` does it now.
#[utoipa::path(
    get, path = "/v1/checkouts/needing-attention", tag = "orders", security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, body = List<StuckCheckout>), Listing)
)]
pub(super) async fn list_stuck_checkouts(
    State(payments): State<Payments>,
    MayHandleOrders(caller): MayHandleOrders,
    Query(query): Query<PageQuery>,
) -> Result<JsonBody<List<StuckCheckout>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after: Option<Uuid> = paging::decode(query.cursor.as_deref())?;
    let view = payments.shop.db.seen_by(caller.viewer(&[Permission::Orders]));
    let rows = attention::checkouts(&view, after, limit as i64 + 1).await?;
    Ok(JsonBody(paging::page(payments.shop.shown(rows)?, limit, |stuck| stuck.checkout.id)))
}

/// Has a checkout that needs attention looked at now. It is paid if the gateway says that the money was taken; it is
/// given up, and its stock goes back, only if the gateway says that it was not and never will be; while the gateway is
/// silent nothing changes (503). One that is over already is answered as it is.
#[utoipa::path(
    post, path = "/v1/checkouts/{id}/resolve", tag = "orders", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The checkout")),
    responses((status = 200, body = Checkout, description = "How it ended"), Resolving)
)]
pub(super) async fn resolve_checkout(
    State(payments): State<Payments>,
    MayHandleOrders(caller): MayHandleOrders,
    Path(id): Path<Uuid>,
) -> Result<JsonBody<Checkout>, Problem> {
    let shop = Arc::clone(&payments.shop);
    let work = async move { of_checkout::resolve_checkout(&shop, id, caller.user_id).await };
    let work = request::within(request::current_id(), work);
    Ok(JsonBody(payments.shop.shown(tokio::spawn(work).await.map_err(Problem::internal)??)?))
}

/// Refunds that did not reach their buyer, or may not have, oldest first.
#[utoipa::path(
    get, path = "/v1/refunds/needing-attention", tag = "orders", security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, body = List<StuckRefund>), Listing)
)]
pub(super) async fn list_stuck_refunds(
    State(payments): State<Payments>,
    MayRefund(caller): MayRefund,
    Query(query): Query<PageQuery>,
) -> Result<JsonBody<List<StuckRefund>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after: Option<Uuid> = paging::decode(query.cursor.as_deref())?;
    let view = payments.shop.db.seen_by(caller.viewer(&[Permission::Refunds]));
    let rows = attention::refunds(&view, after, limit as i64 + 1).await?;
    Ok(JsonBody(paging::page(rows, limit, |stuck| stuck.id)))
}

/// Has a refund that needs attention looked at now: a pending one is asked for again, and made once; one that `failed`,
/// or came back after it had `succeeded`, is taken off the list, for you have paid its buyer another way.
#[utoipa::path(
    post, path = "/v1/refunds/{id}/resolve", tag = "orders", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The refund")),
    responses((status = 200, body = StuckRefund, description = "How it stands"), Resolving)
)]
pub(super) async fn resolve_refund(
    State(payments): State<Payments>,
    _caller: MayRefund,
    Path(id): Path<Uuid>,
) -> Result<JsonBody<StuckRefund>, Problem> {
    let shop = Arc::clone(&payments.shop);
    let work = request::within(request::current_id(), async move { of_refund::resolve_refund(&shop, id).await });
    Ok(JsonBody(tokio::spawn(work).await.map_err(Problem::internal)??))
}
