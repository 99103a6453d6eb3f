//! Lists and searches products.

use std::sync::Arc;

use estore_kit::db::{Db, DbError};
use estore_kit::paging::{self, List};

use crate::catalogue::{Catalogue, Page, PageKey, Printed};
use crate::product::Product;
use crate::search::ProductSearch;
use crate::store::products;

/// A page's answer: from memory where it is fresh there, else from the database.
pub(crate) async fn list_products(
    db: &Db,
    catalogue: &Catalogue,
    search: &ProductSearch,
) -> Result<Arc<Printed>, DbError> {
    let key = PageKey::of(search);
    if let Some(printed) = key.as_ref().and_then(|key| catalogue.page(key)) {
        return Ok(printed);
    }
    let reading = catalogue.begin();
    let page = Page::of(&find(db, search).await?, reading.asked);
    let printed = Arc::new(page.print_as_read());
    if let Some(key) = key {
        catalogue.keep_page(reading, key, page);
    }
    Ok(printed)
}

/// Where no product holds the words, those with names that look alike are listed instead; the cursor remembers which of
/// the two the list is.
async fn find(db: &Db, search: &ProductSearch) -> Result<List<Product>, DbError> {
    let mut alike = search.words.is_some() && search.after.as_ref().is_some_and(|after| after.alike);
    let mut rows = products::list(db, search, alike).await?;
    if rows.is_empty() && search.words.is_some() && search.after.is_none() {
        alike = true;
        rows = products::list(db, search, alike).await?;
    }
    let List { data, next_cursor } = paging::page(rows, search.limit, |row| search.position(row, alike));
    Ok(List { data: data.into_iter().map(|row| row.product).collect(), next_cursor })
}
