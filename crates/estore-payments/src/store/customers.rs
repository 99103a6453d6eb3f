//! What is kept of customers.

use estore_kit::db::{Db, DbError};

/// Takes what is personal out of what these leave behind; their cards are forgotten by the gateway that is named.
pub(crate) async fn erase(db: &Db, user_ids: &[i32], forgetting: Option<&str>) -> Result<(), DbError> {
    db.execute(include_str!("../../queries/erase_customers.sql"), &[&user_ids, &forgetting]).await.map(drop)
}

/// Those who were erased within so many seconds.
pub(crate) async fn lately_erased(db: &Db, seconds: f64) -> Result<Vec<i32>, DbError> {
    let found = db.rows(include_str!("../../queries/list_lately_erased.sql"), &[&seconds]).await?;
    Ok(found.iter().map(|row| row.get("user_id")).collect())
}
