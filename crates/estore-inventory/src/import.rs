//! Product files: records, their columns, and what each row says; no database.

pub(crate) mod category_path;
pub(crate) mod columns;
pub(crate) mod faults;
pub(crate) mod fields;
pub(crate) mod file;
pub(crate) mod own;
pub(crate) mod records;
pub(crate) mod row;
pub(crate) mod shopify;

use std::io;

use estore_kit::db::DbError;

pub use faults::RowFault;

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct ImportReport {
    /// Records of the file, its header left out.
    pub rows: u64,
    /// Products that the file describes.
    pub products: u64,
    /// Products that were made.
    pub created: u64,
    /// Products that were changed.
    pub updated: u64,
    /// Products that were as the file says before.
    pub unchanged: u64,
    /// Categories that were made.
    pub categories_created: u64,
}

/// Why nothing was imported; the catalogue is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file has no record, or no bytes at all.
    #[error("the file is empty: not even a header is in it")]
    Empty,
    /// Rows break rules.
    #[error("{total} faults in the file; first {}", faults.first().map(ToString::to_string).unwrap_or_default())]
    Refused {
        /// The first of them, at most 1,000, in the file's order as far as they were found in it.
        faults: Vec<RowFault>,
        /// How many there are.
        total: u64,
    },
    /// Another import runs.
    #[error("another import is running; wait until it has ended")]
    Busy,
    /// The file is larger than an import may be.
    #[error("the file is larger than 256 MiB; import it in parts")]
    TooLarge,
    /// The file cannot be read to its end.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// The database does not work.
    #[error(transparent)]
    Db(#[from] DbError),
}

#[cfg(test)]
mod tests;
