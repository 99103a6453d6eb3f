//! Deliveries leave, at least once each: claimed → posted → written down.
//!
//! Each endpoint has room for a few at a time, so one that never answers holds up its own deliveries only. Of one order
//! a delivery leaves when the one before it has ended.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use estore_kit::batcher::Batcher;
use estore_kit::crash;
use estore_kit::db::{Db, DbError};
use estore_kit::metrics::Page;
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::PaymentsConfig;
use crate::limits::{
    ATTEMPTS_ENDED, ATTEMPTS_ENDED_TRIES, DELIVER_EVERY, DELIVER_PAUSE, HOUSEKEEPING_EVERY, JOB_ROWS_MAX,
    PATIENCE_PAUSE, WEBHOOK_ERROR_CHARACTERS_MAX,
};
use crate::personal::opened_body;
use crate::service::Shop;
use crate::store::webhooks;
use crate::webhook::sender::{SendError, Sender};
use crate::webhook::signing::SigningKey;
use crate::webhook::{Attempt, DeliveryState, DueDelivery, wait_ms};

/// What delivering needs.
pub(crate) struct Webhooks {
    pub(crate) sender: Sender,
    ended: Batcher<Attempt, ()>,
    /// Rung when a delivery has been written.
    bell: Notify,
}

impl Webhooks {
    /// Opens the key and starts the writer, or says what is wrong with the configuration.
    pub(crate) fn start(db: &Db, config: &PaymentsConfig) -> Result<Self, String> {
        let path = &config.webhook_key_file;
        let key = if path.as_os_str().is_empty() { SigningKey::passing() } else { SigningKey::open(path)? };
        let sender = Sender::new(key, config.webhooks_allow_private)?;
        let db = db.clone();
        let ended = Batcher::start(ATTEMPTS_ENDED, move |attempts: Vec<Attempt>| {
            let db = db.clone();
            async move { write_down(&db, attempts).await }
        });
        Ok(Self { sender, ended, bell: Notify::new() })
    }

    /// Shows how writing down the ends of attempts does.
    pub(crate) fn show(&self, page: &mut Page) {
        self.ended.figures().show(page, "payments", "write_attempts");
    }

    /// Says that so many deliveries have been written.
    pub(crate) fn written(&self, deliveries: u64) {
        if deliveries > 0 {
            self.bell.notify_one();
        }
    }
}

/// Where this fails for good, the deliveries are claimed and made again.
async fn write_down(db: &Db, attempts: Vec<Attempt>) -> Vec<()> {
    for _ in 0..ATTEMPTS_ENDED_TRIES {
        match webhooks::settle(db, &attempts).await {
            Ok(()) => {
                crash::point("after_write_deliveries");
                break;
            }
            Err(error) => tracing::warn!(%error, "cannot write down how webhook deliveries ended"),
        }
        sleep(PATIENCE_PAUSE).await;
    }
    vec![(); attempts.len()]
}

/// Delivers whatever is due until `shutdown`; what is under way then is finished. Where it is `alone`, what an earlier
/// process had in hand is delivered at once.
pub(crate) async fn run(shop: &Arc<Shop>, shutdown: &CancellationToken, alone: bool) {
    let mut has_taken_over = !alone;
    let mut under_way = UnderWay::default();
    let mut next_look = Instant::now() + HOUSEKEEPING_EVERY / 60;
    while !shutdown.is_cancelled() {
        if !has_taken_over {
            has_taken_over = webhooks::take_over(&shop.db, shop.started_at).await.is_ok();
        }
        if let Err(error) = begin_due(shop, &mut under_way).await {
            tracing::warn!(%error, "cannot claim webhook deliveries");
        }
        if next_look <= Instant::now() {
            next_look = Instant::now() + HOUSEKEEPING_EVERY / 60;
            if let Err(error) = look_after(shop).await {
                tracing::warn!(%error, "cannot look after webhook deliveries");
            }
        }
        tokio::select! {
            () = under_way.one_ends() => sleep(DELIVER_PAUSE).await,
            () = shop.webhooks.bell.notified() => {}
            () = sleep(DELIVER_EVERY) => {}
            () = shutdown.cancelled() => {}
        }
        under_way.forget_ended();
    }
    while !under_way.tasks.is_empty() {
        under_way.one_ends().await;
    }
}

