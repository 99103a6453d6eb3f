//! What PaymentService keeps for a time only.

use std::time::Duration;

use estore_kit::purge::Purge;

use crate::config::PaymentsConfig;
use crate::limits::{DEAD_KEPT_DAYS, DELIVERED_KEPT_DAYS, STRIPE_EVENTS_KEPT_DAYS};

macro_rules! purge {
    ($name:literal, $what:literal, $kept:expr) => {
        Purge {
            name: $name,
            what: $what,
            kept: $kept,
            count: include_str!(concat!("../queries/count_purged_", $name, ".sql")),
            remove: include_str!(concat!("../queries/purge_", $name, ".sql")),
        }
    };
}

/// What has ended and may go, with the times that the configuration gives.
#[must_use]
pub fn purges(config: &PaymentsConfig) -> Vec<Purge> {
    let (hours, days) = (|n: u32| Duration::from_secs(u64::from(n) * 3_600), |n| Duration::from_secs(n * 86_400));
    vec![
        purge!("keys", "finished idempotency keys", hours(config.keys_kept_hours)),
        purge!("stripe_events", "Stripe's events that have had their effect", days(STRIPE_EVENTS_KEPT_DAYS)),
        purge!("delivered_webhooks", "delivered webhook deliveries", days(DELIVERED_KEPT_DAYS)),
        purge!("dead_webhooks", "dead webhook deliveries", days(DEAD_KEPT_DAYS)),
    ]
}
