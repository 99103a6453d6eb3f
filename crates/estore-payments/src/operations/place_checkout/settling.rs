//! The last step of a checkout, taken by its request, by the resumer, or by the gateway's own word.

use estore_kit::batcher::BatchError;
use estore_kit::crash;
use estore_kit::problem::Problem;

use super::{PlaceError, release};
use crate::answer::Answer;
use crate::checkout::{Checkout, Operation};
use crate::limits::{PATIENCE_PAUSE, PATIENCE_TRIES};
use crate::service::{Shop, now};
use crate::steps::StepError;
use crate::store::settlements::{End, Settled, Settlement};

/// The end of a checkout with the answer that its buyer gets.
pub(crate) fn settlement(operation: Operation, checkout: Checkout, end: End) -> Settlement {
    let (checkout_id, at) = (checkout.id, now());
    let answer = match &end {
        End::Captured(_) => checkout.paid_answer(operation, at),
        End::Refused(code) => Problem::from(PlaceError::NotCharged(code)).into(),
        // The last two are stored only where the buyer has not been answered yet.
        End::NotMade | End::Cancelled | End::Lapsed => Problem::from(PlaceError::NotCharged("charge_not_made")).into(),
    };
    Settlement { checkout_id, end, answer: Some(answer), at, by: None, charged: None }
}

/// Settles a checkout; its answer, or `None` where it had been settled before or its key is to be free.
pub(crate) async fn settle(shop: &Shop, settlement: Settlement) -> Result<Option<Answer>, PlaceError> {
    let (id, answer) = (settlement.checkout_id, settlement.answer.clone());
    let is_paid = matches!(settlement.end, End::Captured(_));
    let mut tries = 0;
    let settled = loop {
        match shop.steps.settle.submit(settlement.clone()).await {
            Err(BatchError::Overloaded) if tries < PATIENCE_TRIES => tries += 1,
            outcome => break outcome.map_err(StepError::from)??,
        }
        tokio::time::sleep(PATIENCE_PAUSE).await;
    };
    if settled == Settled::ChargeUncarried {
        return Err(PlaceError::Uncarried);
    }
    crash::point("after_settle");
    shop.wake_relay.notify_one();
    let is_settled = settled == Settled::Now;
    if is_settled && !is_paid {
        // The relay would do it too, some moments after the buyer has heard.
        release(shop, id).await;
    }
    Ok(answer.filter(|_| is_settled))
}
