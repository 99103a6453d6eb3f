//! Outgoing webhooks: where events go, how each delivery stands, and when it is tried again.

use std::ops::RangeInclusive;

use estore_kit::secret::Secret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::event::EventType;

pub(crate) mod address;
pub(crate) mod sender;
pub(crate) mod signing;

/// A place that hears of events.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WebhookEndpoint {
    /// The endpoint.
    pub(crate) id: Uuid,
    /// Where deliveries are posted.
    #[schema(example = "https://erp.example.com/hooks/estore")]
    pub(crate) url: String,
    /// What it hears of.
    pub(crate) events: Vec<EventType>,
    /// What it is for.
    pub(crate) description: Option<String>,
    /// Whether it is delivered to; one that is deleted or paused is not, and no deliveries are written for it.
    pub(crate) is_active: bool,
    /// Why it is not delivered to: paused by whom, or gone by its receiver's own word.
    pub(crate) inactive_reason: Option<String>,
    /// Until when the secrets before the present one sign too.
    pub(crate) old_secret_until: Option<Timestamp>,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it was last changed.
    pub(crate) updated_at: Option<Timestamp>,
}

/// An endpoint with the secret that its deliveries are signed with from now on, shown this once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WebhookEndpointWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    pub(crate) endpoint: WebhookEndpoint,
    /// Verifies signatures of the Standard Webhooks kind; it is not shown again.
    #[schema(value_type = String, example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDRz3y3S1CBQA=")]
    pub(crate) secret: Secret,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    /// Behind an earlier one of the same order, user or product.
    Waiting,
    /// Due, or to be tried again.
    Pending,
    /// The receiver answered 2xx.
    Delivered,
    /// Given up; it can be replayed.
    Dead,
}

impl DeliveryState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Pending, Self::Delivered, Self::Dead];

    /// The word in the database and in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    /// The state of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// One event on its way to one endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WebhookDelivery {
    /// The delivery.
    pub(crate) id: i64,
    /// Where it goes.
    pub(crate) endpoint_id: Uuid,
    /// The event, sent as `webhook-id`: the same however often it is sent.
    pub(crate) event_id: Uuid,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "order.paid")]
    pub(crate) kind: String,
    /// What it happened to; deliveries of one subject go out in order.
    #[schema(example = "order/12")]
    pub(crate) subject: String,
    /// How it stands.
    pub(crate) state: DeliveryState,
    /// How often it was tried since it was made or last replayed.
    pub(crate) attempts: i16,
    /// When it is tried next.
    pub(crate) next_attempt_at: Option<Timestamp>,
    /// When it was last tried.
    pub(crate) last_attempt_at: Option<Timestamp>,
    /// The status of the last answer.
    pub(crate) last_status: Option<i16>,
    /// Why the last attempt failed.
    pub(crate) last_error: Option<String>,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it was delivered or given up.
    pub(crate) ended_at: Option<Timestamp>,
    /// What is posted.
    #[schema(value_type = Object)]
    pub(crate) payload: serde_json::Value,
}

/// A delivery in hand.
#[derive(Debug, Clone)]
pub(crate) struct DueDelivery {
    pub(crate) id: i64,
    pub(crate) endpoint_id: Uuid,
    pub(crate) event_id: Uuid,
    /// This one counts.
    pub(crate) attempts: i16,
    pub(crate) url: String,
    pub(crate) body: String,
    /// Which of the endpoint's secrets sign, the newest last.
    pub(crate) secret_versions: RangeInclusive<i32>,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) delivery: i64,
    pub(crate) attempts: i16,
    pub(crate) state: DeliveryState,
    pub(crate) status: Option<i16>,
    pub(crate) error: Option<String>,
    /// Until the next attempt, in milliseconds.
    pub(crate) wait_ms: i64,
    /// The endpoint and its address, where the receiver said that there will be none any more.
    pub(crate) gone: Option<(Uuid, String)>,
}

/// How long after a failed attempt (from 1) the next one follows, in milliseconds, spread by a tenth either way by
/// `spread` (0 to 200); `None` when that was the last.
pub(crate) fn wait_ms(schedule_seconds: &[u32], attempt: i16, spread: i64) -> Option<i64> {
    let nth = usize::try_from(attempt).ok()?.checked_sub(1)?;
    let seconds = i64::from(*schedule_seconds.get(nth)?);
    Some(seconds * (900 + spread.clamp(0, 200)))
}

#[cfg(test)]
mod tests {
    use super::wait_ms;
    use crate::config::PaymentsConfig;

    #[test]
    fn attempts_spread_over_three_days_and_end() {
        let schedule = PaymentsConfig::default().webhook_retry_seconds;
        let total: i64 = (1..).map_while(|attempt| wait_ms(&schedule, attempt, 100)).sum();
        let hours = total / 3_600_000;
        assert!((70..=74).contains(&hours), "{hours} hours");
        assert_eq!(wait_ms(&[10], 1, 0), Some(9_000));
        assert_eq!(wait_ms(&[10], 1, 200), Some(11_000));
        assert_eq!(wait_ms(&[10], 2, 0), None);
    }
}
