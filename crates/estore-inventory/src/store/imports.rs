//! The staging table of imports, and what is done with it in one transaction.

use bytes::Bytes;
use deadpool_postgres::Transaction;
use estore_kit::db::{DbError, execute, rows};
use tokio_postgres::CopyInSink;

use crate::import::row::Given;
use crate::limits::{IMPORT_ERRORS_MAX, STOCK_UNITS_MAX};

/// A fault that only the database can see.
#[derive(Debug)]
pub(crate) struct StagedFault {
    pub(crate) line: u64,
    pub(crate) rule: String,
    /// The other line, the product, or the number of units, that it is about.
    pub(crate) other: i32,
    /// How many such faults there are.
    pub(crate) total: u64,
}

/// Whether it is this import's turn.
pub(crate) async fn begin(transaction: &Transaction<'_>) -> Result<bool, DbError> {
    let row = rows(transaction, include_str!("../../queries/import_begin.sql"), &[]).await?;
    let is_ours = row.first().is_some_and(|row| row.get("is_ours"));
    if is_ours {
        clear(transaction).await?;
    }
    Ok(is_ours)
}

pub(crate) async fn clear(transaction: &Transaction<'_>) -> Result<u64, DbError> {
    execute(transaction, include_str!("../../queries/import_clear.sql"), &[]).await
}

pub(crate) async fn copy(transaction: &Transaction<'_>) -> Result<CopyInSink<Bytes>, DbError> {
    Ok(transaction.copy_in(include_str!("../../queries/import_copy.sql")).await?)
}

pub(crate) async fn match_products(transaction: &Transaction<'_>) -> Result<u64, DbError> {
    execute(transaction, include_str!("../../queries/import_match.sql"), &[]).await
}

pub(crate) async fn find_faults(transaction: &Transaction<'_>) -> Result<Vec<StagedFault>, DbError> {
    let limit = i64::try_from(IMPORT_ERRORS_MAX).unwrap_or(i64::MAX);
    let found =
        rows(transaction, include_str!("../../queries/import_find_faults.sql"), &[&limit, &STOCK_UNITS_MAX]).await?;
    let faults = found.iter().map(|row| StagedFault {
        line: u64::try_from(row.get::<_, i32>("line")).unwrap_or_default(),
        rule: row.get("rule"),
        other: row.get("other"),
        total: u64::try_from(row.get::<_, i64>("total")).unwrap_or_default(),
    });
    Ok(faults.collect())
}

/// `categories` has an id for each number that the rows use, from 1.
pub(crate) async fn insert_products(transaction: &Transaction<'_>, categories: &[i32]) -> Result<u64, DbError> {
    let counted = rows(transaction, include_str!("../../queries/import_insert_products.sql"), &[&categories]).await?;
    Ok(counted.first().map_or(0, |row| u64::try_from(row.get::<_, i64>(0)).unwrap_or_default()))
}

pub(crate) async fn update_products(
    transaction: &Transaction<'_>,
    categories: &[i32],
    given: Given,
) -> Result<u64, DbError> {
    let sql = include_str!("../../queries/import_update_products.sql");
    let counted = rows(
        transaction,
        sql,
        &[&categories, &given.description, &given.category, &given.image_url, &given.min_stock_level, &given.metadata],
    )
    .await?;
    Ok(counted.first().map_or(0, |row| u64::try_from(row.get::<_, i64>(0)).unwrap_or_default()))
}

/// Every category as (id, parent, name), once no one else may change the tree.
pub(crate) async fn lock_categories(transaction: &Transaction<'_>) -> Result<Vec<(i32, Option<i32>, String)>, DbError> {
    execute(transaction, include_str!("../../queries/lock_categories.sql"), &[]).await?;
    let found = rows(transaction, include_str!("../../queries/list_all_categories.sql"), &[]).await?;
    Ok(found.iter().map(|row| (row.get("id"), row.get("parent_id"), row.get("name"))).collect())
}

/// The new categories as (id, parent, name).
pub(crate) async fn insert_categories(
    transaction: &Transaction<'_>,
    names: &[&str],
    parents: &[Option<i32>],
) -> Result<Vec<(i32, Option<i32>, String)>, DbError> {
    let made = rows(transaction, include_str!("../../queries/insert_categories.sql"), &[&names, &parents]).await?;
    Ok(made.iter().map(|row| (row.get("id"), row.get("parent_id"), row.get("name"))).collect())
}
