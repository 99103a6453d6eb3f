//! Finishes checkouts that were written and not settled: the gateway is asked what became of their charge.
//!
//! It is asked to close the charge's key: what was not made by then never will be, so a process that is only slow
//! cannot charge for a checkout that has been given up here.

use estore_kit::crash;
use estore_kit::db::DbError;
use futures_util::future::join_all;
use jiff::Timestamp;
use uuid::Uuid;

use super::place_checkout::{end_of, settlement};
use crate::limits::{ATTEMPTS_BEFORE_ATTENTION, JOB_ROWS_MAX};
use crate::service::Shop;
use crate::steps::ids;
use crate::store::checkouts::{self, Pending};
use crate::store::settlements::Settlement;

/// Takes one batch further; answers how many were taken up.
pub(crate) async fn resume_checkouts(shop: &Shop, alone_since: Option<Timestamp>) -> Result<usize, DbError> {
    let claimed = checkouts::claim_pending(&shop.db, alone_since, JOB_ROWS_MAX).await?;
    let count = claimed.len();
    let (ours, others): (Vec<Pending>, Vec<Pending>) =
        claimed.into_iter().partition(|pending| pending.gateway == shop.gateway.name());
    for pending in &others {
        tracing::error!(checkout = %pending.checkout.id, gateway = pending.gateway, "waits for another gateway");
    }
    if ours.is_empty() {
        return Ok(count);
    }
    tracing::info!(count, "resuming checkouts");
    crash::point("before_resume_close");
    let closed = shop.gateway.close(ids(&ours, |pending| pending.checkout.id)).await;
    crash::point("after_resume_close");
    let settlements = ours.into_iter().zip(closed).filter_map(|(pending, closed)| {
        let id = pending.checkout.id;
        let end = end_of(closed);
        if end.is_none() && i32::from(pending.attempts) == ATTEMPTS_BEFORE_ATTENTION {
            tracing::error!(checkout = %id, "the gateway stays silent about a charge: staff must look at it");
        }
        let (waits, settlement) = (pending.waits, settlement(pending.operation, pending.checkout, end?));
        // A buyer who was sent to the bank and did not come back is told so; any other was cut off by a crash.
        Some(settle(shop, id, if waits { settlement } else { settlement.frees_key_if_not_made() }))
    });
    // All at once, so that they share commits: one by one, what a busy process left would take as many.
    join_all(settlements).await;
    crash::point("after_resume");
    shop.wake_relay.notify_one();
    Ok(count)
}

async fn settle(shop: &Shop, id: Uuid, settlement: Settlement) {
    match shop.steps.settle.submit(settlement).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(checkout = %id, %error, "a checkout stays pending"),
        Err(error) => tracing::warn!(checkout = %id, %error, "a checkout stays pending"),
    }
}
