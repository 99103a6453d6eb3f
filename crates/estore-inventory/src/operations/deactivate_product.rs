//! Takes a product off sale; it is never deleted, for orders name it.

use estore_kit::db::{Db, DbError};
use estore_kit::problem::Problem;
use jiff::Timestamp;

use crate::edition::stale;
use crate::store::products;

/// Why a product cannot be taken off sale.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeactivateProductError {
    #[error("there is no such product")]
    NotFound,
    #[error("it has been changed meanwhile")]
    Stale,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Takes it off sale, if the edition is one of `editions`; the edition that it is then.
pub(crate) async fn deactivate_product(
    db: &Db,
    id: i32,
    editions: &Option<Vec<Timestamp>>,
) -> Result<Timestamp, DeactivateProductError> {
    if let Some(edition) = products::deactivate(db, id, editions).await? {
        return Ok(edition);
    }
    match products::find(db, id).await? {
        Some(_) => Err(DeactivateProductError::Stale),
        None => Err(DeactivateProductError::NotFound),
    }
}

impl From<DeactivateProductError> for Problem {
    fn from(error: DeactivateProductError) -> Self {
        match error {
            DeactivateProductError::NotFound => Self::not_found("product"),
            DeactivateProductError::Stale => stale(),
            DeactivateProductError::Db(error) => error.into(),
        }
    }
}
