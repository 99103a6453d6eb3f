//! Gives the stock of dead checkouts back.

use estore_kit::crash;
use estore_kit::db::{Db, DbError};
use uuid::Uuid;

use crate::store::holds;

/// Releases open holds, leaves sold and released ones alone, and marks unknown checkouts as over.
pub(crate) async fn release_stock(db: &Db, checkouts: &[Uuid]) -> Result<(), DbError> {
    let mut client = db.client().await?;
    let transaction = client.transaction().await?;
    holds::lock_held_products(&transaction, checkouts).await?;
    holds::insert_tombstones(&transaction, checkouts).await?;
    holds::release(&transaction, checkouts).await?;
    crash::point("release_before_commit");
    transaction.commit().await?;
    crash::point("release_after_commit");
    Ok(())
}