/// What was written in the moment of its endpoint's end goes to nobody; what waits for nobody goes now.
pub(crate) async fn look_after(shop: &Shop) -> Result<(), DbError> {
    while webhooks::abandon_forgotten(&shop.db, JOB_ROWS_MAX).await? > 0 {}
    let count = webhooks::promote_forgotten(&shop.db).await?;
    if count > 0 {
        tracing::warn!(count, "webhook deliveries waited for nobody");
    }
    Ok(())
}

async fn begin_due(shop: &Arc<Shop>, under_way: &mut UnderWay) -> Result<(), DbError> {
    let claimed = webhooks::claim(&shop.db, &under_way.counts()).await?;
    if !claimed.is_empty() {
        crash::point("after_claim_deliveries");
    }
    for due in claimed {
        let (endpoint, shop) = (due.endpoint_id, Arc::clone(shop));
        let task = under_way.tasks.spawn(async move { deliver(&shop, due).await });
        under_way.endpoints.insert(task.id(), endpoint);
    }
    Ok(())
}

async fn deliver(shop: &Shop, mut due: DueDelivery) {
    let opened = opened_body(&shop.fields, &due.body).map(Cow::into_owned);
    let sent = match opened {
        Ok(body) => {
            due.body = body;
            shop.webhooks.sender.send(&due).await
        }
        Err(error) => Err(SendError { status: None, cause: error.to_string(), retry_after: None }),
    };
    crash::point("after_post_delivery");
    let attempt = judged(&shop.config.webhook_retry_seconds, &due, sent);
    let mut tries = 0;
    while shop.webhooks.ended.submit(attempt.clone()).await.is_err() && tries < ATTEMPTS_ENDED_TRIES {
        tries += 1;
        sleep(PATIENCE_PAUSE).await;
    }
}

fn judged(schedule: &[u32], due: &DueDelivery, sent: Result<u16, SendError>) -> Attempt {
    let (status, failure) = match sent {
        Ok(status) => (Some(status), None),
        Err(failure) => (failure.status, Some(failure)),
    };
    let is_gone = status == Some(StatusCode::GONE.as_u16());
    // Its endpoint's end is what ends it: one that has moved meanwhile gets it at its new address.
    let wait = wait_ms(schedule, due.attempts, rand::random_range(0..=200));
    let (state, wait_ms) = match (&failure, wait) {
        (None, _) => (DeliveryState::Delivered, 0),
        // Never earlier than our own schedule, which is what ends it after so many attempts.
        (Some(SendError { retry_after, .. }), Some(wait)) => {
            (DeliveryState::Pending, wait.max(retry_after.unwrap_or(0).saturating_mul(1_000)))
        }
        (Some(_), None) => (DeliveryState::Dead, 0),
    };
    let error = failure.map(|failure| failure.cause);
    if let Some(error) = &error {
        let (delivery, endpoint, attempts) = (due.id, due.endpoint_id, due.attempts);
        tracing::info!(delivery, %endpoint, attempts, error, state = state.word(), "a webhook was not delivered");
    }
    let error = error.map(|text| text.chars().filter(|c| *c != '\0').take(WEBHOOK_ERROR_CHARACTERS_MAX).collect());
    let status = status.and_then(|status| i16::try_from(status).ok());
    let gone = is_gone.then(|| (due.endpoint_id, due.url.clone()));
    Attempt { delivery: due.id, attempts: due.attempts, state, status, error, wait_ms, gone }
}

/// The deliveries in hand.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<()>,
    endpoints: HashMap<Id, Uuid>,
}

impl UnderWay {
    fn counts(&self) -> Vec<(Uuid, i64)> {
        let mut counts: HashMap<Uuid, i64> = HashMap::new();
        self.endpoints.values().for_each(|endpoint| *counts.entry(*endpoint).or_default() += 1);
        counts.into_iter().collect()
    }

    /// Never, where none is in hand.
    async fn one_ends(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.forget(ended),
            None => std::future::pending().await,
        }
    }

    fn forget_ended(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(ended);
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "a webhook delivery panicked");
                error.id()
            }
        };
        self.endpoints.remove(&id);
    }
}
