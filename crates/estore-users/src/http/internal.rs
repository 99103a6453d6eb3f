//! What neighbours in other processes call.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use estore_api::users::OrderNotice;
use estore_kit::auth::{ApiKey, EndedSessions, EndedSessionsQuery};
use estore_kit::extract::Json;
use estore_kit::problem::Problem;
use estore_kit::service_auth::ServiceCaller;

use crate::operations;
use crate::operations::write_order_mails::write_order_mails;
use crate::service::Service;

pub(super) async fn notify(
    State(service): State<Arc<Service>>,
    _caller: ServiceCaller,
    Json(notices): Json<Vec<OrderNotice>>,
) -> Result<Answer<()>, Problem> {
    Ok(Answer(write_order_mails(&service, &notices).await?))
}

pub(super) async fn find_api_key(
    State(service): State<Arc<Service>>,
    _caller: ServiceCaller,
    Json(hash): Json<String>,
) -> Result<Answer<Option<ApiKey>>, Problem> {
    Ok(Answer(operations::find_api_key::find_api_key(&service, &hash).await?))
}

pub(super) async fn ended_sessions(
    State(service): State<Arc<Service>>,
    _caller: ServiceCaller,
    Json(query): Json<EndedSessionsQuery>,
) -> Answer<EndedSessions> {
    Answer(service.revocations.since(query))
}
