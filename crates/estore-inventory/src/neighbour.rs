//! What InventoryService does for its neighbours, in this process.

use async_trait::async_trait;
use estore_api::inventory::{HoldOutcome, HoldRequest, InventoryApi, OpenHold, OpenHoldsQuery, RestockLine};
use estore_api::neighbour::CallError;
use futures_util::future::join_all;
use uuid::Uuid;

use crate::Inventory;
use crate::limits::CALL_ROWS_MAX;
use crate::operations::list_open_holds::list_open_holds;
use crate::operations::release_stock::release_stock;
use crate::operations::restock::restock;
use crate::operations::sell_stock::sell_stock;

fn failed(cause: impl ToString) -> CallError {
    CallError { service: "inventory", cause: cause.to_string() }
}

#[async_trait]
impl InventoryApi for Inventory {
    async fn hold(&self, holds: Vec<HoldRequest>) -> Result<Vec<HoldOutcome>, CallError> {
        // Each meets the holds of other callers in a batch; all of ours are queued before the first is waited for.
        let outcomes = join_all(holds.into_iter().map(|hold| self.holds.submit(hold))).await;
        outcomes.into_iter().map(|outcome| outcome.map_err(failed)?.map_err(failed)).collect()
    }

    async fn release(&self, checkouts: Vec<Uuid>) -> Result<(), CallError> {
        for some in checkouts.chunks(CALL_ROWS_MAX) {
            release_stock(&self.db, some).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn sell(&self, checkouts: Vec<Uuid>) -> Result<(), CallError> {
        for some in checkouts.chunks(CALL_ROWS_MAX) {
            sell_stock(&self.db, some).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn restock(&self, lines: Vec<RestockLine>) -> Result<(), CallError> {
        for some in lines.chunks(CALL_ROWS_MAX) {
            restock(&self.db, some).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn open_holds(&self, query: OpenHoldsQuery) -> Result<Vec<OpenHold>, CallError> {
        list_open_holds(&self.db, query).await.map_err(failed)
    }
}
