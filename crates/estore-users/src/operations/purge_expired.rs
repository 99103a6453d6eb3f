//! Tokens, sessions and letters that have ended are removed, some at a time.

use estore_kit::db::DbError;
use tokio_util::sync::CancellationToken;

use crate::limits::{PURGE_BATCH_MAX, PURGE_PAUSE};
use crate::service::Service;

const STATEMENTS: [&str; 7] = [
    include_str!("../../queries/purge_verification_tokens.sql"),
    include_str!("../../queries/purge_password_reset_tokens.sql"),
    include_str!("../../queries/purge_email_changes.sql"),
    include_str!("../../queries/purge_sessions.sql"),
    include_str!("../../queries/purge_refresh_tokens.sql"),
    include_str!("../../queries/purge_mails.sql"),
    include_str!("../../queries/purge_ended_sessions.sql"),
];

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
    let batch = u64::try_from(PURGE_BATCH_MAX).unwrap_or(u64::MAX);
    let mut total = 0;
    for sql in STATEMENTS {
        let mut removed = batch;
        while removed == batch && !shutdown.is_cancelled() {
            removed = service.db.execute(sql, &[&PURGE_BATCH_MAX]).await?;
            total += removed;
        }
    }
    Ok(total)
}
