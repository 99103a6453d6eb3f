//! Turns the holds of paid checkouts into sales; their units are off the shelf already.

use estore_kit::crash;
use estore_kit::db::{Db, DbError};
use uuid::Uuid;

use crate::store::holds;

/// Sells open holds and leaves sold and released ones alone.
pub(crate) async fn sell_stock(db: &Db, checkouts: &[Uuid]) -> Result<(), DbError> {
    let mut client = db.client().await?;
    let transaction = client.transaction().await?;
    holds::sell(&transaction, checkouts).await?;
    crash::point("sell_before_commit");
    transaction.commit().await?;
    crash::point("sell_after_commit");
    Ok(())
}
