//! Lists and searches products.

use estore_kit::db::{Db, DbError};
use estore_kit::paging::{self, List};

use crate::product::Product;
use crate::search::ProductSearch;
use crate::store::products;

/// A page of products. Where no product holds the words, those with names that look alike are listed instead; the
/// cursor remembers which of the two the list is.
pub(crate) async fn list_products(db: &Db, search: &ProductSearch) -> Result<List<Product>, DbError> {
    let mut alike = search.words.is_some() && search.after.as_ref().is_some_and(|after| after.alike);
    let mut rows = products::list(db, search, alike).await?;
    if rows.is_empty() && search.words.is_some() && search.after.is_none() {
        alike = true;
        rows = products::list(db, search, alike).await?;
    }
    let List { data, next_cursor } = paging::page(rows, search.limit, |row| search.position(row, alike));
    Ok(List { data: data.into_iter().map(|row| row.product).collect(), next_cursor })
}
