//! Stock movements in the database.

use std::collections::HashMap;

use estore_kit::db::{Db, DbError, View};
use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::catalogue::Horizon;
use crate::limits::STOCK_UNITS_MAX;
use crate::stock::{StockChange, StockMovement};

/// A stock change as the database saw it; `after` may be less or more than there may be, and then nothing moved.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) before: i32,
    pub(crate) after: i64,
    pub(crate) movement: Option<StockMovement>,
}

/// The stock of products at one moment.
#[derive(Debug)]
pub(crate) struct StockRead {
    pub(crate) as_of: Timestamp,
    /// Units by product.
    pub(crate) quantities: HashMap<i32, i32>,
    /// How many movements were looked at.
    pub(crate) movements: usize,
    pub(crate) horizon: Horizon,
}

/// The stock of these products, and of those that moved after this movement, of which at most so many are looked at; no
/// movement is where `after` is `None`. Planned for the number of products at hand: a few are looked up, many are read.
pub(crate) async fn refresh(
    client: &Client,
    ids: &[i32],
    after: Option<i64>,
    movements_max: usize,
) -> Result<StockRead, DbError> {
    let (after, rows) = (after.unwrap_or(i64::MAX), i64::try_from(movements_max).unwrap_or(i64::MAX));
    let sql = include_str!("../../queries/refresh_stock.sql");
    let row = client
        .query_typed(sql, &[(&after, Type::INT8), (&ids, Type::INT4_ARRAY), (&rows, Type::INT8)])
        .await?
        .pop()
        .ok_or_else(|| DbError::Unavailable("a read of stock gave no row".to_owned()))?;
    let (ids, quantities): (Vec<i32>, Vec<i32>) = (row.get("ids"), row.get("quantities"));
    Ok(StockRead {
        as_of: row.get("as_of"),
        quantities: ids.into_iter().zip(quantities).collect(),
        movements: usize::try_from(row.get::<_, i64>("moved")).unwrap_or(usize::MAX),
        horizon: Horizon {
            last_movement: row.get("last_movement"),
            oldest_running: row.get("oldest_running"),
            next_transaction: row.get("next_transaction"),
        },
    })
}

/// `None` when there is no such product.
pub(crate) async fn change(
    db: &Db,
    product_id: i32,
    change: &StockChange,
    actor: i32,
) -> Result<Option<Moved>, DbError> {
    let row = db
        .row(
            include_str!("../../queries/move_stock.sql"),
            &[&product_id, &change.delta, &change.quantity, &change.reason, &actor, &STOCK_UNITS_MAX],
        )
        .await?;
    Ok(row.map(|row| Moved {
        before: row.get("before"),
        after: row.get("after"),
        movement: row.get::<_, Option<i64>>("id").map(|_| StockMovement::from(&row)),
    }))
}

pub(crate) async fn list(
    view: &View,
    product_id: i32,
    before: Option<i64>,
    rows: usize,
) -> Result<Vec<StockMovement>, DbError> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let rows = view.rows(include_str!("../../queries/list_movements.sql"), &[&product_id, &before, &rows]).await?;
    Ok(rows.iter().map(StockMovement::from).collect())
}
