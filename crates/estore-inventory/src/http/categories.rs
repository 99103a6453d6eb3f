//! Categories over HTTP.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use estore_kit::auth::{Caller, MayManageCatalogue, Permission};
use estore_kit::extract::{Json, Path, Query};
use estore_kit::paging::List;
use estore_kit::problem::Problem;

use super::problems::{Create, Edit, Read, Remove};
use crate::Inventory;
use crate::category::{Category, CategoryChange, NewCategory};
use crate::edition::{IfMatch, etag};
use crate::operations::change_category::change_category as change;
use crate::operations::create_category::create_category as create;
use crate::operations::delete_category::delete_category as delete;
use crate::operations::list_categories::{CategoriesQuery, list_categories as list};

/// Lists categories in id order: the whole tree by `parent_id`, or the children of one.
#[utoipa::path(
    get, path = "/v1/categories", tag = "catalogue", params(CategoriesQuery), security((), ("bearer" = [])),
    responses((status = 200, description = "A page of categories.", body = List<Category>), Read)
)]
pub(crate) async fn list_categories(
    State(inventory): State<Inventory>,
    caller: Option<Caller>,
    Query(query): Query<CategoriesQuery>,
) -> Result<impl IntoResponse, Problem> {
    let shows_inactive = caller.is_some_and(|caller| caller.may(Permission::Catalogue));
    Ok(axum::Json(list(&inventory.db, &query, shows_inactive).await?))
}

/// Adds a category.
#[utoipa::path(
    post, path = "/v1/categories", tag = "catalogue", request_body = NewCategory, security(("bearer" = [])),
    responses(
        (status = 201, description = "The new category.", body = Category,
            headers(("ETag" = String, description = "Its edition."))),
        Create
    )
)]
pub(crate) async fn create_category(
    State(inventory): State<Inventory>,
    _caller: MayManageCatalogue,
    Json(category): Json<NewCategory>,
) -> Result<impl IntoResponse, Problem> {
    let category = create(&inventory.db, &category).await?;
    let edition = etag(category.created_at, category.updated_at);
    Ok((StatusCode::CREATED, [(header::ETAG, edition)], axum::Json(category)))
}

/// Changes a category; a new parent moves it with all that is below it.
#[utoipa::path(
    patch, path = "/v1/categories/{id}", tag = "catalogue", request_body = CategoryChange,
    params(
        ("id" = i32, Path, description = "The category."),
        ("If-Match" = Option<String>, Header, description = "The ETag of the edition that is changed."),
    ),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The category as it is now.", body = Category,
            headers(("ETag" = String, description = "Its edition."))),
        Edit
    )
)]
pub(crate) async fn change_category(
    State(inventory): State<Inventory>,
    _caller: MayManageCatalogue,
    Path(id): Path<i32>,
    IfMatch(editions): IfMatch,
    Json(wanted): Json<CategoryChange>,
) -> Result<impl IntoResponse, Problem> {
    let category = change(&inventory.db, id, &editions, &wanted).await?;
    inventory.catalogue.forget_lists();
    inventory.index.heard_of_categories();
    let edition = etag(category.created_at, category.updated_at);
    Ok(([(header::ETAG, edition)], axum::Json(category)))
}

/// Deletes a category that has neither children nor products.
#[utoipa::path(
    delete, path = "/v1/categories/{id}", tag = "catalogue",
    params(
        ("id" = i32, Path, description = "The category."),
        ("If-Match" = Option<String>, Header, description = "The ETag of the edition that is deleted."),
    ),
    security(("bearer" = [])),
    responses((status = 204, description = "It is gone."), Remove)
)]
pub(crate) async fn delete_category(
    State(inventory): State<Inventory>,
    _caller: MayManageCatalogue,
    Path(id): Path<i32>,
    IfMatch(editions): IfMatch,
) -> Result<impl IntoResponse, Problem> {
    delete(&inventory.db, id, &editions).await?;
    Ok(StatusCode::NO_CONTENT)
}
