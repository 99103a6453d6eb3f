//! The gateway is asked for the money, and asked again where it did not answer.

use estore_kit::batcher::BatchError;
use uuid::Uuid;

use super::PlaceError;
use crate::gateway::{BuyerAction, ClosedSale, Sale, SaleOutcome};
use crate::limits::{CLOSE_PAUSE, CLOSE_TRIES, PATIENCE_PAUSE, PATIENCE_TRIES};
use crate::service::Shop;
use crate::store::settlements::End;

/// What the gateway said, where it said anything.
pub(super) enum Charged {
    Ended(End),
    NeedsBuyer(BuyerAction),
    Authorised,
}

/// Asks the gateway once; where it does not answer, asks what became of the charge. No connection is held meanwhile.
pub(super) async fn charge(shop: &Shop, sale: Sale) -> Result<Charged, PlaceError> {
    let key = sale.key;
    let mut tries = 0;
    let outcome = loop {
        match shop.steps.charge.submit(sale.clone()).await {
            Err(BatchError::Overloaded) if tries < PATIENCE_TRIES => tries += 1,
            Err(error) => break SaleOutcome::Unknown { cause: error.to_string() },
            Ok(outcome) => break outcome,
        }
        tokio::time::sleep(PATIENCE_PAUSE).await;
    };
    match outcome {
        SaleOutcome::Captured { reference } => Ok(Charged::Ended(End::Captured(reference))),
        SaleOutcome::Refused(refusal) => Ok(Charged::Ended(End::Refused(refusal.code()))),
        SaleOutcome::Closed => Ok(Charged::Ended(End::NotMade)),
        SaleOutcome::NeedsBuyer(action) => Ok(Charged::NeedsBuyer(action)),
        SaleOutcome::Authorised { .. } => Ok(Charged::Authorised),
        SaleOutcome::Unknown { cause } => {
            tracing::info!(checkout = %key, cause, "asking what became of a charge");
            find_out(shop, key).await.map(Charged::Ended)
        }
    }
}

async fn find_out(shop: &Shop, key: Uuid) -> Result<End, PlaceError> {
    for _ in 0..CLOSE_TRIES {
        if let Some(end) = shop.gateway.close(vec![key]).await.into_iter().next().and_then(end_of) {
            return Ok(end);
        }
        tokio::time::sleep(CLOSE_PAUSE).await;
    }
    Err(PlaceError::OutcomeUnknown)
}

/// How a checkout ends, given what the gateway knows; `None` while it is silent.
pub(crate) fn end_of(closed: ClosedSale) -> Option<End> {
    match closed {
        ClosedSale::Captured { reference } => Some(End::Captured(reference)),
        ClosedSale::Refused(refusal) => Some(End::Refused(refusal.code())),
        ClosedSale::NotMade => Some(End::NotMade),
        ClosedSale::Silent { cause } => {
            tracing::warn!(cause, "the gateway does not say what became of a charge");
            None
        }
    }
}
