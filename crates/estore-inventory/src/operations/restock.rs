//! Puts the units of cancelled orders back on sale.

use std::collections::BTreeSet;

use estore_api::inventory::RestockLine;
use estore_kit::crash;
use estore_kit::db::{Db, DbError};
use uuid::Uuid;

use crate::store::holds;

/// Puts each order's units back once. An open hold is sold first, so that a late release gives nothing back twice.
pub(crate) async fn restock(db: &Db, lines: &[RestockLine]) -> Result<(), DbError> {
    let products: BTreeSet<i32> = lines.iter().map(|line| line.product_id).collect();
    let checkouts: BTreeSet<Uuid> = lines.iter().map(|line| line.checkout_id).collect();
    let (products, checkouts) = (Vec::from_iter(products), Vec::from_iter(checkouts));
    let mut client = db.client().await?;
    let transaction = client.transaction().await?;
    holds::lock_stock(&transaction, &products).await?;
    holds::sell(&transaction, &checkouts).await?;
    holds::restock(&transaction, lines).await?;
    crash::point("restock_before_commit");
    transaction.commit().await?;
    crash::point("restock_after_commit");
    Ok(())
}
