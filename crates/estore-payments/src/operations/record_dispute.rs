//! Hears from the gateway that a charge is disputed, or how a dispute ended. Each state is recorded once.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::continue_checkout::continue_checkout;
use super::receive_stripe_event::ReceiveError;
use crate::dispute::{DisputeNews, DisputeState};
use crate::gateway::stripe::amount::cents;
use crate::service::{Shop, now};
use crate::store::{disputes, stripe as store};

/// The longest reason that is kept, in characters, as the column has it.
const REASON_CHARACTERS_MAX: usize = 100;
/// The longest id of Stripe's that is kept, in characters, as the column has it.
const REFERENCE_CHARACTERS_MAX: usize = 255;

/// Records a dispute as Stripe tells it; one of a charge that is not ours is none of our business.
pub(crate) async fn record_dispute(shop: &Shop, object: &Value, is_closed: bool) -> Result<(), ReceiveError> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(checkout_id) = store::find_charge(&shop.db, text("payment_intent")).await? else { return Ok(()) };
    let news = read(object, checkout_id, is_closed)
        .ok_or_else(|| ReceiveError::NoEvent("the dispute lacks its id, amount, currency or time".to_owned()))?;
    // A charge is disputed after it was made, but its own event may come later than this one.
    continue_checkout(shop, checkout_id).await?;
    let told = disputes::record(&shop.db, &news, now()).await?;
    if told > 0 {
        let (dispute, state) = (&news.gateway_reference, news.state.word());
        tracing::warn!(dispute, state, checkout = %checkout_id, "a charge is disputed, or was: staff must look at it");
    }
    Ok(())
}

/// What Stripe says of a dispute; nothing where it lacks what a dispute has.
pub(crate) fn read(object: &Value, checkout_id: Uuid, is_closed: bool) -> Option<DisputeNews> {
    // PostgreSQL's text holds every character but NUL.
    let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.contains('\0'));
    let gateway_reference = text("id").filter(|id| !id.is_empty() && id.len() <= REFERENCE_CHARACTERS_MAX)?;
    let is_currency = |text: &&str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let currency = text("currency").filter(is_currency)?.to_ascii_uppercase();
    let amount = cents(&currency, object.get("amount")?.as_i64()?).filter(|amount| *amount > 0)?;
    let state = match (is_closed, text("status")) {
        (false, _) => DisputeState::Open,
        (true, Some("lost")) => DisputeState::Lost,
        // Won, or an inquiry that came to nothing.
        (true, _) => DisputeState::Won,
    };
    let opened_at = Timestamp::from_second(object.get("created")?.as_i64()?).ok()?;
    let reason = text("reason").unwrap_or("unknown").chars().take(REASON_CHARACTERS_MAX).collect();
    let gateway_reference = gateway_reference.to_owned();
    Some(DisputeNews { gateway_reference, checkout_id, amount, currency, reason, state, opened_at })
}
