//! Tells what was committed here. InventoryService: a hold becomes a sale or is released, cancelled units go back.
//! Webhook endpoints: a delivery is written for each event they asked for, in the statement that takes it off the outbox.
//!
//! At least once, and in the order of each checkout: one process at a time does it, oldest first.

use estore_api::inventory::RestockLine;
use estore_api::neighbour::CallError;
use estore_kit::crash;
use estore_kit::db::DbError;
use uuid::Uuid;

use crate::limits::{JOB_ROWS_MAX, LEASE_SECONDS};
use crate::service::Shop;
use crate::store::jobs::{self, News, Untold};

/// Why a round of the relay ended early; the next one repeats it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    /// The database is away.
    #[error(transparent)]
    Database(#[from] DbError),
    /// InventoryService is away.
    #[error(transparent)]
    Inventory(#[from] CallError),
}

/// Tells one batch, if this process has the lease; answers how many were told.
pub(crate) async fn relay_outbox(shop: &Shop, holder: Uuid, by_force: bool) -> Result<usize, RelayError> {
    if !jobs::lease(&shop.db, "relay_outbox", holder, LEASE_SECONDS, by_force).await? {
        return Ok(0);
    }
    let untold = jobs::untold(&shop.db, JOB_ROWS_MAX).await?;
    if untold.is_empty() {
        return Ok(0);
    }
    // A checkout is either sold or released, and restocking sells an open hold first: their order is kept.
    let of = |wanted: fn(&News) -> bool| -> Vec<Uuid> {
        untold.iter().filter(|one| wanted(&one.news)).map(|one| one.checkout_id).collect()
    };
    let (sold, released) = (of(|news| matches!(news, News::Paid)), of(|news| matches!(news, News::Failed)));
    let restocked: Vec<_> = untold.iter().filter_map(restocked).collect();
    crash::point("before_tell");
    if let Err(error) = tell_inventory(shop, sold, released, restocked).await {
        // The others need not wait for it.
        let (mut rows, limit) = (JOB_ROWS_MAX, JOB_ROWS_MAX);
        while rows == limit {
            let (looked_at, written) = jobs::publish_without_inventory(&shop.db, limit, shop.writes_mails()).await?;
            shop.webhooks.written(written);
            rows = i64::try_from(looked_at).unwrap_or(limit);
        }
        return Err(error.into());
    }
    crash::point("before_drop_told");
    let ids: Vec<i64> = untold.iter().map(|one| one.id).collect();
    shop.webhooks.written(jobs::publish(&shop.db, &ids, shop.writes_mails()).await?);
    crash::point("after_drop_told");
    Ok(untold.len())
}

async fn tell_inventory(
    shop: &Shop,
    sold: Vec<Uuid>,
    released: Vec<Uuid>,
    restocked: Vec<RestockLine>,
) -> Result<(), CallError> {
    if !sold.is_empty() {
        shop.inventory.sell(sold).await?;
    }
    if !released.is_empty() {
        shop.inventory.release(released).await?;
    }
    if !restocked.is_empty() {
        shop.inventory.restock(restocked).await?;
    }
    Ok(())
}

fn restocked(untold: &Untold) -> Option<RestockLine> {
    if let News::Cancelled(line) = &untold.news { Some(*line) } else { None }
}
