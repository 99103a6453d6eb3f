//! Tokens, sessions and letters that have ended are removed, some at a time.

use estore_kit::db::DbError;
use tokio_util::sync::CancellationToken;

use crate::limits::PURGE_PAUSE;
use crate::purges::PURGES;
use crate::service::Service;

/// Purges at the start and then from time to time, until `shutdown`.
pub(crate) async fn run(service: &Service, shutdown: &CancellationToken) {
    loop {
        match purge(service, shutdown).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "removed what had expired"),
            Err(error) => tracing::warn!(%error, "cannot remove what has expired"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(PURGE_PAUSE) => {}
        }
    }
}

async fn purge(service: &Service, shutdown: &CancellationToken) -> Result<u64, DbError> {
    let mut total = 0;
    for purge in PURGES {
        total += purge.run(&service.db, shutdown, &|_batch| {}).await?;
    }
    Ok(total)
}
