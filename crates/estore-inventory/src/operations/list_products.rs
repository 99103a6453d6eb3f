//! Lists and searches products.

use std::sync::Arc;

use estore_kit::db::{Db, DbError};
use estore_kit::paging::{self, List};

use crate::catalogue::{Catalogue, Entry, Page, PageKey, Printed, Reading, Rest};
use crate::index::{Hits, Index, Query, Replaced};
use crate::search::{Facets, Position, ProductSearch};
use crate::store::index::read_words;
use crate::store::products::{self, Sought};

/// A page's answer: from memory where it is fresh there, else from the database.
pub(crate) async fn list_products(
    db: &Db,
    catalogue: &Catalogue,
    index: &Index,
    search: &ProductSearch,
) -> Result<Arc<Printed>, DbError> {
    let key = PageKey::of(search);
    if let Some(printed) = key.as_ref().and_then(|key| catalogue.page(key)) {
        return Ok(printed);
    }
    let reading = catalogue.begin();
    let query = match &search.words {
        Some(words) => Some(meaning(db, index, search, words).await?),
        None => None,
    };
    let is_indexed = query.is_some() || search.facets;
    let found = if is_indexed { index.find(search, query.as_deref()) } else { None };
    let page = match found {
        Some(found) => from_memory(db, catalogue, reading, search, found).await?,
        None => from_database(db, reading, search, query.as_deref()).await?,
    };
    let printed = Arc::new(page.print_as_read());
    if let Some(key) = key {
        catalogue.keep_page(reading, key, page);
    }
    Ok(printed)
}

/// What the words mean, with what the page before took for misspelt replaced.
async fn meaning(db: &Db, index: &Index, search: &ProductSearch, words: &str) -> Result<Arc<Query>, DbError> {
    let query = match index.query(words) {
        Some(query) => query,
        None => index.keep_query(words, read_words(db, words).await?),
    };
    match search.replaced() {
        [] => Ok(query),
        replaced => Ok(Arc::new(query.replaced(replaced))),
    }
}

/// The index knows which products; their answers are kept, or read now. One that is off sale by now is left out.
async fn from_memory(
    db: &Db,
    catalogue: &Catalogue,
    reading: Reading,
    search: &ProductSearch,
    (hits, replaced): (Hits, Option<Replaced>),
) -> Result<Page, DbError> {
    let replaced = replaced.unwrap_or_else(|| search.replaced().to_vec());
    let position =
        |score, id| Position { sort: search.sort, alike: false, replaced: replaced.clone(), score, name: None, id };
    let List { data, next_cursor } = paging::page(hits.rows, search.limit, |hit| position(hit.score, hit.id));
    let mut entries = catalogue.entries(data.iter().map(|hit| hit.id));
    let missing: Vec<i32> = data.iter().map(|hit| hit.id).filter(|id| !entries.contains_key(id)).collect();
    if !missing.is_empty() {
        for product in products::find_many(db, &missing).await? {
            let entry = Arc::new(Entry::of(&product, reading.asked));
            catalogue.keep_product(reading, &entry);
            entries.insert(product.id, entry);
        }
    }
    let entries = data.iter().filter_map(|hit| entries.remove(&hit.id)).collect();
    let facets = hits.facets.map(|categories| Facets { categories });
    Ok(Page::of(entries, &Rest { next_cursor, facets }))
}

/// Where no product holds the words, those with names that look alike are listed instead; the cursor remembers which of
/// the two the list is.
async fn from_database(
    db: &Db,
    reading: Reading,
    search: &ProductSearch,
    query: Option<&Query>,
) -> Result<Page, DbError> {
    let words = search.words.as_deref();
    let (held, alike) = (Sought { query, alike: None }, Sought { query: None, alike: words });
    let mut sought = if search.after.as_ref().is_some_and(|after| after.alike) { alike } else { held };
    let mut rows = products::list(db, search, &sought).await?;
    if rows.is_empty() && words.is_some() && search.after.is_none() {
        sought = alike;
        rows = products::list(db, search, &sought).await?;
    }
    let facets = match search.facets {
        true => Some(Facets { categories: products::count_by_category(db, search, &sought).await? }),
        false => None,
    };
    let is_alike = sought.alike.is_some();
    let List { data, next_cursor } = paging::page(rows, search.limit, |row| search.position(row, is_alike));
    let entries = data.iter().map(|row| Arc::new(Entry::of(&row.product, reading.asked))).collect();
    Ok(Page::of(entries, &Rest { next_cursor, facets }))
}
