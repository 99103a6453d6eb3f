//! An endpoint gets a new secret. For a day the ones before it sign too, so that no delivery is refused while its
//! receiver changes over; a request that is repeated because its answer was lost does no harm.

use estore_kit::db::{DbError, sign};
use estore_kit::problem::Problem;
use uuid::Uuid;

use crate::limits::SECRETS_AT_A_TIME_MAX;
use crate::service::Shop;
use crate::store::webhook_endpoints as store;
use crate::webhook::WebhookEndpointWithSecret;

/// Why there is no new secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RotateError {
    /// There is no such endpoint, or it was deleted.
    #[error("no such endpoint")]
    NoEndpoint,
    /// As many secrets sign as may sign at a time.
    #[error("{SECRETS_AT_A_TIME_MAX} secrets sign already")]
    TooMany,
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<RotateError> for Problem {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::NoEndpoint => Self::not_found("webhook endpoint"),
            RotateError::TooMany => Self::conflict(
                "too_many_webhook_secrets",
                format!(
                    "{SECRETS_AT_A_TIME_MAX} secrets of this endpoint sign already; `old_secret_until` says until when."
                ),
            ),
            RotateError::Database(error) => error.into(),
        }
    }
}

/// Makes the next secret; it is told this once.
pub(crate) async fn rotate_webhook_secret(shop: &Shop, id: Uuid) -> Result<WebhookEndpointWithSecret, RotateError> {
    let mut client = shop.db.client().await?;
    let transaction = client.transaction().await.map_err(DbError::from)?;
    sign(&transaction).await?;
    let locked = store::lock(&transaction, id).await?.ok_or(RotateError::NoEndpoint)?;
    let oldest = locked.old_secret_version.unwrap_or(locked.secret_version);
    if locked.secret_version - oldest + 2 > SECRETS_AT_A_TIME_MAX {
        return Err(RotateError::TooMany);
    }
    let (endpoint, version) = store::rotate(&transaction, id, oldest).await?;
    transaction.commit().await.map_err(DbError::from)?;
    Ok(WebhookEndpointWithSecret { endpoint, secret: shop.webhooks.sender.secret(id, version) })
}
