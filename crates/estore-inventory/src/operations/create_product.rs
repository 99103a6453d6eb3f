//! Adds a product with its first stock.

use estore_kit::db::{Db, DbError};
use estore_kit::problem::{FieldError, Problem};
use serde_json::{Map, Value};

use crate::import::row::plain;
use crate::product::NewProduct;
use crate::store::products::{self, Edited};

/// Why a product cannot be made or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProductError {
    #[error("a field breaks a rule")]
    Invalid(Vec<FieldError>),
    #[error("there is no such category")]
    UnknownCategory,
    #[error("another product is known by the same {field}")]
    Known { field: &'static str },
    #[error(transparent)]
    Db(DbError),
}

/// Adds it; its quantity is its first movement, by `actor`.
pub(crate) async fn create_product(db: &Db, product: &NewProduct, actor: i32) -> Result<Edited, ProductError> {
    let broken = product.broken_rules();
    if !broken.is_empty() {
        return Err(ProductError::Invalid(broken));
    }
    products::insert(db, product, actor).await.map_err(|error| ProductError::of(error, Some(&product.metadata)))
}

impl ProductError {
    /// `metadata` are those that were to be written.
    pub(crate) fn of(error: DbError, metadata: Option<&Map<String, Value>>) -> Self {
        if error.is_constraint("fk_category") {
            Self::UnknownCategory
        } else if error.is_constraint("idx_products_import_key") {
            let has_sku = metadata.and_then(|map| map.get("sku")).is_some_and(|sku| !plain(sku).is_empty());
            Self::Known { field: if has_sku { "sku" } else { "handle" } }
        } else {
            Self::Db(error)
        }
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
            ProductError::Known { field } => {
                let detail = match field {
                    "sku" => "Another product, on sale or not, has this SKU; change that one, or choose another SKU.",
                    _ => {
                        "Another product, on sale or not, has this handle and these options; give them others, or a SKU."
                    }
                };
                Self::conflict("product_exists", detail).with_errors(vec![FieldError {
                    pointer: format!("/metadata/{field}"),
                    code: "taken".into(),
                    detail: "another product has it".into(),
                }])
            }
            ProductError::Db(error) => error.into(),
        }
    }
}
