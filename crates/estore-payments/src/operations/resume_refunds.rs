//! Finishes refunds that a crash or a silent gateway left pending: the gateway is asked again with the same key.

use estore_kit::crash;
use estore_kit::db::DbError;
use jiff::Timestamp;

use super::refund_order::{book, gateway_refund};
use crate::limits::JOB_ROWS_MAX;
use crate::service::Shop;
use crate::store::refunds;

/// Takes one batch further; answers how many were taken up.
pub(crate) async fn resume_refunds(shop: &Shop, alone_since: Option<Timestamp>) -> Result<usize, DbError> {
    let pending = refunds::claim_pending(&shop.db, alone_since, JOB_ROWS_MAX).await?;
    if pending.is_empty() {
        return Ok(0);
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
    Ok(pending.len())
}
