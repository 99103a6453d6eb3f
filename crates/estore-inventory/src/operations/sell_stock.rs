//! Turns the holds of paid checkouts into sales; their units are off the shelf already.

use estore_kit::crash;
use estore_kit::db::{Db, DbError};
use uuid::Uuid;

use crate::store::holds;

/// Sells open holds and leaves sold and released ones alone.
pub(crate) async fn sell_stock(db: &Db, checkouts: &[Uuid]) -> Result<(), DbError> {
    let client = db.client().await?;
    // One statement is a transaction of its own: until it is sent nothing has happened, and then all has.
    crash::point("sell_before_commit");
    holds::sell(&client, checkouts).await?;
    crash::point("sell_after_commit");
    Ok(())
}
