//! Releases holds and frees keys of checkouts that died before they were written.
//!
//! A checkout can be written only while its key row stands and says running. So: no row, no running key, no checkout,
//! ever; the hold may go. The key of a request that is too slow is fenced here first, and its writer gives up. It is
//! freed last: a retry that came before the stock is back would be refused what it holds itself.

use estore_api::inventory::OpenHoldsQuery;
use estore_api::neighbour::CallError;
use estore_kit::crash;
use estore_kit::db::DbError;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::limits::JOB_ROWS_MAX;
use crate::service::Shop;
use crate::steps::ids;
use crate::store::{jobs, keys};

/// Why a sweep ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SweepError {
    /// The database is away.
    #[error(transparent)]
    Database(#[from] DbError),
    /// InventoryService is away.
    #[error(transparent)]
    Inventory(#[from] CallError),
}

/// Sweeps what is older than `resume_after_seconds`; with `alone_since`, whatever was begun before it.
pub(crate) async fn sweep_orphans(shop: &Shop, alone_since: Option<Timestamp>) -> Result<(), SweepError> {
    let now = jobs::clock(&shop.db).await?;
    let patience = i64::from(shop.config.resume_after_seconds);
    let before = alone_since.unwrap_or(now - SignedDuration::from_secs(patience));
    let fenced = keys::fence_stale(&shop.db, before, JOB_ROWS_MAX).await?;
    if fenced > 0 {
        tracing::info!(fenced, "undoing requests that died before anything was written");
        crash::point("after_fence_keys");
    }
    undo_fenced(shop).await?;
    let age = now.duration_since(before).as_secs().saturating_add(1);
    let older_than_seconds = u32::try_from(age).unwrap_or(u32::MAX);
    let mut after: Option<Uuid> = None;
    loop {
        let limit = u32::try_from(JOB_ROWS_MAX).unwrap_or(500);
        let holds = shop.inventory.open_holds(OpenHoldsQuery { older_than_seconds, after, limit }).await?;
        let Some(last) = holds.last() else { return Ok(()) };
        after = Some(last.checkout_id);
        let dead = keys::fence_checkouts(&shop.db, &ids(&holds, |hold| hold.checkout_id)).await?;
        if !dead.is_empty() {
            tracing::info!(count = dead.len(), "releasing holds of checkouts that were never written");
            crash::point("before_sweep_release");
            shop.inventory.release(dead.clone()).await?;
            crash::point("after_sweep_release");
            keys::free(&shop.db, &dead).await?;
        }
    }
}

async fn undo_fenced(shop: &Shop) -> Result<(), SweepError> {
    loop {
        let fenced = keys::undoing(&shop.db, JOB_ROWS_MAX).await?;
        if fenced.is_empty() {
            return Ok(());
        }
        // Marks those without a hold as over too, so that a hold still on its way comes too late.
        shop.inventory.release(fenced.clone()).await?;
        crash::point("before_free_keys");
        keys::free(&shop.db, &fenced).await?;
        crash::point("after_free_keys");
    }
}
