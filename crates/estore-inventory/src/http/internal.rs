//! What neighbours in other processes call; the same as the trait, over HTTP.

use axum::Json as Answer;
use axum::extract::State;
use estore_api::inventory::{HoldOutcome, HoldRequest, InventoryApi, OpenHold, OpenHoldsQuery, RestockLine};
use estore_kit::extract::Json;
use estore_kit::problem::Problem;
use estore_kit::service_auth::ServiceCaller;
use uuid::Uuid;

use crate::Inventory;

pub(crate) async fn hold(
    State(inventory): State<Inventory>,
    _caller: ServiceCaller,
    Json(holds): Json<Vec<HoldRequest>>,
) -> Result<Answer<Vec<HoldOutcome>>, Problem> {
    Ok(Answer(inventory.hold(holds).await?))
}

pub(crate) async fn release(
    State(inventory): State<Inventory>,
    _caller: ServiceCaller,
    Json(checkouts): Json<Vec<Uuid>>,
) -> Result<Answer<()>, Problem> {
    Ok(Answer(inventory.release(checkouts).await?))
}

pub(crate) async fn sell(
    State(inventory): State<Inventory>,
    _caller: ServiceCaller,
    Json(checkouts): Json<Vec<Uuid>>,
) -> Result<Answer<()>, Problem> {
    Ok(Answer(inventory.sell(checkouts).await?))
}

pub(crate) async fn restock(
    State(inventory): State<Inventory>,
    _caller: ServiceCaller,
    Json(lines): Json<Vec<RestockLine>>,
) -> Result<Answer<()>, Problem> {
    Ok(Answer(inventory.restock(lines).await?))
}

pub(crate) async fn open_holds(
    State(inventory): State<Inventory>,
    _caller: ServiceCaller,
    Json(query): Json<OpenHoldsQuery>,
) -> Result<Answer<Vec<OpenHold>>, Problem> {
    Ok(Answer(inventory.open_holds(query).await?))
}
