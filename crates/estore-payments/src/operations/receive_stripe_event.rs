//! Hears of an event from Stripe. What it says of charges and refunds is not believed: they are looked up, so events may
//! come late, in any order and more than once. What it says of disputes is, for its signature; the end of one is final.

use estore_kit::crash;
use estore_kit::db::DbError;
use estore_kit::problem::Problem;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::continue_checkout::continue_checkout;
use super::place_checkout::PlaceError;
use super::record_dispute::record_dispute;
use crate::gateway::stripe::signature::{self, Distrust};
use crate::service::Shop;
use crate::store::stripe as store;

/// Why an event was not heard; Stripe sends it again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    /// It is not Stripe's, or not of now.
    #[error(transparent)]
    Distrusted(#[from] Distrust),
    /// It is signed, and no event.
    #[error("not an event: {0}")]
    NoEvent(String),
    /// What it is about cannot be looked up right now.
    #[error(transparent)]
    NotNow(#[from] PlaceError),
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<ReceiveError> for Problem {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Distrusted(distrust) => {
                tracing::info!(%distrust, "an event that says it is Stripe's was refused");
                Self::bad_request("invalid_signature", format!("Not accepted: {distrust}."))
            }
            ReceiveError::NoEvent(cause) => Self::bad_request("invalid_event", format!("Not an event: {cause}.")),
            ReceiveError::NotNow(_) => Self::unavailable("What the event is about cannot be looked up yet."),
            ReceiveError::Database(error) => error.into(),
        }
    }
}

/// What Stripe tells of.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    created: i64,
    #[serde(default)]
    data: Data,
}

#[derive(Debug, Default, Deserialize)]
struct Data {
    #[serde(default)]
    object: Value,
}

impl Event {
    /// Reads what Stripe signed.
    pub(crate) fn read(body: &[u8]) -> Result<Self, ReceiveError> {
        let event: Self = serde_json::from_slice(body).map_err(|error| ReceiveError::NoEvent(error.to_string()))?;
        let is_word = |text: &str| text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !event.id.starts_with("evt_") || !is_word(&event.id) || !is_word(&event.kind) {
            return Err(ReceiveError::NoEvent("its id or type is not one of Stripe's".to_owned()));
        }
        Ok(event)
    }

    /// What it is about.
    pub(crate) fn object(&self) -> &Value {
        &self.data.object
    }

    /// Our own key that the thing was made with.
    pub(crate) fn key(&self, name: &str) -> Option<Uuid> {
        self.object().get("metadata")?.get(name)?.as_str()?.parse().ok()
    }
}

/// Checks whose event it is and lets it have its effect, unless it has had it.
pub(crate) async fn receive_stripe_event(shop: &Shop, header: &str, body: &[u8]) -> Result<(), ReceiveError> {
    let secret = shop.webhook_secret.as_ref().ok_or(Distrust::Malformed)?;
    signature::check(secret, header, body, Timestamp::now().as_second())?;
    let event = Event::read(body)?;
    if store::is_handled(&shop.db, &event.id).await? {
        return Ok(());
    }
    match event.kind.as_str() {
        "payment_intent.succeeded" | "payment_intent.payment_failed" | "payment_intent.canceled" => {
            if let Some(checkout) = event.key("estore_checkout") {
                continue_checkout(shop, checkout).await?;
            }
        }
        "charge.dispute.created" | "charge.dispute.closed" => {
            record_dispute(shop, event.object(), event.kind == "charge.dispute.closed").await?;
        }
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            let has_failed = event.object().get("status").and_then(Value::as_str) == Some("failed");
            if let Some(refund) = event.key("estore_refund") {
                store::hurry_refund(&shop.db, refund, has_failed).await?;
            }
        }
        _ => {}
    }
    crash::point("before_note_stripe_event");
    // Only now: an event whose effect failed half way comes again.
    store::note_handled(&shop.db, &event.id, &event.kind, event.created).await?;
    crash::point("after_note_stripe_event");
    Ok(())
}
