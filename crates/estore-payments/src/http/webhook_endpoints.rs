//! `/v1/webhook-endpoints`.

use axum::Json as JsonBody;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use estore_kit::auth::MayOperate;
use estore_kit::extract::{Json, Path, Query};
use estore_kit::paging::{self, List, PageQuery};
use estore_kit::problem::Problem;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;
use uuid::Uuid;

use super::documented::{Administering, Creating, Hooking, Rehooking, Rotating};
use super::tagged;
use crate::event::EventType;
use crate::operations::change_webhook_endpoint::{self as change, EndpointChange};
use crate::operations::create_webhook_endpoint::{self as create, EndpointWish};
use crate::operations::{delete_webhook_endpoint as delete, rotate_webhook_secret as rotate};
use crate::service::Payments;
use crate::store::webhook_endpoints as store;
use crate::webhook::{WebhookEndpoint, WebhookEndpointWithSecret};

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

/// Changes of an endpoint; what is left out stays, `"description": null` takes the description away.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WebhookEndpointChange {
    /// Where deliveries are posted: `https`, on the internet, at most 2,048 characters.
    #[schema(max_length = 2048, example = "https://erp.example.com/hooks/estore")]
    url: Option<String>,
    /// What it is to hear of from now on.
    #[schema(min_items = 1)]
    events: Option<Vec<EventType>>,
    /// What it is for, at most 255 characters.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 255)]
    description: Option<Option<String>>,
    /// Whether it is delivered to.
    is_active: Option<bool>,
}

/// Tells a field that is `null` from one that is left out.
fn given<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// Makes an endpoint. Each delivery is a `POST` with the headers `webhook-id` (the event: the same at each repeat),
/// `webhook-timestamp` and `webhook-signature` of Standard Webhooks, signed with the secret of this answer.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints", tag = "webhooks", security(("bearer" = [])),
    request_body = WantedWebhookEndpoint,
    responses(
        (status = 201, body = WebhookEndpointWithSecret, description = "Made; the secret is not shown again"),
        Creating,
    )
)]
pub(super) async fn create_webhook_endpoint(
    State(payments): State<Payments>,
    MayOperate(caller): MayOperate,
    Json(body): Json<WantedWebhookEndpoint>,
) -> Result<(StatusCode, JsonBody<WebhookEndpointWithSecret>), Problem> {
    let WantedWebhookEndpoint { url, events, description } = body;
    let wish = EndpointWish { url, events, description, actor_id: caller.user_id };
    let made = create::create_webhook_endpoint(&payments.shop, wish).await?;
    Ok((StatusCode::CREATED, JsonBody(made)))
}

/// The endpoints, paused ones too, oldest first.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints", tag = "webhooks", security(("bearer" = [])),
    params(PageQuery),
    responses((status = 200, body = List<WebhookEndpoint>), Administering)
)]
pub(super) async fn list_webhook_endpoints(
    State(payments): State<Payments>,
    _caller: MayOperate,
    Query(query): Query<PageQuery>,
) -> Result<JsonBody<List<WebhookEndpoint>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after: Option<Uuid> = paging::decode(query.cursor.as_deref())?;
    let rows = store::list(&payments.shop.db, after, limit as i64 + 1).await?;
    Ok(JsonBody(paging::page(rows, limit, |endpoint| endpoint.id)))
}

/// One endpoint.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}", tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The endpoint"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` you have")),
    responses(
        (status = 200, body = WebhookEndpoint, headers(("ETag" = String, description = "Its present form"))),
        (status = 304, description = "You have its present form"),
        Hooking,
    )
)]
pub(super) async fn read_webhook_endpoint(
    State(payments): State<Payments>,
    _caller: MayOperate,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = store::read(&payments.shop.db, id).await?.ok_or_else(|| Problem::not_found("webhook endpoint"))?;
    Ok(tagged(&headers, &found))
}

/// Changes an endpoint: its address, what it hears of, what it is for; or pauses it and takes it up again. What is on
/// its way goes to the new address. To a paused endpoint nothing goes: no deliveries are written for it, and those on
/// their way are dead; they can be replayed once it is active again.
#[utoipa::path(
    patch, path = "/v1/webhook-endpoints/{id}", tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The endpoint"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the change is based on")),
    request_body = WebhookEndpointChange,
    responses(
        (status = 200, body = WebhookEndpoint, headers(("ETag" = String, description = "Its present form"))),
        Rehooking,
    )
)]
pub(super) async fn change_webhook_endpoint(
    State(payments): State<Payments>,
    MayOperate(caller): MayOperate,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(body): Json<WebhookEndpointChange>,
) -> Result<Response, Problem> {
    let WebhookEndpointChange { url, events, description, is_active } = body;
    let if_match = headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap_or("").to_owned());
    let change = EndpointChange { id, url, events, description, is_active, actor_id: caller.user_id, if_match };
    let changed = change::change_webhook_endpoint(&payments.shop, change).await?;
    Ok(tagged(&HeaderMap::new(), &changed))
}

/// Gives an endpoint a new secret. Until 24 hours after the last rotation deliveries carry a signature by each, so that the receiver can change
/// over at leisure; at most four secrets sign at a time.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/rotate-secret", tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The endpoint")),
    responses(
        (status = 200, body = WebhookEndpointWithSecret, description = "It signs from now on; it is not shown again"),
        Rotating,
    )
)]
pub(super) async fn rotate_webhook_secret(
    State(payments): State<Payments>,
    _caller: MayOperate,
    Path(id): Path<Uuid>,
) -> Result<JsonBody<WebhookEndpointWithSecret>, Problem> {
    Ok(JsonBody(rotate::rotate_webhook_secret(&payments.shop, id).await?))
}

/// Deletes an endpoint: nothing is sent to it any more, and what was on its way is dead.
#[utoipa::path(
    delete, path = "/v1/webhook-endpoints/{id}", tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The endpoint")),
    responses((status = 204, description = "It hears no more"), Hooking)
)]
pub(super) async fn delete_webhook_endpoint(
    State(payments): State<Payments>,
    _caller: MayOperate,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    delete::delete_webhook_endpoint(&payments.shop, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
