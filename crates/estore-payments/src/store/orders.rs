//! Orders and their history.

use std::collections::HashMap;

use deadpool_postgres::GenericClient;
use estore_kit::db::{self, Db, DbError, View};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::order::{Order, OrderEvent, OrderStatus};

const READ: &str = include_str!("../../queries/read_order.sql");
const LOCK: &str = include_str!("../../queries/lock_order.sql");
pub(super) const OF_CHECKOUTS: &str = include_str!("../../queries/read_orders_of_checkouts.sql");
const LIST: &str = include_str!("../../queries/list_orders.sql");
const LIST_OF_USER: &str = include_str!("../../queries/list_orders_of_user.sql");
const LIST_EVENTS: &str = include_str!("../../queries/list_order_events.sql");
const CHANGE_STATUS: &str = include_str!("../../queries/change_order_status.sql");
const CANCEL: &str = include_str!("../../queries/cancel_order.sql");

/// One order, where the viewer may see it: a foreign one is as if it did not exist.
pub(crate) async fn seen(view: &View, id: i32) -> Result<Option<Order>, DbError> {
    view.row(READ, &[&id]).await?.map(|row| order(&row)).transpose()
}

/// One order, whoever's it is.
pub(crate) async fn read(db: &Db, id: i32) -> Result<Option<Order>, DbError> {
    db.row(READ, &[&id]).await?.map(|row| order(&row)).transpose()
}

/// An order that is locked until the transaction ends.
pub(crate) struct LockedOrder {
    pub(crate) order: Order,
    /// Cents.
    pub(crate) captured: i32,
    /// Who charged for it.
    pub(crate) gateway: String,
}

/// Locks an order.
pub(crate) async fn lock<C: GenericClient>(client: &C, id: i32) -> Result<Option<LockedOrder>, DbError> {
    let locked = |row: &Row| {
        let (captured, gateway) = (row.get("captured_amount"), row.get("gateway"));
        Ok(LockedOrder { order: order(row)?, captured, gateway })
    };
    db::rows(client, LOCK, &[&id]).await?.first().map(locked).transpose()
}

/// The orders of checkouts, by checkout, in id order.
pub(crate) async fn of_checkouts<C: GenericClient>(
    client: &C,
    checkouts: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Order>>, DbError> {
    let rows = db::rows(client, OF_CHECKOUTS, &[&checkouts]).await?;
    by_checkout(&rows)
}

/// The same, of those that the viewer may see.
pub(crate) async fn seen_of_checkouts(view: &View, checkouts: &[Uuid]) -> Result<HashMap<Uuid, Vec<Order>>, DbError> {
    by_checkout(&view.rows(OF_CHECKOUTS, &[&checkouts]).await?)
}

pub(super) fn by_checkout(rows: &[Row]) -> Result<HashMap<Uuid, Vec<Order>>, DbError> {
    let mut found: HashMap<Uuid, Vec<Order>> = HashMap::new();
    for row in rows {
        found.entry(row.get("checkout_id")).or_default().push(order(row)?);
    }
    Ok(found)
}

/// Which orders to list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderFilter {
    /// Of this customer only.
    pub(crate) user_id: Option<i32>,
    /// In this state only.
    pub(crate) status: Option<OrderStatus>,
    /// With ids below this one.
    pub(crate) before: i32,
}

/// A page of the orders that the viewer may see, newest first.
pub(crate) async fn list(view: &View, filter: OrderFilter, rows_max: i64) -> Result<Vec<Order>, DbError> {
    let status = filter.status.map(OrderStatus::word);
    let rows = match filter.user_id {
        Some(user) => view.rows(LIST_OF_USER, &[&user.to_string(), &filter.before, &status, &rows_max]).await?,
        None => view.rows(LIST, &[&filter.before, &status, &rows_max]).await?,
    };
    rows.iter().map(order).collect()
}

/// A page of an order's history, oldest first, after the event `after`; nothing where the viewer may not see the order.
pub(crate) async fn events(
    view: &View,
    order_id: i32,
    after: i64,
    rows_max: i64,
) -> Result<Option<Vec<OrderEvent>>, DbError> {
    let event = |row: &Row| OrderEvent {
        id: row.get("id"),
        kind: row.get("type"),
        status: row.get("status"),
        actor_id: row.get("actor_id"),
        amount: row.get("amount"),
        note: row.get("note"),
        created_at: row.get("created_at"),
    };
    let [order, events] = view.all([(READ, &[&order_id]), (LIST_EVENTS, &[&order_id, &after, &rows_max])]).await?;
    Ok((!order.is_empty()).then(|| events.iter().map(event).collect()))
}

/// Moves a locked order along, with the event.
pub(crate) async fn change_status<C: GenericClient>(
    client: &C,
    order: &Order,
    next: OrderStatus,
    (actor_id, note): (i32, Option<&str>),
    at: Timestamp,
) -> Result<(), DbError> {
    db::execute(client, CHANGE_STATUS, &[&order.id, &next.word(), &at, &actor_id, &note]).await?;
    Ok(())
}

/// Cancels a locked order, reserving what is left of its money.
pub(crate) async fn cancel<C: GenericClient>(client: &C, id: i32, actor_id: i32, at: Timestamp) -> Result<(), DbError> {
    db::execute(client, CANCEL, &[&id, &at, &actor_id]).await?;
    Ok(())
}

fn order(row: &Row) -> Result<Order, DbError> {
    let word: &str = row.get("status");
    let status = OrderStatus::of(word).ok_or_else(|| DbError::Failed(format!("orders.status: {word}")))?;
    Ok(Order {
        id: row.get("id"),
        checkout_id: row.get("checkout_id"),
        user_id: row.get("user_id"),
        product_id: row.get("product_id"),
        quantity: row.get("quantity"),
        unit_price: row.get("unit_price"),
        total_amount: row.get("total_amount"),
        refunded_amount: row.get("refunded_amount"),
        currency: row.get("currency"),
        status,
        payment_method_id: row.get("payment_method_id"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
        metadata: row.get::<_, Option<serde_json::Value>>("metadata").unwrap_or_default(),
    })
}
