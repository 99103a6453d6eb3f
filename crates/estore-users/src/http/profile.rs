//! One's own account.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use estore_kit::auth::Caller;
use estore_kit::db::Viewer;
use estore_kit::extract::Json;
use estore_kit::problem::{Problem, ProblemBody};
use serde::Deserialize;
use utoipa::ToSchema;

use super::documentation::{WithBody, WithToken};
use super::second_factor::OwnerProof;
use crate::operations::change_profile::{ChangeProfileError, ProfileChange};
use crate::operations::export_account::AccountExport;
use crate::operations::{self};
use crate::secret::Secret;
use crate::service::Service;
use crate::store::users::see_user;
use crate::user::User;
use crate::webauthn::wire::AuthenticationCredential;

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfilePatch {
    /// The address to change to, once it is proved by a mailed token.
    #[schema(format = "email", max_length = 255)]
    email: Option<String>,
    /// The new password; every session ends.
    #[schema(value_type = Option<String>, format = "password", min_length = 8, max_length = 128)]
    password: Option<Secret>,
    /// The present password.
    #[schema(value_type = Option<String>, format = "password")]
    current_password: Option<Secret>,
    /// What the authenticator shows; for accounts that log in by two steps, this or a recovery code.
    #[schema(value_type = Option<String>, example = "287082")]
    totp: Option<Secret>,
    /// One of the recovery codes; it does once.
    #[schema(value_type = Option<String>)]
    recovery_code: Option<Secret>,
    /// What a passkey answers to the challenge of `POST /v1/tokens/step-up/begin`, beside the password or in its place.
    passkey: Option<AuthenticationCredential>,
}

/// The caller's account.
#[utoipa::path(
    get, path = "/v1/users/me", tag = "accounts", operation_id = "show_profile", security(("bearer" = [])),
    responses((status = 200, description = "The account", body = User), WithToken),
)]
pub(super) async fn show(State(service): State<Arc<Service>>, caller: Caller) -> Result<axum::Json<User>, Problem> {
    let view = service.db.seen_by(Viewer::Customer(caller.user_id));
    let user = see_user(&view, caller.user_id).await?;
    Ok(axum::Json(user.filter(|user| user.is_active).ok_or(ChangeProfileError::Gone)?))
}

/// Changes the address, the password or both.
#[utoipa::path(
    patch, path = "/v1/users/me", tag = "accounts", operation_id = "change_profile", request_body = ProfilePatch,
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The account as it is now; a new address waits in `pending_email`", body = User),
        (status = 403, description = "The address is not proved, the present password or the passkey is wrong, or no second step \
            came with it",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "A passkey came, and this shop takes none", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 429, description = "It was wrong too often; `Retry-After` says for how long it is not looked at",
            body = ProblemBody, content_type = "application/problem+json"),
        WithBody, WithToken,
    ),
)]
pub(super) async fn change(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(input): Json<ProfilePatch>,
) -> Result<axum::Json<User>, Problem> {
    let ProfilePatch { email, password, current_password, totp, recovery_code, passkey } = input;
    let change = ProfileChange { email, password, current_password, totp, recovery_code, passkey };
    Ok(axum::Json(operations::change_profile::change_profile(&service, &caller, change).await?))
}

/// Erases the account: everything personal goes, its number stays.
#[utoipa::path(
    delete, path = "/v1/users/me", tag = "accounts", operation_id = "erase_account", request_body = OwnerProof,
    security(("bearer" = [])),
    responses(
        (status = 204, description = "The account is erased"),
        (status = 403, description = "The address is not proved, the present password is wrong, or no code came \
            with it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "It was wrong too often; `Retry-After` says for how long it is not looked at",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The caller is the last active administrator", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody, WithToken,
    ),
)]
pub(super) async fn erase(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(input): Json<OwnerProof>,
) -> Result<impl IntoResponse, Problem> {
    operations::erase_account::erase_account(&service, &caller, input.current_password.as_ref(), input.shown()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything the shop holds about the caller, but secrets.
#[utoipa::path(
    get, path = "/v1/users/me/export", tag = "accounts", operation_id = "export_account", security(("bearer" = [])),
    responses((status = 200, description = "The account, its sessions and its purchases", body = AccountExport), WithToken),
)]
pub(super) async fn export(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<axum::Json<AccountExport>, Problem> {
    Ok(axum::Json(operations::export_account::export_account(&service, &caller).await?))
}
