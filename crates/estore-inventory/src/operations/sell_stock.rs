//! Turns the holds of paid checkouts into sales; their units are off the shelf already.

use estore_kit::crash;
use estore_kit::db::{Db, DbError};
use uuid::Uuid;

use crate::store::holds;

/// Sells open holds and leaves sold and released ones alone.
pub(crate) async fn sell_stock(db: &Db, checkouts: &[Uuid]) -> Result<(), DbError> {
    holds::sell(&db.client().await?, checkouts).await?;
    Ok(())
}
