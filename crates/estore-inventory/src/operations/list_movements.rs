//! Lists how a product's stock came to be what it is.

use estore_kit::auth::{Caller, Permission};
use estore_kit::db::Db;
use estore_kit::paging::{self, List, PageQuery};
use estore_kit::problem::Problem;

use crate::stock::StockMovement;
use crate::store::{products, stock};

/// A product's movements, the newest first.
pub(crate) async fn list_movements(
    (db, caller): (&Db, &Caller),
    product_id: i32,
    query: &PageQuery,
) -> Result<List<StockMovement>, Problem> {
    let limit = paging::limit(query.limit)?;
    let before = paging::decode::<i64>(query.cursor.as_deref())?;
    let rows = stock::list(&db.seen_by(caller.viewer(&[Permission::Catalogue])), product_id, before, limit + 1).await?;
    if rows.is_empty() && products::find(db, product_id).await?.is_none() {
        return Err(Problem::not_found("product"));
    }
    Ok(paging::page(rows, limit, |movement| movement.id))
}
