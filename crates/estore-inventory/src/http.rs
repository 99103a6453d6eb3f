//! The routes: extract, call, respond.

pub(crate) mod answer;
pub(crate) mod categories;
pub(crate) mod imports;
pub(crate) mod internal;
pub(crate) mod problems;
pub(crate) mod products;
pub(crate) mod stock;

use axum::routing::post;
use axum::{Extension, Router};
use estore_api::inventory::routes as internal_routes;
use estore_kit::extract::BodyBytesMax;
use estore_kit::problem::ProblemBody;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Inventory;
use crate::limits::INTERNAL_BODY_BYTES_MAX;

#[derive(OpenApi)]
#[openapi(components(schemas(ProblemBody)), tags((name = "catalogue"), (name = "stock")))]
struct Documented;

pub(crate) fn public(inventory: Inventory) -> OpenApiRouter {
    OpenApiRouter::with_openapi(Documented::openapi())
        .routes(routes!(categories::list_categories, categories::create_category))
        .routes(routes!(categories::change_category, categories::delete_category))
        .routes(routes!(products::list_products, products::create_product))
        .routes(routes!(stock::list_low_stock))
        .routes(routes!(imports::import_products))
        .routes(routes!(imports::export_products))
        .routes(routes!(products::find_product, products::change_product, products::deactivate_product))
        .routes(routes!(stock::change_stock))
        .routes(routes!(stock::list_movements))
        .with_state(inventory)
}

pub(crate) fn internal(inventory: Inventory) -> Router {
    Router::new()
        .route(internal_routes::HOLD, post(internal::hold))
        .route(internal_routes::RELEASE, post(internal::release))
        .route(internal_routes::SELL, post(internal::sell))
        .route(internal_routes::RESTOCK, post(internal::restock))
        .route(internal_routes::OPEN_HOLDS, post(internal::open_holds))
        .layer(Extension(BodyBytesMax(INTERNAL_BODY_BYTES_MAX)))
        .with_state(inventory)
}
