//! Shows one product; those not for sale are shown to administrators only.

use std::sync::Arc;

use estore_kit::db::{Db, DbError};
use estore_kit::problem::Problem;

use crate::catalogue::{Catalogue, Entry, Printed};
use crate::store::products;

/// Why a product cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindProductError {
    #[error("there is no such product")]
    NotFound,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The product's answer: from memory where it is fresh there, else from the database. Administrators see the latter.
pub(crate) async fn find_product(
    db: &Db,
    catalogue: &Catalogue,
    id: i32,
    shows_inactive: bool,
) -> Result<Arc<Printed>, FindProductError> {
    if !shows_inactive && let Some(printed) = catalogue.product(id) {
        return Ok(printed);
    }
    let reading = catalogue.begin();
    let product = products::find(db, id).await?;
    let product = product.filter(|product| product.is_active || shows_inactive).ok_or(FindProductError::NotFound)?;
    let entry = Arc::new(Entry::of(&product, reading.asked));
    if product.is_active {
        catalogue.keep_product(reading, &entry);
    }
    Ok(entry.print())
}

impl From<FindProductError> for Problem {
    fn from(error: FindProductError) -> Self {
        match error {
            FindProductError::NotFound => Self::not_found("product"),
            FindProductError::Db(error) => error.into(),
        }
    }
}
