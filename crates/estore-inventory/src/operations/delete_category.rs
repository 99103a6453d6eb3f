//! Deletes a category that nothing is in.

use estore_kit::db::{Db, DbError};
use estore_kit::problem::Problem;
use jiff::Timestamp;

use crate::edition::stale;
use crate::store::categories;

/// Why a category cannot be deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeleteCategoryError {
    #[error("there is no such category")]
    NotFound,
    #[error("it has been changed meanwhile")]
    Stale,
    #[error("categories are below it")]
    HasChildren,
    #[error("products are in it")]
    HasProducts,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Deletes it; the foreign keys refuse while children or products remain, however late they came.
pub(crate) async fn delete_category(
    db: &Db,
    id: i32,
    editions: &Option<Vec<Timestamp>>,
) -> Result<(), DeleteCategoryError> {
    match categories::delete(db, id, editions).await {
        Ok(true) => Ok(()),
        Ok(false) if categories::find(db, id).await?.is_some() => Err(DeleteCategoryError::Stale),
        Ok(false) => Err(DeleteCategoryError::NotFound),
        Err(error) if error.is_constraint("fk_parent") => Err(DeleteCategoryError::HasChildren),
        Err(error) if error.is_constraint("fk_category") => Err(DeleteCategoryError::HasProducts),
        Err(error) => Err(error.into()),
    }
}

impl From<DeleteCategoryError> for Problem {
    fn from(error: DeleteCategoryError) -> Self {
        match error {
            DeleteCategoryError::NotFound => Self::not_found("category"),
            DeleteCategoryError::Stale => stale(),
            DeleteCategoryError::HasChildren => {
                Self::conflict("category_in_use", "Categories are below it. Move or delete them first.")
            }
            DeleteCategoryError::HasProducts => {
                Self::conflict("category_in_use", "Products are in it. Move them to another category first.")
            }
            DeleteCategoryError::Db(error) => error.into(),
        }
    }
}
