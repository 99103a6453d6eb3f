//! All products out of the database, as CSV.

use std::sync::LazyLock;

use deadpool_postgres::Transaction;
use estore_kit::db::{DbError, rows};
use tokio_postgres::CopyOutStream;

static COPY: LazyLock<String> = LazyLock::new(|| {
    let query = include_str!("../../queries/export_products.sql");
    format!("COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER true)")
});

pub(crate) async fn copy(transaction: &Transaction<'_>) -> Result<CopyOutStream, DbError> {
    rows(transaction, include_str!("../../queries/export_begin.sql"), &[]).await?;
    Ok(transaction.copy_out(COPY.as_str()).await?)
}
