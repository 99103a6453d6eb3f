//! Accounts, for those who manage them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use estore_kit::auth::{MayManageUsers, Permission};
use estore_kit::extract::{Json, Path, Query};
use estore_kit::paging::List;
use estore_kit::problem::{Problem, ProblemBody};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::documentation::{ForAdmins, WithBody};
use crate::operations;
use crate::operations::change_user::UserChange;
use crate::operations::list_users::UserSearch;
use crate::service::Service;
use crate::store::users::see_user;
use crate::user::{Role, User};

/// Which accounts, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserQuery {
    /// A part of the address.
    #[param(max_length = 255)]
    q: Option<String>,
    /// Only active accounts, or only others.
    is_active: Option<bool>,
    /// How many to answer, 1 to 100 (20 when left out).
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserPatch {
    /// Whether the account may log in; `false` ends its sessions.
    is_active: Option<bool>,
    /// All roles the account is to have.
    #[schema(max_items = 7)]
    roles: Option<Vec<Role>>,
}

type Tagged = ([(HeaderName, String); 1], axum::Json<User>);

fn tagged(user: User) -> Tagged {
    ([(header::ETAG, user.etag())], axum::Json(user))
}

/// Lists accounts by id, all or those whose address holds `q`.
#[utoipa::path(
    get, path = "/v1/users", tag = "administration", operation_id = "list_users", params(UserQuery),
    security(("bearer" = [])),
    responses((status = 200, description = "A page of accounts", body = List<User>), ForAdmins),
)]
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    MayManageUsers(caller): MayManageUsers,
    Query(query): Query<UserQuery>,
) -> Result<axum::Json<List<User>>, Problem> {
    let UserQuery { q, is_active, limit, cursor } = query;
    let search = UserSearch { text: q, is_active, limit, cursor };
    Ok(axum::Json(operations::list_users::list_users(&service, &caller, search).await?))
}

/// One account.
#[utoipa::path(
    get, path = "/v1/users/{id}", tag = "administration", operation_id = "show_user",
    params(("id" = i32, Path, description = "The account's number")), security(("bearer" = [])),
    responses(
        (status = 200, description = "The account", body = User, headers(("ETag" = String))),
        (status = 404, description = "There is none", body = ProblemBody, content_type = "application/problem+json"),
        ForAdmins,
    ),
)]
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    MayManageUsers(caller): MayManageUsers,
    Path(id): Path<i32>,
) -> Result<Tagged, Problem> {
    let user = see_user(&service.db.seen_by(caller.viewer(&[Permission::Users])), id).await?;
    user.map(tagged).ok_or_else(|| Problem::not_found("user"))
}

/// Deactivates an account, opens it again, or sets its roles. Roles, and accounts that have any, are for administrators
/// alone, and given to proved addresses alone. Whoever loses a role is logged out.
#[utoipa::path(
    patch, path = "/v1/users/{id}", tag = "administration", operation_id = "change_user", request_body = UserPatch,
    params(
        ("id" = i32, Path, description = "The account's number"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the state that is to be changed"),
    ),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The account as it is now", body = User, headers(("ETag" = String))),
        (status = 404, description = "There is none", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is the last active administrator, erased, or its address is not proved", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 412, description = "It has changed since", body = ProblemBody, content_type = "application/problem+json"),
        WithBody, ForAdmins,
    ),
)]
pub(super) async fn change(
    State(service): State<Arc<Service>>,
    MayManageUsers(caller): MayManageUsers,
    Path(id): Path<i32>,
    headers: HeaderMap,
    Json(input): Json<UserPatch>,
) -> Result<Tagged, Problem> {
    let if_match = headers.get(header::IF_MATCH).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let change = UserChange { is_active: input.is_active, roles: input.roles, if_match };
    operations::change_user::change_user(&service, &caller, id, change).await.map(tagged).map_err(Problem::from)
}
