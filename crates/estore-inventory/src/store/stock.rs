//! Stock movements in the database.

use estore_kit::db::{Db, DbError, View};

use crate::limits::STOCK_UNITS_MAX;
use crate::stock::{StockChange, StockMovement};

/// A stock change as the database saw it; `after` may be less or more than there may be, and then nothing moved.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) before: i32,
    pub(crate) after: i64,
    pub(crate) movement: Option<StockMovement>,
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
