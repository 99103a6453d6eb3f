//! Staff say that a checkout that waits for them is to be paid: an invoice's money has come, or a card's is taken now.

use axum::http::StatusCode;
use estore_kit::db::DbError;
use estore_kit::problem::Problem;
use uuid::Uuid;

use super::place_checkout::{PlaceError, settle, settlement};
use crate::gateway::SaleOutcome;
use crate::service::Shop;
use crate::store::settlements::{By, End, Settlement};
use crate::store::waiting;

/// Why a checkout was not paid.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TakeError {
    /// It waits for nobody: its charge is under way.
    #[error("the checkout does not wait for staff")]
    NotWaiting,
    /// What was authorised is no longer to be had; the order has failed.
    #[error("the authorisation has lapsed")]
    Lapsed,
    /// The gateway does not say.
    #[error("the gateway does not answer: {0}")]
    Silent(String),
    /// It could not be settled.
    #[error(transparent)]
    Settling(#[from] PlaceError),
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<TakeError> for Problem {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::NotWaiting => {
                Self::conflict("order_in_progress", "The order's charge is under way. Try again shortly.")
                    .retry_after(1)
            }
            TakeError::Lapsed => Self::new(
                StatusCode::PAYMENT_REQUIRED,
                "payment_lapsed",
                "What the card's bank had reserved is no longer to be had. The order has failed; nothing was charged.",
            ),
            TakeError::Silent(cause) => {
                tracing::warn!(cause, "the gateway does not say whether it took the money");
                Self::unavailable("The payment gateway does not answer. Try again shortly; it charges once.")
            }
            TakeError::Settling(error) => error.into(),
            TakeError::Database(error) => error.into(),
        }
    }
}

/// Takes the money of a whole checkout, once; all its orders are paid then.
pub(crate) async fn take_payment(shop: &Shop, checkout_id: Uuid, by: By) -> Result<(), TakeError> {
    let pending = waiting::read(&shop.db, checkout_id).await?;
    let ours = pending.filter(|pending| pending.is_answered && pending.gateway == shop.gateway.name());
    let pending = ours.ok_or(TakeError::NotWaiting)?;
    let end = match shop.gateway.capture(checkout_id).await {
        SaleOutcome::Captured { reference } => End::Captured(reference),
        SaleOutcome::Refused(_) | SaleOutcome::Closed => End::Lapsed,
        SaleOutcome::Unknown { cause } => return Err(TakeError::Silent(cause)),
        SaleOutcome::NeedsBuyer(_) | SaleOutcome::Authorised { .. } => {
            return Err(TakeError::Silent("the charge is still open after it was captured".to_owned()));
        }
    };
    let has_lapsed = end == End::Lapsed;
    let settlement = Settlement { by: Some(by), ..settlement(pending.operation, pending.checkout, end) };
    settle(shop, settlement).await?;
    if has_lapsed { Err(TakeError::Lapsed) } else { Ok(()) }
}
