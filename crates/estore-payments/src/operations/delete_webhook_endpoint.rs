//! An endpoint hears no more; what was on its way to it is dead.

use estore_kit::db::DbError;
use estore_kit::problem::Problem;
use uuid::Uuid;

use crate::service::Shop;
use crate::store::webhook_endpoints;

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeleteError {
    /// There is no such endpoint, or it was deleted before.
    #[error("no such endpoint")]
    NoEndpoint,
    /// The database is away, or worse.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::NoEndpoint => Self::not_found("webhook endpoint"),
            DeleteError::Database(error) => error.into(),
        }
    }
}

/// Deletes it; its deliveries can still be looked at.
pub(crate) async fn delete_webhook_endpoint(shop: &Shop, id: Uuid) -> Result<(), DeleteError> {
    if webhook_endpoints::delete(&shop.db, id).await? { Ok(()) } else { Err(DeleteError::NoEndpoint) }
}
