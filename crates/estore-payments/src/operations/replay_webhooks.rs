//! Ended deliveries are sent again, with the same event ids.

use estore_kit::db::DbError;
use estore_kit::problem::Problem;
use uuid::Uuid;

use crate::service::Shop;
use crate::store::{webhook_endpoints, webhooks};

/// Why nothing is sent again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// There is no such endpoint, or it was deleted.
    #[error("no such endpoint")]
    NoEndpoint,
    /// No such delivery of the endpoint has ended.
    #[error("no such delivery has ended")]
    NoDelivery,
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<ReplayError> for Problem {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::NoEndpoint => Self::not_found("webhook endpoint"),
            ReplayError::NoDelivery => {
                Self::conflict("not_replayable", "There is no such delivery, or it is still on its way.")
            }
            ReplayError::Database(error) => error.into(),
        }
    }
}

/// Sends one ended delivery again, or the dead ones (at most 10,000 at a time); answers how many.
pub(crate) async fn replay_webhooks(shop: &Shop, endpoint: Uuid, delivery: Option<i64>) -> Result<u64, ReplayError> {
    let found = webhook_endpoints::read(&shop.db, endpoint).await?;
    if !found.is_some_and(|endpoint| endpoint.is_active) {
        return Err(ReplayError::NoEndpoint);
    }
    let replayed = webhooks::replay(&shop.db, endpoint, delivery).await?;
    if replayed == 0 && delivery.is_some() {
        return Err(ReplayError::NoDelivery);
    }
    shop.webhooks.written(replayed);
    Ok(replayed)
}
