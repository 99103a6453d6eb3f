//! Takes a pending checkout on from where the gateway says it stands, without closing it.

use uuid::Uuid;

use super::place_checkout::waiting::wait_for_buyer;
use super::place_checkout::{PlaceError, settle, settlement};
use crate::answer::Answer;
use crate::gateway::SaleOutcome;
use crate::service::Shop;
use crate::steps::StepError;
use crate::store::settlements::End;
use crate::store::waiting;

/// The answer for its buyer, or `None` where the checkout is not pending, or goes on by itself.
pub(crate) async fn continue_checkout(shop: &Shop, id: Uuid) -> Result<Option<Answer>, PlaceError> {
    let pending = waiting::read(&shop.db, id).await.map_err(StepError::from)?;
    let Some(pending) = pending.filter(|pending| pending.gateway == shop.gateway.name()) else { return Ok(None) };
    let end = match shop.gateway.look_up(id).await {
        SaleOutcome::Captured { reference } => End::Captured(reference),
        SaleOutcome::Refused(_) | SaleOutcome::Closed if pending.is_answered => End::Lapsed,
        SaleOutcome::Refused(refusal) => End::Refused(refusal.code()),
        SaleOutcome::Closed => End::NotMade,
        SaleOutcome::NeedsBuyer(action) => return wait_for_buyer(shop, id, action).await.map(Some),
        SaleOutcome::Authorised { .. } => return Ok(None),
        SaleOutcome::Unknown { cause } => {
            tracing::info!(checkout = %id, cause, "the gateway does not say yet where a charge stands");
            return Err(PlaceError::InProgress);
        }
    };
    let (waits, settlement) = (pending.waits, settlement(pending.operation, pending.checkout, end));
    settle(shop, if waits { settlement } else { settlement.frees_key_if_not_made() }).await
}
