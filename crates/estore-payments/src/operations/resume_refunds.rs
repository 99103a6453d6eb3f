//! Finishes refunds that a crash or a silent gateway left pending: the gateway is asked again with the same key.

use estore_kit::crash;
use estore_kit::db::DbError;
use jiff::Timestamp;

use super::refund_order::{book, gateway_refund};
use crate::limits::JOB_ROWS_MAX;
use crate::refund::PendingRefund;
use crate::service::Shop;
use crate::store::refunds;

/// Takes one batch further; answers how many were taken up.
pub(crate) async fn resume_refunds(shop: &Shop, alone_since: Option<Timestamp>) -> Result<usize, DbError> {
    let claimed = refunds::claim_pending(&shop.db, alone_since, JOB_ROWS_MAX).await?;
    let count = claimed.len();
    let (pending, others): (Vec<PendingRefund>, Vec<PendingRefund>) =
        claimed.into_iter().partition(|pending| pending.gateway == shop.gateway.name());
    for one in &others {
        tracing::error!(refund = %one.refund.id, gateway = one.gateway, "waits for another gateway");
    }
    if pending.is_empty() {
        return Ok(count);
    }
    tracing::info!(count = pending.len(), "resuming refunds");
    crash::point("before_resume_refund");
    let outcomes = shop.gateway.refund(pending.iter().map(gateway_refund).collect()).await;
    crash::point("after_resume_refund");
    for (pending, outcome) in pending.iter().zip(outcomes) {
        if let Err(error) = book(shop, pending, outcome).await {
            tracing::warn!(refund = %pending.refund.id, %error, "a refund stays pending");
        }
    }
    Ok(count)
}
