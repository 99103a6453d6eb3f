//! Adds a product with its first stock.

use estore_kit::db::{Db, DbError};
use estore_kit::problem::{FieldError, Problem};

use crate::product::{NewProduct, Product};
use crate::store::products;

/// Why a product cannot be made or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProductError {
    #[error("a field breaks a rule")]
    Invalid(Vec<FieldError>),
    #[error("there is no such category")]
    UnknownCategory,
    #[error(transparent)]
    Db(DbError),
}

/// Adds it; its quantity is its first movement, by `actor`.
pub(crate) async fn create_product(db: &Db, product: &NewProduct, actor: i32) -> Result<Product, ProductError> {
    let broken = product.broken_rules();
    if !broken.is_empty() {
        return Err(ProductError::Invalid(broken));
    }
    Ok(products::insert(db, product, actor).await?)
}

impl From<DbError> for ProductError {
    fn from(error: DbError) -> Self {
        if error.is_constraint("fk_category") { Self::UnknownCategory } else { Self::Db(error) }
    }
}

impl From<ProductError> for Problem {
    fn from(error: ProductError) -> Self {
        match error {
            ProductError::Invalid(errors) => Self::invalid(errors),
            ProductError::UnknownCategory => Self::invalid(vec![FieldError {
                pointer: "/category_id".into(),
                code: "unknown_category".into(),
                detail: "there is no such category".into(),
            }]),
            ProductError::Db(error) => error.into(),
        }
    }
}
