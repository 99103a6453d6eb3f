//! Lists categories: the whole tree in id order, or the children of one.

use estore_kit::db::Db;
use estore_kit::paging::{self, List};
use estore_kit::problem::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::category::Category;
use crate::store::categories::{self, CategoryPage};

/// Which categories to list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CategoriesQuery {
    /// Only the children of this category.
    pub parent_id: Option<i32>,
    /// How many to answer, 1 to 100 (20 when left out).
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A page of them; administrators see those that are not active too.
pub(crate) async fn list_categories(
    db: &Db,
    query: &CategoriesQuery,
    shows_inactive: bool,
) -> Result<List<Category>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after = paging::decode::<i32>(query.cursor.as_deref())?;
    let page = CategoryPage { shows_inactive, parent_id: query.parent_id, after, rows: limit + 1 };
    let rows = categories::list(db, &page).await?;
    Ok(paging::page(rows, limit, |category| category.id))
}
