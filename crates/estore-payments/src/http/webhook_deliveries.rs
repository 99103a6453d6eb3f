//! `/v1/webhook-endpoints/{id}/deliveries`.

use axum::Json as JsonBody;
use axum::extract::State;
use axum::http::StatusCode;
use estore_kit::auth::MayOperate;
use estore_kit::extract::{Path, Query};
use estore_kit::paging::{self, List};
use estore_kit::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::documented::{Hooking, Replaying};
use crate::operations::replay_webhooks::replay_webhooks;
use crate::service::Payments;
use crate::store::{webhook_endpoints, webhooks};
use crate::webhook::{DeliveryState, WebhookDelivery};

/// Which deliveries to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliveriesQuery {
    /// How many to answer, 1 to 100 (20 when left out).
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state; `dead` lists what was given up.
    #[param(inline)]
    state: Option<DeliveryState>,
}

/// What is sent again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Replayed {
    /// How many deliveries.
    replayed: u64,
}

/// An endpoint's deliveries, newest first.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}/deliveries", tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The endpoint"), DeliveriesQuery),
    responses((status = 200, body = List<WebhookDelivery>), Hooking)
)]
pub(super) async fn list_webhook_deliveries(
    State(payments): State<Payments>,
    _caller: MayOperate,
    Path(id): Path<Uuid>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<JsonBody<List<WebhookDelivery>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let before: i64 = paging::decode(query.cursor.as_deref())?.unwrap_or(i64::MAX);
    let db = &payments.shop.db;
    webhook_endpoints::read(db, id).await?.ok_or_else(|| Problem::not_found("webhook endpoint"))?;
    let rows = webhooks::list_deliveries(db, id, query.state, before, limit as i64 + 1).await?;
    Ok(JsonBody(paging::page(payments.shop.shown(rows)?, limit, |delivery| delivery.id)))
}

/// Sends a delivery that is dead or delivered again.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/deliveries/{delivery_id}/replay", tag = "webhooks",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The endpoint"),
        ("delivery_id" = i64, Path, description = "The delivery")),
    responses((status = 202, body = Replayed, description = "It is on its way"), Replaying)
)]
pub(super) async fn replay_webhook_delivery(
    State(payments): State<Payments>,
    _caller: MayOperate,
    Path((id, delivery_id)): Path<(Uuid, i64)>,
) -> Result<(StatusCode, JsonBody<Replayed>), Problem> {
    let replayed = replay_webhooks(&payments.shop, id, Some(delivery_id)).await?;
    Ok((StatusCode::ACCEPTED, JsonBody(Replayed { replayed })))
}

/// Sends an endpoint's dead deliveries again, the oldest first, at most 10,000 at a time.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/deliveries/replay", tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The endpoint")),
    responses((status = 202, body = Replayed, description = "They are on their way"), Hooking)
)]
pub(super) async fn replay_dead_webhook_deliveries(
    State(payments): State<Payments>,
    _caller: MayOperate,
    Path(id): Path<Uuid>,
) -> Result<(StatusCode, JsonBody<Replayed>), Problem> {
    let replayed = replay_webhooks(&payments.shop, id, None).await?;
    Ok((StatusCode::ACCEPTED, JsonBody(Replayed { replayed })))
}
