//! What the search index reads of the database.

use estore_kit::db::{Db, DbError};
use jiff::Timestamp;
use tokio_postgres::Row;

use crate::index::{CategoryRow, Item, Query};

/// What PostgreSQL makes of the words of a search.
pub(crate) async fn read_words(db: &Db, words: &str) -> Result<Query, DbError> {
    let row = db.row(include_str!("../../queries/read_words.sql"), &[&words]).await?;
    let row = row.ok_or_else(|| DbError::Failed("a search was answered by no row".to_owned()))?;
    Ok(row.try_get("query")?)
}

/// A stretch of the products on sale with ids from `first` to `last`, in id order.
pub(crate) async fn list(db: &Db, first: i32, last: i32, rows: usize) -> Result<Vec<Item>, DbError> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let rows = db.rows(include_str!("../../queries/list_indexed_products.sql"), &[&first, &last, &rows]).await?;
    rows.iter().map(|row| Ok(item(row)?)).collect()
}

/// These products, each with whether it is on sale.
pub(crate) async fn find(db: &Db, ids: &[i32]) -> Result<Vec<(Item, bool)>, DbError> {
    let rows = db.rows(include_str!("../../queries/find_indexed_products.sql"), &[&ids]).await?;
    rows.iter().map(|row| Ok((item(row)?, row.try_get("is_active")?))).collect()
}

pub(crate) async fn categories(db: &Db) -> Result<Vec<CategoryRow>, DbError> {
    let rows = db.rows(include_str!("../../queries/list_all_categories.sql"), &[]).await?;
    let category =
        |row: &Row| CategoryRow { id: row.get("id"), parent_id: row.get("parent_id"), name: row.get("name") };
    Ok(rows.iter().map(category).collect())
}

/// Bytes of all products' search documents, as PostgreSQL's statistics have them; 0 before there are any.
pub(crate) async fn bytes_of_documents(db: &Db) -> Result<i64, DbError> {
    let row = db.row(include_str!("../../queries/count_document_bytes.sql"), &[]).await?;
    Ok(row.map_or(0, |row| row.get("bytes")))
}

fn item(row: &Row) -> Result<Item, tokio_postgres::Error> {
    Ok(Item {
        id: row.try_get("id")?,
        edition: row.try_get::<_, Timestamp>("edited_at")?.as_microsecond(),
        category_id: row.try_get("category_id")?,
        price: row.try_get("price")?,
        document: row.try_get("search_document")?,
    })
}
