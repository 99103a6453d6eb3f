//! Lists the products that need ordering.

use estore_kit::db::Db;
use estore_kit::paging::{self, List, PageQuery};
use estore_kit::problem::Problem;

use crate::product::Product;
use crate::store::products;

/// Products on sale whose quantity is at or under their level, in id order.
pub(crate) async fn list_low_stock(db: &Db, query: &PageQuery) -> Result<List<Product>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after = paging::decode::<i32>(query.cursor.as_deref())?;
    let rows = products::list_low_stock(db, after, limit + 1).await?;
    Ok(paging::page(rows, limit, |product| product.id))
}
