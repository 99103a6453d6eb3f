//! Stock over HTTP, for administrators.

use axum::extract::State;
use axum::response::IntoResponse;
use estore_kit::auth::MayManageCatalogue;
use estore_kit::extract::{Json, Path, Query};
use estore_kit::paging::{List, PageQuery};
use estore_kit::problem::Problem;

use super::problems::{AdminRead, AdminReadOne, Edit};
use crate::Inventory;
use crate::operations::change_stock::change_stock as change;
use crate::operations::list_low_stock::list_low_stock as low_stock;
use crate::operations::list_movements::list_movements as movements;
use crate::product::Product;
use crate::stock::{StockChange, StockLevel, StockMovement};

/// Changes a product's stock by `delta` or to `quantity`; units on hold are off the quantity already.
#[utoipa::path(
    post, path = "/v1/products/{id}/stock", tag = "stock", request_body = StockChange,
    params(("id" = i32, Path, description = "The product.")), security(("bearer" = [])),
    responses((status = 200, description = "The stock as it is now.", body = StockLevel), Edit)
)]
pub(crate) async fn change_stock(
    State(inventory): State<Inventory>,
    MayManageCatalogue(admin): MayManageCatalogue,
    Path(id): Path<i32>,
    Json(wanted): Json<StockChange>,
) -> Result<impl IntoResponse, Problem> {
    let level = change(&inventory.db, id, &wanted, admin.user_id).await?;
    inventory.catalogue.forget_product(id);
    Ok(axum::Json(level))
}

/// Lists a product's stock movements, the newest first.
#[utoipa::path(
    get, path = "/v1/products/{id}/stock-movements", tag = "stock",
    params(("id" = i32, Path, description = "The product."), PageQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of movements.", body = List<StockMovement>), AdminReadOne)
)]
pub(crate) async fn list_movements(
    State(inventory): State<Inventory>,
    MayManageCatalogue(caller): MayManageCatalogue,
    Path(id): Path<i32>,
    Query(query): Query<PageQuery>,
) -> Result<impl IntoResponse, Problem> {
    Ok(axum::Json(movements((&inventory.db, &caller), id, &query).await?))
}

/// Lists products on sale whose quantity is at or under their `min_stock_level`, in id order.
#[utoipa::path(
    get, path = "/v1/products/low-stock", tag = "stock", params(PageQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of products.", body = List<Product>), AdminRead)
)]
pub(crate) async fn list_low_stock(
    State(inventory): State<Inventory>,
    _caller: MayManageCatalogue,
    Query(query): Query<PageQuery>,
) -> Result<impl IntoResponse, Problem> {
    Ok(axum::Json(low_stock(&inventory.db, &query).await?))
}
