//! Shows one product; those not for sale are shown to those alone who manage the catalogue.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use estore_kit::batcher::{BatchError, BatchLimits, Batcher};
use estore_kit::db::{Db, DbError};
use estore_kit::problem::Problem;

use crate::catalogue::{Catalogue, Entry, Printed};
use crate::limits::{READ_BATCH_MAX, READ_WORKERS, READS_WAITING_MAX};
use crate::store::products;

/// Why a product cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindProductError {
    #[error("there is no such product")]
    NotFound,
    #[error(transparent)]
    Queue(#[from] BatchError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Products that memory does not hold, by their ids: one statement reads all that are asked for together.
pub(crate) type Reads = Batcher<i32, Result<Option<Arc<Entry>>, DbError>>;

/// Starts the reads of products that are on sale and are not in memory yet.
pub(crate) fn start_reads(db: Db, catalogue: Arc<Catalogue>) -> Reads {
    let limits = BatchLimits::at_once(READS_WAITING_MAX, READ_BATCH_MAX, READ_WORKERS);
    Batcher::start(limits, move |ids| {
        let (db, catalogue) = (db.clone(), Arc::clone(&catalogue));
        async move {
            match read(&db, &catalogue, &ids).await {
                Ok(entries) => ids.iter().map(|id| Ok(entries.get(id).cloned())).collect(),
                Err(error) => ids.iter().map(|_| Err(error.clone())).collect(),
            }
        }
    })
}

/// Reads those of these products that are on sale, and keeps them.
async fn read(db: &Db, catalogue: &Catalogue, ids: &[i32]) -> Result<HashMap<i32, Arc<Entry>>, DbError> {
    let reading = catalogue.begin();
    let found = products::find_many(db, ids).await?;
    let entries = found.iter().map(|product| {
        let entry = Arc::new(Entry::of(product, reading.asked));
        catalogue.keep_product(reading, &entry);
        (product.id, entry)
    });
    Ok(entries.collect())
}

/// The product's answer: from memory where it is fresh there, else from the database.
pub(crate) async fn find_product(
    reads: &Reads,
    catalogue: &Catalogue,
    id: i32,
) -> Result<Arc<Printed>, FindProductError> {
    if let Some(printed) = catalogue.product(id) {
        return Ok(printed);
    }
    let entry = reads.submit(id).await??.ok_or(FindProductError::NotFound)?;
    Ok(entry.print())
}

/// The same for those who manage the catalogue: always from the database, for sale or not.
pub(crate) async fn find_any_product(db: &Db, id: i32) -> Result<Arc<Printed>, FindProductError> {
    let asked = Instant::now();
    let product = products::find(db, id).await?.ok_or(FindProductError::NotFound)?;
    Ok(Entry::of(&product, asked).print())
}

impl From<FindProductError> for Problem {
    fn from(error: FindProductError) -> Self {
        match error {
            FindProductError::NotFound => Self::not_found("product"),
            FindProductError::Queue(error) => error.into(),
            FindProductError::Db(error) => error.into(),
        }
    }
}
