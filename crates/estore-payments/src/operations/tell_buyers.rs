//! Has UserService write to buyers: their orders are paid or shipped, their money went back. At least once from here;
//! UserService writes each letter once.

use std::sync::Arc;
use std::time::Duration;

use estore_api::neighbour::CallError;
use estore_api::users::UsersApi;
use estore_kit::crash;
use estore_kit::db::DbError;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::limits::{JOB_ROWS_MAX, RELAY_EVERY};
use crate::service::Shop;
use crate::store::notices;

/// How long the job waits after a failure.
const FAILURE_PAUSE: Duration = Duration::from_secs(5);

/// Why buyers hear later.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TellError {
    /// The database is away.
    #[error(transparent)]
    Database(#[from] DbError),
    /// UserService is away.
    #[error(transparent)]
    Users(#[from] CallError),
}

/// Tells whatever is to be told until `shutdown`.
pub(crate) async fn run(shop: &Shop, shutdown: &CancellationToken) {
    let Some(users) = shop.users.get() else { return };
    while !shutdown.is_cancelled() {
        let pause = match tell_buyers(shop, users).await {
            Ok(true) => continue,
            Ok(false) => RELAY_EVERY,
            Err(error) => {
                tracing::warn!(%error, "letters about orders wait");
                FAILURE_PAUSE
            }
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = shutdown.cancelled() => {}
        }
    }
}

/// Tells one batch; answers whether there may be more.
async fn tell_buyers(shop: &Shop, users: &Arc<dyn UsersApi>) -> Result<bool, TellError> {
    let found = notices::read(&shop.db, JOB_ROWS_MAX).await?;
    if found.is_empty() {
        return Ok(false);
    }
    let told: Vec<_> = found.iter().map(|notice| notice.event_id).collect();
    crash::point("before_write_letters");
    users.notify(found).await?;
    crash::point("after_write_letters");
    notices::drop_told(&shop.db, &told).await?;
    crash::point("after_drop_notices");
    Ok(i64::try_from(told.len()).is_ok_and(|count| count == JOB_ROWS_MAX))
}
