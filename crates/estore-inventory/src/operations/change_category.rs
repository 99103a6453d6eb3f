//! Changes a category, which may move it with all that is below it.

use estore_kit::db::Db;
use estore_kit::problem::Problem;
use jiff::Timestamp;

use crate::category::{Category, CategoryChange};
use crate::edition::stale;
use crate::operations::create_category::CategoryError;
use crate::store::categories;

/// Why a category cannot be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeCategoryError {
    #[error("there is no such category")]
    NotFound,
    #[error("it has been changed meanwhile")]
    Stale,
    #[error(transparent)]
    Refused(CategoryError),
}

/// Changes the fields that are given, if the edition is one of `editions`.
pub(crate) async fn change_category(
    db: &Db,
    id: i32,
    editions: &Option<Vec<Timestamp>>,
    change: &CategoryChange,
) -> Result<Category, ChangeCategoryError> {
    let refused = |error| ChangeCategoryError::Refused(CategoryError::from(error));
    let broken = change.broken_rules();
    if !broken.is_empty() {
        return Err(ChangeCategoryError::Refused(CategoryError::Invalid(broken)));
    }
    if let Some(category) = categories::update(db, id, editions, change).await.map_err(refused)? {
        return Ok(category);
    }
    match categories::find(db, id).await.map_err(refused)? {
        Some(_) => Err(ChangeCategoryError::Stale),
        None => Err(ChangeCategoryError::NotFound),
    }
}

impl From<ChangeCategoryError> for Problem {
    fn from(error: ChangeCategoryError) -> Self {
        match error {
            ChangeCategoryError::NotFound => Self::not_found("category"),
            ChangeCategoryError::Stale => stale(),
            ChangeCategoryError::Refused(error) => error.into(),
        }
    }
}
