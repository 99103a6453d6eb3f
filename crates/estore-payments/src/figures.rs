//! What PaymentService tells of itself, for Prometheus.

use estore_kit::audit::show_unsealed;
use estore_kit::db::DbError;
use estore_kit::metrics::{Counter, CountersBy, Family, OUTBOX, Page};

use crate::limits::{BACKLOG_ROWS_MAX, CHECKOUTS_UNDER_WAY_MAX};
use crate::service::{Payments, Shop};
use crate::steps::Outcomes;
use crate::store::checkouts::Written;
use crate::store::settlements::{End, Settled, Settlement};

const MEASURE: &str = include_str!("../queries/measure_backlog.sql");

const ANSWERS: Family = Family::counter(
    "estore_checkout_answers_total",
    "Answers to requests that place an order: placed, replayed, or the code of the problem.",
);
const SETTLED: Family =
    Family::counter("estore_checkouts_settled_total", "Checkouts that came to an end, by what became of their charge.");
const WRITTEN: Family =
    Family::counter("estore_orders_written_total", "Orders written, one for each line of a checkout.");
const UNDER_WAY: Family = Family::gauge("estore_checkouts_under_way", "Requests for checkouts being worked on.");
const UNDER_WAY_MAX: Family =
    Family::gauge("estore_checkouts_under_way_max", "How many are worked on at a time; more are sent away.");

/// What waits, by column.
const BACKLOG: &[(&str, Family)] = &[
    ("pending", Family::gauge("estore_checkouts_pending", "Checkouts whose charge is not settled.")),
    ("pending_seconds", Family::gauge("estore_checkouts_pending_oldest_seconds", "Age of the oldest of them.")),
    ("waiting", Family::gauge("estore_checkouts_waiting", "Checkouts that wait for their buyer or for staff.")),
    (
        "attention",
        Family::gauge(
            "estore_checkouts_needing_attention",
            "Checkouts of which the gateway does not tell the outcome.",
        ),
    ),
    ("attention_seconds", Family::gauge("estore_checkouts_needing_attention_oldest_seconds", "Age of the oldest.")),
    ("refunds", Family::gauge("estore_refunds_pending", "Refunds that the gateway has not confirmed.")),
    ("refunds_attention", Family::gauge("estore_refunds_needing_attention", "Refunds that did not reach their buyer.")),
    ("deliveries", Family::gauge("estore_webhook_deliveries_waiting", "Webhook deliveries still to be made.")),
    ("deliveries_seconds", Family::gauge("estore_webhook_deliveries_oldest_seconds", "Age of the oldest of them.")),
    ("dead", Family::gauge("estore_webhook_deliveries_dead", "Webhook deliveries that were given up and are kept.")),
];

/// Counted in this process since its start.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) answers: CountersBy,
    settled: CountersBy,
    orders_written: Counter,
}

impl Figures {
    /// Orders were written, of those checkouts that have ids of them.
    pub(crate) fn written(&self, outcomes: &Outcomes<Written>) {
        for outcome in outcomes {
            let Ok(Written::Orders(ids)) = outcome else { continue };
            self.orders_written.add(u64::try_from(ids.len()).unwrap_or_default());
        }
    }

    /// Checkouts came to their end, if their outcome says that they had not before.
    pub(crate) fn settled(&self, settlements: &[Settlement], outcomes: &Outcomes<Settled>) {
        let ended = settlements.iter().zip(outcomes).filter(|(_, outcome)| matches!(outcome, Ok(Settled::Now)));
        for (settlement, _) in ended {
            self.settled.count(match settlement.end {
                End::Captured(_) => "captured",
                End::Refused(_) => "refused",
                End::NotMade => "not_made",
                End::Cancelled => "cancelled",
                End::Lapsed => "lapsed",
            });
        }
    }
}

impl Payments {
    /// Shows what this process has counted, and how its steps do.
    pub fn show_figures(&self, page: &mut Page) {
        let Shop { figures, steps, places, webhooks, .. } = &*self.shop;
        for (outcome, count) in figures.answers.values() {
            page.sample(&ANSWERS, &[("outcome", outcome)], count);
        }
        for (end, count) in figures.settled.values() {
            page.sample(&SETTLED, &[("end", end)], count);
        }
        page.sample(&WRITTEN, &[], figures.orders_written.value());
        page.sample(&UNDER_WAY, &[], CHECKOUTS_UNDER_WAY_MAX - places.available_permits());
        page.sample(&UNDER_WAY_MAX, &[], CHECKOUTS_UNDER_WAY_MAX);
        steps.show(page);
        webhooks.show(page);
    }

    /// Shows what waits in the database.
    ///
    /// # Errors
    /// When the database does not work.
    pub async fn show_backlog(&self, page: &mut Page) -> Result<(), DbError> {
        let row = self.shop.db.row(MEASURE, &[&BACKLOG_ROWS_MAX]).await?;
        if let Some(row) = row {
            page.row(OUTBOX, &[("service", "payments")], &row);
            page.row(BACKLOG, &[], &row);
        }
        show_unsealed(&self.shop.db, "payments", page).await
    }
}
