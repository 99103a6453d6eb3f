//! What neighbours in other processes call; the same as the traits, over HTTP.

use axum::Json as Answer;
use axum::extract::State;
use estore_api::customers::{CustomersApi, Purchases};
use estore_api::events::{EventsApi, ServiceEvent};
use estore_kit::extract::Json;
use estore_kit::problem::Problem;
use estore_kit::service_auth::ServiceCaller;

use crate::service::Payments;

pub(super) async fn publish(
    State(payments): State<Payments>,
    _caller: ServiceCaller,
    Json(events): Json<Vec<ServiceEvent>>,
) -> Result<Answer<()>, Problem> {
    Ok(Answer(payments.publish(events).await?))
}

pub(super) async fn purchases(
    State(payments): State<Payments>,
    _caller: ServiceCaller,
    Json(user_id): Json<i32>,
) -> Result<Answer<Purchases>, Problem> {
    Ok(Answer(payments.purchases(user_id).await?))
}
