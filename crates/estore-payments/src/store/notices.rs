//! What buyers are to be told of by mail.

use estore_api::users::{NoticeKind, OrderNotice};
use estore_kit::db::{Db, DbError};
use tokio_postgres::Row;
use uuid::Uuid;

const READ: &str = include_str!("../../queries/read_notices.sql");
const DROP: &str = include_str!("../../queries/drop_notices.sql");

/// A batch of them.
pub(crate) async fn read(db: &Db, rows_max: i64) -> Result<Vec<OrderNotice>, DbError> {
    let notice = |row: &Row| {
        let word: &str = row.get("kind");
        Ok(OrderNotice {
            event_id: row.get("event_id"),
            user_id: row.get("user_id"),
            kind: NoticeKind::of(word).ok_or_else(|| DbError::Failed(format!("order_notices.kind: {word}")))?,
            orders: row.get("orders"),
            amount: row.get("amount"),
            currency: row.get("currency"),
        })
    };
    db.rows(READ, &[&rows_max]).await?.iter().map(notice).collect()
}

/// Removes what has been told.
pub(crate) async fn drop_told(db: &Db, events: &[Uuid]) -> Result<(), DbError> {
    db.execute(DROP, &[&events]).await.map(drop)
}
