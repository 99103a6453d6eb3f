//! Checkouts that wait for a person: the buyer whose bank wants to see them, or staff who take the money later.

use axum::http::StatusCode;
use estore_kit::crash;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::PlaceError;
use crate::answer::Answer;
use crate::checkout::{Checkout, Placement};
use crate::gateway::BuyerAction;
use crate::operations::continue_checkout::continue_checkout;
use crate::service::Shop;
use crate::steps::StepError;
use crate::store::{keys, waiting};

/// What a buyer is answered whose bank wants to see them.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActionNeeded {
    /// The checkout, which holds its stock meanwhile.
    checkout_id: Uuid,
    /// Always `requires_action`.
    #[schema(example = "requires_action")]
    status: &'static str,
    /// What the buyer's browser needs. Repeat the request with the same key when it is done.
    action: BuyerAction,
}

/// Leaves a checkout to its buyer, whose answer is not the last one and so is not stored.
pub(crate) async fn wait_for_buyer(shop: &Shop, id: Uuid, action: BuyerAction) -> Result<Answer, PlaceError> {
    let minutes = i32::try_from(shop.config.stripe.buyer_minutes).unwrap_or(i32::MAX);
    let waits = waiting::wait_for_buyer(&shop.db, id, minutes).await.map_err(StepError::from)?;
    crash::point("after_wait_for_buyer");
    if !waits {
        return Err(PlaceError::InProgress);
    }
    let needed = ActionNeeded { checkout_id: id, status: "requires_action", action };
    Ok(Answer::json(StatusCode::ACCEPTED, &needed))
}

/// Answers a buyer whose orders are placed and will be paid when staff say so.
pub(super) async fn wait_for_staff(
    shop: &Shop,
    placement: &Placement,
    checkout: Checkout,
) -> Result<Answer, PlaceError> {
    let id = checkout.id;
    let answer = checkout.placed_answer(placement.operation);
    let waits = waiting::wait_for_staff(&shop.db, id, &answer).await.map_err(StepError::from)?;
    crash::point("after_wait_for_staff");
    if waits {
        return Ok(answer);
    }
    let stored = keys::answer(&shop.db, placement.user_id, &placement.key, id).await.map_err(StepError::from)?;
    stored.ok_or(PlaceError::InProgress)
}

/// Answers a repeated request whose checkout is not settled: by what the gateway says by now, if it waits for its buyer.
pub(super) async fn answer_again(shop: &Shop, placement: &Placement) -> Result<Answer, PlaceError> {
    let found = waiting::of_key(&shop.db, placement.user_id, &placement.key).await.map_err(StepError::from)?;
    let id = found.ok_or(PlaceError::InProgress)?;
    if let Some(answer) = continue_checkout(shop, id).await? {
        return Ok(answer);
    }
    let stored = keys::answer(&shop.db, placement.user_id, &placement.key, id).await.map_err(StepError::from)?;
    stored.ok_or(PlaceError::InProgress)
}
