//! Changes what a product is; its stock has an operation of its own.

use estore_kit::db::Db;
use estore_kit::problem::Problem;
use jiff::Timestamp;

use crate::edition::stale;
use crate::operations::create_product::ProductError;
use crate::product::ProductChange;
use crate::store::products::{self, Edited};

/// Why a product cannot be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeProductError {
    #[error("there is no such product")]
    NotFound,
    #[error("it has been changed meanwhile")]
    Stale,
    #[error(transparent)]
    Refused(ProductError),
}

/// Changes the fields that are given, if the edition is one of `editions`.
pub(crate) async fn change_product(
    db: &Db,
    id: i32,
    editions: &Option<Vec<Timestamp>>,
    change: &ProductChange,
) -> Result<Edited, ChangeProductError> {
    let refused = |error| ChangeProductError::Refused(ProductError::of(error, change.metadata.as_ref()));
    let broken = change.broken_rules();
    if !broken.is_empty() {
        return Err(ChangeProductError::Refused(ProductError::Invalid(broken)));
    }
    if let Some(edited) = products::update(db, id, editions, change).await.map_err(refused)? {
        return Ok(edited);
    }
    match products::find(db, id).await.map_err(refused)? {
        Some(_) => Err(ChangeProductError::Stale),
        None => Err(ChangeProductError::NotFound),
    }
}

impl From<ChangeProductError> for Problem {
    fn from(error: ChangeProductError) -> Self {
        match error {
            ChangeProductError::NotFound => Self::not_found("product"),
            ChangeProductError::Stale => stale(),
            ChangeProductError::Refused(error) => error.into(),
        }
    }
}
