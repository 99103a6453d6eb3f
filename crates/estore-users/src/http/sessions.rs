//! Where one is logged in, and the end of it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use estore_kit::auth::Caller;
use estore_kit::extract::{Path, Query};
use estore_kit::paging::{List, PageQuery};
use estore_kit::problem::{Problem, ProblemBody};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::documentation::{WithParameters, WithToken};
use crate::operations;
use crate::service::Service;
use crate::store::sessions::OpenSession;

/// How many sessions were ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionsEnded {
    /// All that were open but the one that asked.
    #[schema(minimum = 0)]
    ended: usize,
}

/// The caller's open sessions, newest first.
#[utoipa::path(
    get, path = "/v1/users/me/sessions", tag = "accounts", operation_id = "list_sessions", params(PageQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of sessions", body = List<OpenSession>), WithParameters, WithToken),
)]
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<List<OpenSession>>, Problem> {
    Ok(axum::Json(operations::list_sessions::list_sessions(&service, &caller, &query).await?))
}

/// Ends every session of the caller but the one that asks.
#[utoipa::path(
    delete, path = "/v1/users/me/sessions", tag = "accounts", operation_id = "revoke_other_sessions",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "They have ended; every service refuses their tokens within a second",
            body = SessionsEnded),
        WithToken,
    ),
)]
pub(super) async fn revoke_others(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<axum::Json<SessionsEnded>, Problem> {
    let ended = operations::revoke_session::revoke_other_sessions(&service, &caller).await?;
    Ok(axum::Json(SessionsEnded { ended }))
}

/// Ends one session of the caller.
#[utoipa::path(
    delete, path = "/v1/users/me/sessions/{id}", tag = "accounts", operation_id = "revoke_session",
    params(("id" = Uuid, Path, description = "The session's id")), security(("bearer" = [])),
    responses(
        (status = 204, description = "It has ended; every service refuses its tokens within a second"),
        (status = 404, description = "The caller has no such open session", body = ProblemBody,
            content_type = "application/problem+json"),
        WithParameters, WithToken,
    ),
)]
pub(super) async fn revoke(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    operations::revoke_session::revoke_session(&service, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
