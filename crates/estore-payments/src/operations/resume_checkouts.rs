//! Finishes checkouts that were written and not settled: the gateway is asked what became of their charge.
//!
//! It is asked to close the charge's key: what was not made by then never will be, so a process that is only slow
//! cannot charge for a checkout that has been given up here.

use estore_kit::crash;
use estore_kit::db::DbError;
use jiff::Timestamp;

use super::place_checkout::{end_of, settlement};
use crate::limits::{ATTEMPTS_BEFORE_ATTENTION, JOB_ROWS_MAX};
use crate::service::Shop;
use crate::steps::ids;
use crate::store::checkouts::{self, Pending};

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
    for (pending, closed) in ours.into_iter().zip(closed) {
        let id = pending.checkout.id;
        let Some(end) = end_of(closed) else {
            if i32::from(pending.attempts) == ATTEMPTS_BEFORE_ATTENTION {
                tracing::error!(checkout = %id, "the gateway stays silent about a charge: staff must look at it");
            }
            continue;
        };
        let settled = shop.steps.settle.submit(settlement(pending.operation, pending.checkout, end)).await;
        match settled {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(checkout = %id, %error, "a checkout stays pending"),
            Err(error) => tracing::warn!(checkout = %id, %error, "a checkout stays pending"),
        }
    }
    crash::point("after_resume");
    shop.wake_relay.notify_one();
    Ok(count)
}
