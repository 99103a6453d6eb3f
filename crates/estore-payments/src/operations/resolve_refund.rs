//! Staff have a refund looked at now that did not reach its buyer: the gateway is asked again for a pending one, with the
//! same key; one that has ended badly is taken off the list, for its money went another way.

use estore_kit::db::DbError;
use estore_kit::problem::Problem;
use uuid::Uuid;

use super::refund_order::{RefundError, pay_out};
use crate::attention::StuckRefund;
use crate::service::{Shop, now};
use crate::store::attention;

/// Why a refund stays as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    /// There is no such refund.
    #[error("no such refund")]
    NoRefund,
    /// It is under way, and goes on by itself.
    #[error("the refund needs nobody")]
    NotStuck,
    /// The gateway still does not say.
    #[error("the gateway stays silent")]
    Silent,
    /// It could not be booked.
    #[error(transparent)]
    Booking(RefundError),
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<ResolveError> for Problem {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::NoRefund => Self::not_found("refund"),
            ResolveError::NotStuck => {
                Self::conflict("nothing_to_resolve", "The refund needs nobody: it goes on by itself, or is over.")
                    .retry_after(5)
            }
            ResolveError::Silent => {
                Self::unavailable("The payment gateway still does not say what became of the refund. Nothing changed.")
                    .retry_after(30)
            }
            ResolveError::Booking(error) => error.into(),
            ResolveError::Database(error) => error.into(),
        }
    }
}

/// Looks at it once; the refund as it is then.
pub(crate) async fn resolve_refund(shop: &Shop, id: Uuid) -> Result<StuckRefund, ResolveError> {
    let (refund, pending) = attention::read_refund(&shop.db, id).await?.ok_or(ResolveError::NoRefund)?;
    if refund.needs_attention_since.is_none() {
        return Err(ResolveError::NotStuck);
    }
    match pending {
        None => attention::settle_refund(&shop.db, id, now()).await?,
        Some(pending) => {
            // Noted first: whatever comes of it, it was asked for.
            attention::note_asked_again(&shop.db, id).await?;
            match pay_out(shop, &pending).await {
                Ok(_) => {}
                Err(RefundError::OutcomeUnknown) => return Err(ResolveError::Silent),
                Err(error) => return Err(ResolveError::Booking(error)),
            }
        }
    }
    let (refund, _) = attention::read_refund(&shop.db, id).await?.ok_or(ResolveError::NoRefund)?;
    Ok(refund)
}
