//! `/v1/webhook-endpoints`.

use axum::Json as JsonBody;
use axum::extract::State;
use axum::http::StatusCode;
use estore_kit::auth::Admin;
use estore_kit::extract::{Json, Path, Query};
use estore_kit::paging::{self, List, PageQuery};
use estore_kit::problem::Problem;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::documented::{Administering, Creating, Hooking};
use crate::event::EventType;
use crate::operations::create_webhook_endpoint::{self as create, EndpointWish};
use crate::operations::delete_webhook_endpoint as delete;
use crate::service::Payments;
use crate::store::webhooks;
use crate::webhook::{NewWebhookEndpoint, WebhookEndpoint};

/// A place that is to hear of events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedWebhookEndpoint {
    /// Where deliveries are posted: `https`, on the internet, at most 2,048 characters.
    #[schema(max_length = 2048, example = "https://erp.example.com/hooks/estore")]
    url: String,
    /// What it is to hear of; `all` is every event, those to come included.
    #[schema(min_items = 1)]
    events: Vec<EventType>,
    /// What it is for, at most 255 characters.
    #[schema(max_length = 255)]
    description: Option<String>,
}

/// Makes an endpoint. Each delivery is a `POST` with the headers `webhook-id` (the event: the same at each repeat),
/// `webhook-timestamp` and `webhook-signature` of Standard Webhooks, signed with the secret of this answer.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints", tag = "webhooks", security(("bearer" = [])),
    request_body = WantedWebhookEndpoint,
    responses(
        (status = 201, body = NewWebhookEndpoint, description = "Made; the secret is not shown again"),
        Creating,
    )
)]
pub(super) async fn create_webhook_endpoint(
    State(payments): State<Payments>,
    Admin(caller): Admin,
    Json(body): Json<WantedWebhookEndpoint>,
) -> Result<(StatusCode, JsonBody<NewWebhookEndpoint>), Problem> {
    let WantedWebhookEndpoint { url, events, description } = body;
    let wish = EndpointWish { url, events, description, actor_id: caller.user_id };
    let made = create::create_webhook_endpoint(&payments.shop, wish).await?;
    Ok((StatusCode::CREATED, JsonBody(made)))
}

/// The endpoints, oldest first.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints", tag = "webhooks", security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, body = List<WebhookEndpoint>), Administering)
)]
pub(super) async fn list_webhook_endpoints(
    State(payments): State<Payments>,
    _admin: Admin,
    Query(query): Query<PageQuery>,
) -> Result<JsonBody<List<WebhookEndpoint>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after: Option<Uuid> = paging::decode(query.cursor.as_deref())?;
    let rows = webhooks::list_endpoints(&payments.shop.db, after, limit as i64 + 1).await?;
    Ok(JsonBody(paging::page(rows, limit, |endpoint| endpoint.id)))
}

/// One endpoint.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}", tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The endpoint")),
    responses((status = 200, body = WebhookEndpoint), Hooking)
)]
pub(super) async fn read_webhook_endpoint(
    State(payments): State<Payments>,
    _admin: Admin,
    Path(id): Path<Uuid>,
) -> Result<JsonBody<WebhookEndpoint>, Problem> {
    let found = webhooks::read_endpoint(&payments.shop.db, id).await?;
    found.map(JsonBody).ok_or_else(|| Problem::not_found("webhook endpoint"))
}

/// Deletes an endpoint: nothing is sent to it any more, and what was on its way is dead.
#[utoipa::path(
    delete, path = "/v1/webhook-endpoints/{id}", tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The endpoint")),
    responses((status = 204, description = "It hears no more"), Hooking)
)]
pub(super) async fn delete_webhook_endpoint(
    State(payments): State<Payments>,
    _admin: Admin,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    delete::delete_webhook_endpoint(&payments.shop, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
