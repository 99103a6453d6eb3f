//! Products over HTTP.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use estore_kit::auth::{Caller, MayManageCatalogue, Permission};
use estore_kit::extract::{Json, Path, Query};
use estore_kit::problem::Problem;

use super::answer::Wanted;
use super::problems::{Create, Edit, Read, ReadOne, Remove};
use crate::Inventory;
use crate::catalogue::Catalogue;
use crate::edition::{IfMatch, product_etag};
use crate::operations::change_product::change_product as change;
use crate::operations::create_product::create_product as create;
use crate::operations::deactivate_product::deactivate_product as deactivate;
use crate::operations::find_product::{find_any_product as find_any, find_product as find};
use crate::operations::list_products::list_products as list;
use crate::product::{NewProduct, Product, ProductChange};
use crate::search::{ProductList, ProductSearch, ProductsQuery};

/// Lists and searches products. Whoever manages the catalogue sees those that are not for sale too.
#[utoipa::path(
    get, path = "/v1/products", tag = "catalogue", params(ProductsQuery), security((), ("bearer" = [])),
    responses(
        (status = 200, description = "A page of products; compressed with gzip where `Accept-Encoding` takes it.",
            body = ProductList, headers(("ETag" = String, description = "The page, its stock included."))),
        (status = 304, description = "The page is the one that `If-None-Match` names."),
        Read
    )
)]
pub(crate) async fn list_products(
    State(inventory): State<Inventory>,
    caller: Option<Caller>,
    wanted: Wanted,
    Query(query): Query<ProductsQuery>,
) -> Result<Response, Problem> {
    let search = ProductSearch::read(query, caller.is_some_and(|caller| caller.may(Permission::Catalogue)))?;
    Ok(wanted.answer(&*list(&inventory.db, &inventory.catalogue, &inventory.index, &search).await?))
}

/// Adds a product; its quantity is its first stock movement.
#[utoipa::path(
    post, path = "/v1/products", tag = "catalogue", request_body = NewProduct, security(("bearer" = [])),
    responses(
        (status = 201, description = "The new product.", body = Product,
            headers(("ETag" = String, description = "Its edition."))),
        Create
    )
)]
pub(crate) async fn create_product(
    State(inventory): State<Inventory>,
    MayManageCatalogue(admin): MayManageCatalogue,
    Json(product): Json<NewProduct>,
) -> Result<impl IntoResponse, Problem> {
    let edited = create(&inventory.db, &product, admin.user_id).await?;
    inventory.catalogue.forget_lists();
    let product = inventory.index.take_in(edited);
    let edition = product_etag(&product);
    Ok((StatusCode::CREATED, [(header::ETAG, edition)], axum::Json(product)))
}

/// Shows a product; one that is not for sale is shown to those alone who manage the catalogue.
#[utoipa::path(
    get, path = "/v1/products/{id}", tag = "catalogue", security((), ("bearer" = [])),
    params(("id" = i32, Path, description = "The product.")),
    responses(
        (status = 200, description = "The product.", body = Product,
            headers(("ETag" = String,
                description = "Its edition and quantity. `If-Match` heeds the edition; stock moves make no new one."))),
        (status = 304, description = "The product and its quantity are what `If-None-Match` names."),
        ReadOne
    )
)]
pub(crate) async fn find_product(
    State(inventory): State<Inventory>,
    caller: Option<Caller>,
    wanted: Wanted,
    Path(id): Path<i32>,
) -> Result<Response, Problem> {
    let printed = match caller.is_some_and(|caller| caller.may(Permission::Catalogue)) {
        true => find_any(&inventory.db, id).await?,
        false => find(&inventory.reads, &inventory.catalogue, id).await?,
    };
    Ok(wanted.answer(&printed))
}

/// The same from memory, where the product is there with fresh stock; only by its plain address.
pub(crate) fn kept_product(catalogue: &Catalogue, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    let id = uri.path().strip_prefix("/v1/products/")?.parse().ok()?;
    let printed = catalogue.product(id).filter(|_| uri.query().is_none())?;
    Some(Wanted::of(headers).answer(&printed))
}

/// Changes what a product is. Its stock is changed by `POST /v1/products/{id}/stock`.
#[utoipa::path(
    patch, path = "/v1/products/{id}", tag = "catalogue", request_body = ProductChange,
    params(
        ("id" = i32, Path, description = "The product."),
        ("If-Match" = Option<String>, Header, description = "The ETag of the edition that is changed."),
    ),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The product as it is now.", body = Product,
            headers(("ETag" = String, description = "Its edition."))),
        Edit
    )
)]
pub(crate) async fn change_product(
    State(inventory): State<Inventory>,
    _caller: MayManageCatalogue,
    Path(id): Path<i32>,
    IfMatch(editions): IfMatch,
    Json(wanted): Json<ProductChange>,
) -> Result<impl IntoResponse, Problem> {
    let edited = change(&inventory.db, id, &editions, &wanted).await?;
    inventory.catalogue.forget_product(id);
    let product = inventory.index.take_in(edited);
    let edition = product_etag(&product);
    Ok(([(header::ETAG, edition)], axum::Json(product)))
}

/// Takes a product off sale. It stays, for orders name it.
#[utoipa::path(
    delete, path = "/v1/products/{id}", tag = "catalogue",
    params(
        ("id" = i32, Path, description = "The product."),
        ("If-Match" = Option<String>, Header, description = "The ETag of the edition that is taken off sale."),
    ),
    security(("bearer" = [])),
    responses((status = 204, description = "It is not for sale any more."), Remove)
)]
pub(crate) async fn deactivate_product(
    State(inventory): State<Inventory>,
    _caller: MayManageCatalogue,
    Path(id): Path<i32>,
    IfMatch(editions): IfMatch,
) -> Result<impl IntoResponse, Problem> {
    let edition = deactivate(&inventory.db, id, &editions).await?;
    inventory.catalogue.forget_product(id);
    inventory.index.take_out(id, edition);
    Ok(StatusCode::NO_CONTENT)
}
