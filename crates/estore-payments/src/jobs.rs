//! What runs besides requests: the relay, the resumer, the sweep of orphans, the housekeeping.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use estore_kit::db::DbError;
use estore_kit::request;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::limits::{
    HOUSEKEEPING_EVERY, JOB_ROWS_MAX, PARTITION_MONTHS_AHEAD, RELAY_EVERY, RELAY_PAUSE, RESUME_EVERY, SWEEP_EVERY,
};
use crate::operations::deliver_webhooks;
use crate::operations::erase_customers::erase_latecomers;
use crate::operations::forget_cards::forget_cards;
use crate::operations::relay_outbox::relay_outbox;
use crate::operations::resume_checkouts::resume_checkouts;
use crate::operations::resume_refunds::resume_refunds;
use crate::operations::sweep_orphans::sweep_orphans;
use crate::operations::tell_buyers;
use crate::purges::purges;
use crate::service::Shop;
use crate::store::jobs;

/// Runs all jobs until `shutdown`; what is under way then is finished.
pub(crate) async fn run(shop: Arc<Shop>, shutdown: CancellationToken, alone: bool) {
    tokio::join!(
        relay(&shop, &shutdown, alone),
        resume(&shop, &shutdown, alone),
        sweep(&shop, &shutdown, alone),
        keep_house(&shop, &shutdown),
        deliver_webhooks::run(&shop, &shutdown, alone),
        tell_buyers::run(&shop, &shutdown),
    );
}

async fn relay(shop: &Shop, shutdown: &CancellationToken, alone: bool) {
    let (holder, mut by_force) = (Uuid::now_v7(), alone);
    while !shutdown.is_cancelled() {
        let begun = Instant::now();
        match relay_outbox(shop, holder, by_force).await {
            Ok(told) => {
                by_force = false;
                if told == usize::try_from(JOB_ROWS_MAX).unwrap_or(usize::MAX) {
                    continue;
                }
            }
            Err(error) => report("relay_outbox", &error),
        }
        tokio::select! {
            () = shop.wake_relay.notified() => {}
            () = sleep(RELAY_EVERY) => {}
            () = shutdown.cancelled() => {}
        }
        // One round tells what several settlements left; an idle shop tells at once.
        tokio::select! {
            () = sleep_until(begun + RELAY_PAUSE) => {}
            () = shutdown.cancelled() => {}
        }
    }
    // What the last requests left is told before the process ends, or by the next one.
    if let Err(error) = relay_outbox(shop, holder, false).await {
        report("relay_outbox", &error);
    }
}

async fn resume(shop: &Shop, shutdown: &CancellationToken, alone: bool) {
    let mut alone_since = alone.then_some(shop.started_at);
    while !shutdown.is_cancelled() {
        let refunds = resume_refunds(shop, alone_since).await;
        // Answers that are stored for buyers name the round that made them.
        let round = request::within(Uuid::now_v7().to_string(), resume_checkouts(shop, alone_since));
        match (round.await, refunds) {
            // Until nothing of before the start is left.
            (Ok(0), Ok(0)) => alone_since = None,
            (Ok(_), Ok(_)) if alone_since.is_some() => continue,
            (Ok(_), Ok(_)) => {}
            (Err(error), _) | (_, Err(error)) => report("resume", &error),
        }
        pause(RESUME_EVERY, shutdown).await;
    }
}

async fn sweep(shop: &Shop, shutdown: &CancellationToken, alone: bool) {
    let mut alone_since: Option<Timestamp> = alone.then_some(shop.started_at);
    while !shutdown.is_cancelled() {
        match sweep_orphans(shop, alone_since).await {
            Ok(()) => alone_since = None,
            Err(error) => report("sweep_orphans", &error),
        }
        pause(SWEEP_EVERY, shutdown).await;
    }
}

async fn keep_house(shop: &Shop, shutdown: &CancellationToken) {
    let mut due = Instant::now();
    while !shutdown.is_cancelled() {
        if due <= Instant::now() {
            match housekeeping(shop, shutdown).await {
                Ok(()) => due = Instant::now() + HOUSEKEEPING_EVERY,
                Err(error) => report("housekeeping", &error),
            }
        }
        if let Err(error) = erase_latecomers(shop).await {
            report("erase_latecomers", &error);
        }
        while !shutdown.is_cancelled() {
            match forget_cards(shop).await {
                Ok(0) => break,
                Ok(_more) => {}
                Err(error) => {
                    report("forget_cards", &error);
                    break;
                }
            }
        }
        pause(Duration::from_secs(30), shutdown).await;
    }
}

/// Makes the coming partitions and removes, in batches, what has been kept long enough.
pub(crate) async fn housekeeping(shop: &Shop, shutdown: &CancellationToken) -> Result<(), DbError> {
    jobs::make_partitions(&shop.db, PARTITION_MONTHS_AHEAD).await?;
    for purge in purges(&shop.config) {
        purge.run(&shop.db, shutdown, &|_batch| {}).await?;
    }
    Ok(())
}

async fn pause(time: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = sleep(time) => {}
        () = shutdown.cancelled() => {}
    }
}

fn report(job: &str, error: &dyn Display) {
    tracing::warn!(job, %error, "a job will be tried again");
}
