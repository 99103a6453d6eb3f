//! Categories in the database.

use estore_kit::db::{Db, DbError};
use jiff::Timestamp;

use crate::category::{Category, CategoryChange, NewCategory};

/// Which categories a page holds.
#[derive(Debug)]
pub(crate) struct CategoryPage {
    pub(crate) shows_inactive: bool,
    pub(crate) parent_id: Option<i32>,
    pub(crate) after: Option<i32>,
    pub(crate) rows: usize,
}

pub(crate) async fn insert(db: &Db, category: &NewCategory) -> Result<Category, DbError> {
    let row = db
        .signed()
        .row(
            include_str!("../../queries/insert_category.sql"),
            &[&category.name, &category.description, &category.parent_id, &category.is_active],
        )
        .await?;
    row.as_ref().map(Category::from).ok_or_else(|| DbError::Failed("an insert answered no row".to_owned()))
}

pub(crate) async fn update(
    db: &Db,
    id: i32,
    editions: &Option<Vec<Timestamp>>,
    change: &CategoryChange,
) -> Result<Option<Category>, DbError> {
    let row = db
        .signed()
        .row(
            include_str!("../../queries/update_category.sql"),
            &[
                &id,
                editions,
                &change.name.is_some(),
                &change.name,
                &change.description.is_some(),
                &change.description.as_ref().and_then(Option::as_ref),
                &change.parent_id.is_some(),
                &change.parent_id.flatten(),
                &change.is_active.is_some(),
                &change.is_active,
            ],
        )
        .await?;
    Ok(row.as_ref().map(Category::from))
}

/// Whether there was one of these editions to delete.
pub(crate) async fn delete(db: &Db, id: i32, editions: &Option<Vec<Timestamp>>) -> Result<bool, DbError> {
    let row = db.signed().row(include_str!("../../queries/delete_category.sql"), &[&id, editions]).await?;
    Ok(row.is_some())
}

pub(crate) async fn find(db: &Db, id: i32) -> Result<Option<Category>, DbError> {
    let row = db.row(include_str!("../../queries/find_category.sql"), &[&id]).await?;
    Ok(row.as_ref().map(Category::from))
}

pub(crate) async fn list(db: &Db, page: &CategoryPage) -> Result<Vec<Category>, DbError> {
    let rows = i64::try_from(page.rows).unwrap_or(i64::MAX);
    let rows = db
        .rows(
            include_str!("../../queries/list_categories.sql"),
            &[&page.shows_inactive, &page.parent_id, &page.after, &rows],
        )
        .await?;
    Ok(rows.iter().map(Category::from).collect())
}
