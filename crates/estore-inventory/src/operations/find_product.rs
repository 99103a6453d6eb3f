//! Shows one product; those not for sale are shown to administrators only.

use estore_kit::db::{Db, DbError};
use estore_kit::problem::Problem;

use crate::product::Product;
use crate::store::products;

/// Why a product cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindProductError {
    #[error("there is no such product")]
    NotFound,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The product.
pub(crate) async fn find_product(db: &Db, id: i32, shows_inactive: bool) -> Result<Product, FindProductError> {
    let product = products::find(db, id).await?;
    product.filter(|product| product.is_active || shows_inactive).ok_or(FindProductError::NotFound)
}

impl From<FindProductError> for Problem {
    fn from(error: FindProductError) -> Self {
        match error {
            FindProductError::NotFound => Self::not_found("product"),
            FindProductError::Db(error) => error.into(),
        }
    }
}
