//! API keys, for administrators.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use estore_kit::auth::Admin;
use estore_kit::extract::{Json, Path, Query};
use estore_kit::paging::{List, PageQuery};
use estore_kit::problem::{Problem, ProblemBody};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::documentation::{ForAdmins, WithBody};
use crate::api_key::{ApiKey, ApiKeyWithSecret, Scope};
use crate::operations;
use crate::operations::create_api_key::ApiKeyWish;
use crate::service::Service;

/// A key that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedApiKey {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100, example = "warehouse scanner")]
    name: String,
    /// What it may do.
    #[schema(min_items = 1, max_items = 5)]
    scopes: Vec<Scope>,
    /// For how many days it is good, 1 to 365 (90 when left out).
    #[schema(minimum = 1, maximum = 365)]
    expires_in_days: Option<i32>,
}

/// Makes an API key for a program of the shop. It acts in the name of whoever makes it, on the routes of its scopes, as
/// long as its maker may do that; its secret is shown this once.
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "administration", operation_id = "create_api_key", request_body = WantedApiKey,
    security(("bearer" = [])),
    responses(
        (status = 201, description = "The key", body = ApiKeyWithSecret),
        (status = 409, description = "The caller has a hundred good ones", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody, ForAdmins,
    ),
)]
pub(super) async fn create(
    State(service): State<Arc<Service>>,
    Admin(caller): Admin,
    Json(input): Json<WantedApiKey>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], axum::Json<ApiKeyWithSecret>), Problem> {
    let WantedApiKey { name, scopes, expires_in_days } = input;
    let wish = ApiKeyWish { name, scopes, expires_in_days };
    let made = operations::create_api_key::create_api_key(&service, &caller, wish).await?;
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], axum::Json(made)))
}

/// All API keys, newest first; those that ended are listed for three months more.
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "administration", operation_id = "list_api_keys", params(PageQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of keys", body = List<ApiKey>), ForAdmins),
)]
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    Admin(caller): Admin,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<List<ApiKey>>, Problem> {
    Ok(axum::Json(operations::manage_api_keys::list_api_keys(&service, &caller, &query).await?))
}

/// Revokes an API key.
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", tag = "administration", operation_id = "revoke_api_key",
    params(("id" = Uuid, Path, description = "The key's id")), security(("bearer" = [])),
    responses(
        (status = 204, description = "It has ended; every service refuses it within a second"),
        (status = 404, description = "There is no such key that is good", body = ProblemBody,
            content_type = "application/problem+json"),
        ForAdmins,
    ),
)]
pub(super) async fn revoke(
    State(service): State<Arc<Service>>,
    _admin: Admin,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    operations::manage_api_keys::revoke_api_key(&service, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
