//! Products in the database.

use estore_kit::db::{Db, DbError};
use jiff::Timestamp;
use postgres_types::{Json, ToSql, Type};
use tokio_postgres::Row;

use crate::index::{Document, Query};
use crate::limits::FACETS_MAX;
use crate::product::{NewProduct, Product, ProductChange, import_key};
use crate::search::{CategoryCount, Found, ProductSearch, ProductSort};

/// A product as an edit left it.
#[derive(Debug)]
pub(crate) struct Edited {
    pub(crate) product: Product,
    /// What a search reads of it.
    pub(crate) document: Document,
}

impl From<&Row> for Edited {
    fn from(row: &Row) -> Self {
        Self { product: Product::from(row), document: row.get("search_document") }
    }
}

pub(crate) async fn insert(db: &Db, product: &NewProduct, actor: i32) -> Result<Edited, DbError> {
    let row = db
        .signed()
        .row(
            include_str!("../../queries/insert_product.sql"),
            &[
                &product.name,
                &product.description,
                &product.price,
                &product.quantity,
                &product.category_id,
                &product.image_url,
                &product.min_stock_level,
                &product.is_active,
                &Json(&product.metadata),
                &actor,
                &import_key(&product.metadata),
            ],
        )
        .await?;
    row.as_ref().map(Edited::from).ok_or_else(|| DbError::Failed("an insert answered no row".to_owned()))
}

pub(crate) async fn find(db: &Db, id: i32) -> Result<Option<Product>, DbError> {
    let row = db.row(include_str!("../../queries/find_product.sql"), &[&id]).await?;
    Ok(row.as_ref().map(Product::from))
}

pub(crate) async fn update(
    db: &Db,
    id: i32,
    editions: &Option<Vec<Timestamp>>,
    change: &ProductChange,
) -> Result<Option<Edited>, DbError> {
    let row = db
        .signed()
        .row(
            include_str!("../../queries/update_product.sql"),
            &[
                &id,
                editions,
                &change.name.is_some(),
                &change.name,
                &change.description.is_some(),
                &change.description.as_ref().and_then(Option::as_ref),
                &change.price.is_some(),
                &change.price,
                &change.category_id.is_some(),
                &change.category_id.flatten(),
                &change.image_url.is_some(),
                &change.image_url.as_ref().and_then(Option::as_ref),
                &change.min_stock_level.is_some(),
                &change.min_stock_level,
                &change.is_active.is_some(),
                &change.is_active,
                &change.metadata.is_some(),
                &change.metadata.as_ref().map(Json),
                &change.metadata.as_ref().and_then(import_key),
            ],
        )
        .await?;
    Ok(row.as_ref().map(Edited::from))
}

/// Takes one of these editions off sale; the edition that it is then.
pub(crate) async fn deactivate(
    db: &Db,
    id: i32,
    editions: &Option<Vec<Timestamp>>,
) -> Result<Option<Timestamp>, DbError> {
    let row = db.signed().row(include_str!("../../queries/deactivate_product.sql"), &[&id, editions]).await?;
    Ok(row.map(|row| row.get("edited_at")))
}

/// What a list is asked for by, beside what its search says.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sought<'a> {
    /// What its words mean.
    pub(crate) query: Option<&'a Query>,
    /// Words that the names resemble.
    pub(crate) alike: Option<&'a str>,
}

/// One more row than the page has, if there are so many.
///
/// Planned anew for each call: which filters are given decides the plan.
pub(crate) async fn list(db: &Db, search: &ProductSearch, sought: &Sought<'_>) -> Result<Vec<Found>, DbError> {
    let sql = match search.sort {
        ProductSort::Relevance => include_str!("../../queries/list_products_relevance.sql"),
        ProductSort::Price => include_str!("../../queries/list_products_price.sql"),
        ProductSort::PriceDown => include_str!("../../queries/list_products_price_down.sql"),
        ProductSort::Name => include_str!("../../queries/list_products_name.sql"),
        ProductSort::Newest => include_str!("../../queries/list_products_newest.sql"),
    };
    let after = search.after.as_ref();
    let score = after.map(|after| after.score);
    let name = after.map(|after| after.name.clone().unwrap_or_default());
    let key: Param<'_> = if search.sort == ProductSort::Name { (&name, Type::VARCHAR) } else { (&score, Type::INT4) };
    let (id, rows) = (after.map(|after| after.id), i64::try_from(search.limit + 1).unwrap_or(i64::MAX));
    let mut params = filters(search, sought).to_vec();
    params.extend([key, (&id, Type::INT4), (&rows, Type::INT8)]);
    let rows = db.client().await?.query_typed(sql, &params).await?;
    Ok(rows.iter().map(found).collect())
}

/// How many products of the whole list each category holds, the fullest first.
pub(crate) async fn count_by_category(
    db: &Db,
    search: &ProductSearch,
    sought: &Sought<'_>,
) -> Result<Vec<CategoryCount>, DbError> {
    let most = i64::try_from(FACETS_MAX).unwrap_or(i64::MAX);
    let mut params = filters(search, sought).to_vec();
    params.push((&most, Type::INT8));
    let sql = include_str!("../../queries/count_products_by_category.sql");
    let rows = db.client().await?.query_typed(sql, &params).await?;
    let count =
        |row: &Row| CategoryCount { category_id: row.get("id"), name: row.get("name"), count: row.get("count") };
    Ok(rows.iter().map(count).collect())
}

type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// The first nine parameters of every list.
fn filters<'a>(search: &'a ProductSearch, sought: &'a Sought<'_>) -> [Param<'a>; 9] {
    [
        (&search.shows_inactive, Type::BOOL),
        (&search.is_active, Type::BOOL),
        (&search.category_id, Type::INT4),
        (&search.min_price, Type::INT4),
        (&search.max_price, Type::INT4),
        (&search.in_stock, Type::BOOL),
        (&search.metadata, Type::JSONB),
        (&sought.query, Type::TSQUERY),
        (&sought.alike, Type::TEXT),
    ]
}

/// Those of these products that are on sale.
pub(crate) async fn find_many(db: &Db, ids: &[i32]) -> Result<Vec<Product>, DbError> {
    let rows = db.rows(include_str!("../../queries/find_products.sql"), &[&ids]).await?;
    Ok(rows.iter().map(Product::from).collect())
}

fn found(row: &Row) -> Found {
    Found { product: Product::from(row), score: row.get("score") }
}

pub(crate) async fn list_low_stock(db: &Db, after: Option<i32>, rows: usize) -> Result<Vec<Product>, DbError> {
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let rows = db.rows(include_str!("../../queries/list_low_stock.sql"), &[&after, &rows]).await?;
    Ok(rows.iter().map(Product::from).collect())
}
