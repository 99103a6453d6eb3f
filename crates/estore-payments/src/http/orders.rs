//! `/v1/orders`: reading and moving along.

use axum::Json as JsonBody;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use estore_kit::auth::{CallerOrKey, MayHandleOrders, Permission};
use estore_kit::extract::{Json, Path, Query};
use estore_kit::paging::{self, List, PageQuery};
use estore_kit::problem::Problem;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::documented::{Changing, Listing, Reading};
use super::tagged;
use crate::operations::change_order_status::{self as operation, Change};
use crate::order::{Order, OrderEvent, OrderStatus};
use crate::service::Payments;
use crate::store;
use crate::store::orders::OrderFilter;

/// Which orders to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrdersQuery {
    /// How many to answer, 1 to 100 (20 when left out).
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only orders in this state.
    #[param(inline)]
    status: Option<OrderStatus>,
    /// Only this customer's; another than oneself: staff.
    user_id: Option<i32>,
}

/// The next state of an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStatus {
    /// `processing`, `shipped` or `delivered`; `paid` for one that waits for staff; cancelling and refunding have routes of their own.
    status: OrderStatus,
    /// For the order's history, at most 500 characters.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Orders, newest first: one's own; all of them for staff.
#[utoipa::path(
    get, path = "/v1/orders", tag = "orders", security(("bearer" = [])),
    params(OrdersQuery),
    responses((status = 200, body = List<Order>), Listing)
)]
pub(super) async fn list_orders(
    State(payments): State<Payments>,
    CallerOrKey(caller): CallerOrKey,
    Query(query): Query<OrdersQuery>,
) -> Result<JsonBody<List<Order>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let before: i32 = paging::decode(query.cursor.as_deref())?.unwrap_or(i32::MAX);
    let user_id = match query.user_id {
        asked if caller.sees_orders() => asked,
        None => Some(caller.user_id),
        Some(own) if own == caller.user_id => Some(own),
        Some(_) => return Err(Problem::forbidden("role_required", "Only staff may list the orders of others.")),
    };
    let filter = OrderFilter { user_id, status: query.status, before };
    let view = payments.shop.db.seen_by(caller.viewer(Permission::THAT_SHOW_ORDERS));
    let rows = store::orders::list(&view, filter, limit as i64 + 1).await?;
    Ok(JsonBody(paging::page(payments.shop.shown(rows)?, limit, |order| order.id)))
}

/// An order of the caller's, or any for staff.
#[utoipa::path(
    get, path = "/v1/orders/{id}", tag = "orders", security(("bearer" = [])),
    params(("id" = i32, Path, description = "The order"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` you have")),
    responses(
        (status = 200, body = Order, headers(("ETag" = String, description = "Its present form"))),
        (status = 304, description = "You have its present form"),
        Reading,
    )
)]
pub(super) async fn read_order(
    State(payments): State<Payments>,
    CallerOrKey(caller): CallerOrKey,
    Path(id): Path<i32>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = store::orders::seen(&payments.shop.db.seen_by(caller.viewer(Permission::THAT_SHOW_ORDERS)), id).await?;
    Ok(tagged(&headers, &payments.shop.shown(found.ok_or_else(|| Problem::not_found("order"))?)?))
}

/// What happened to an order, oldest first.
#[utoipa::path(
    get, path = "/v1/orders/{id}/events", tag = "orders", security(("bearer" = [])),
    params(("id" = i32, Path, description = "The order"), PageQuery),
    responses((status = 200, body = List<OrderEvent>), Reading)
)]
pub(super) async fn list_order_events(
    State(payments): State<Payments>,
    CallerOrKey(caller): CallerOrKey,
    Path(id): Path<i32>,
    Query(query): Query<PageQuery>,
) -> Result<JsonBody<List<OrderEvent>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after: i64 = paging::decode(query.cursor.as_deref())?.unwrap_or(0);
    let view = payments.shop.db.seen_by(caller.viewer(Permission::THAT_SHOW_ORDERS));
    let rows = store::orders::events(&view, id, after, limit as i64 + 1).await?;
    let rows = rows.ok_or_else(|| Problem::not_found("order"))?;
    Ok(JsonBody(paging::page(rows, limit, |event| event.id)))
}

/// Moves an order along: `paid → processing → shipped → delivered`. One that waits for staff (payment by invoice, or a
/// card that is charged later) is set `paid`, with all orders of its checkout.
#[utoipa::path(
    put, path = "/v1/orders/{id}/status", tag = "orders", security(("bearer" = [])),
    params(("id" = i32, Path, description = "The order"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is based on")),
    request_body = NewStatus,
    responses(
        (status = 200, body = Order, headers(("ETag" = String, description = "Its present form"))),
        Changing,
    )
)]
pub(super) async fn change_order_status(
    State(payments): State<Payments>,
    MayHandleOrders(caller): MayHandleOrders,
    Path(id): Path<i32>,
    headers: HeaderMap,
    Json(body): Json<NewStatus>,
) -> Result<Response, Problem> {
    let if_match = headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap_or("").to_owned());
    let change = Change { order_id: id, next: body.status, note: body.note, actor_id: caller.user_id, if_match };
    let order = operation::change_order_status(&payments.shop, change).await?;
    Ok(tagged(&HeaderMap::new(), &order))
}
