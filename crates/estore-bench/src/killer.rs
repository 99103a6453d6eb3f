//! Kills the shop while it works, at given moments, and starts it again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use crate::failure::Failure;
use crate::shop::Shop;

/// When to kill.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// At so many finished checkouts, ascending.
    pub(crate) at: Vec<u64>,
    /// After so long, again and again.
    pub(crate) every: Option<Duration>,
}

/// Follows `done` (finished checkouts) and kills by plan, until `total` are finished; answers how often it did.
pub(crate) async fn run(
    shop: Arc<Mutex<Shop>>,
    plan: Plan,
    mut done: watch::Receiver<u64>,
    total: u64,
) -> Result<u64, Failure> {
    let (mut kills, mut at) = (0, plan.at.into_iter().peekable());
    let later = || plan.every.map(|every| Instant::now() + every);
    let mut next = later();
    loop {
        let finished = *done.borrow_and_update();
        if at.next_if(|wanted| *wanted <= finished).is_some() {
            shop.lock().await.kill_and_start().await?;
            kills += 1;
            continue;
        }
        if finished >= total {
            return Ok(kills);
        }
        tokio::select! {
            changed = done.changed() => if changed.is_err() { return Ok(kills) },
            () = until(next) => {
                shop.lock().await.kill_and_start().await?;
                kills += 1;
                next = later();
            }
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
