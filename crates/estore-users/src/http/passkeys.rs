//! Passkeys: making, keeping and removing them, and logging in by them.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use estore_kit::auth::Caller;
use estore_kit::extract::{Json, Path};
use estore_kit::paging::List;
use estore_kit::problem::{Problem, ProblemBody};
use estore_kit::request::ClientAddress;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::documentation::{WithBody, WithParameters, WithToken};
use super::second_factor::{Unstored, unstored};
use super::tokens::{Tokens, answer, user_agent};
use crate::operations::add_passkey::{AddedPasskey, PasskeyWish, add_passkey};
use crate::operations::begin_passkey;
use crate::operations::log_in_by_passkey::log_in_by_passkey;
use crate::operations::manage_passkeys;
use crate::passkey::Passkey;
use crate::service::Service;
use crate::webauthn::wire::{AuthenticationCredential, CreationOptions, RegistrationCredential, RequestOptions};

/// A passkey that a device has made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPasskey {
    /// What to call it.
    #[schema(min_length = 1, max_length = 100, example = "blue phone")]
    name: String,
    /// Whether log-ins by password ask for it from now on, or for a code or another passkey in its place (no, when left
    /// out).
    #[serde(default)]
    is_second_step: bool,
    /// What `navigator.credentials.create` answered.
    credential: RegistrationCredential,
}

/// Another name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasskeyPatch {
    /// What to call it.
    #[schema(min_length = 1, max_length = 100, example = "blue phone")]
    name: String,
}

/// How a log-in goes on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasskeyLogInBegun {
    /// Whether the passkey is the second step of `POST /v1/tokens`; else it logs in alone.
    #[serde(default)]
    beside_password: bool,
}

/// A passkey that logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasskeyLogIn {
    /// What `navigator.credentials.get` answered.
    passkey: AuthenticationCredential,
}

/// Begins to add a passkey, for whoever logged in within five minutes.
#[utoipa::path(
    post, path = "/v1/users/me/passkeys/begin", tag = "accounts", operation_id = "begin_passkey",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "What the browser makes it by", body = CreationOptions),
        (status = 403, description = "The last log-in is too long ago, or the address is not proved", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "This shop takes no passkeys", body = ProblemBody,
            content_type = "application/problem+json"),
        WithToken,
    ),
)]
pub(super) async fn begin(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<Unstored<CreationOptions>, Problem> {
    Ok(unstored(begin_passkey::begin_registration(&service, &caller).await?))
}

/// Adds a passkey that the browser has made; its owner is told by mail.
#[utoipa::path(
    post, path = "/v1/users/me/passkeys", tag = "accounts", operation_id = "add_passkey", request_body = NewPasskey,
    security(("bearer" = [])),
    responses(
        (status = 201, description = "The passkey, and recovery codes with the account's first second step",
            body = AddedPasskey),
        (status = 409, description = "It is known already, there are twenty, or this shop takes none", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody, WithToken,
    ),
)]
pub(super) async fn add(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(input): Json<NewPasskey>,
) -> Result<(StatusCode, Unstored<AddedPasskey>), Problem> {
    let NewPasskey { name, is_second_step, credential } = input;
    let added = add_passkey(&service, &caller, &PasskeyWish { name, is_second_step, credential }).await?;
    Ok((StatusCode::CREATED, unstored(added)))
}

/// The caller's passkeys, oldest first, twenty at most.
#[utoipa::path(
    get, path = "/v1/users/me/passkeys", tag = "accounts", operation_id = "list_passkeys", security(("bearer" = [])),
    responses((status = 200, description = "All of them", body = List<Passkey>), WithToken),
)]
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<axum::Json<List<Passkey>>, Problem> {
    Ok(axum::Json(manage_passkeys::list_passkeys(&service, &caller).await?))
}

/// Gives a passkey another name, for whoever logged in within five minutes.
#[utoipa::path(
    patch, path = "/v1/users/me/passkeys/{id}", tag = "accounts", operation_id = "rename_passkey",
    params(("id" = Uuid, Path, description = "The passkey's id")), request_body = PasskeyPatch, security(("bearer" = [])),
    responses(
        (status = 200, description = "The passkey", body = Passkey),
        (status = 403, description = "The last log-in is too long ago", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "The caller has no such passkey", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody, WithToken,
    ),
)]
pub(super) async fn rename(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(input): Json<PasskeyPatch>,
) -> Result<axum::Json<Passkey>, Problem> {
    Ok(axum::Json(manage_passkeys::rename_passkey(&service, &caller, id, &input.name).await?))
}

/// Removes a passkey, for whoever logged in within five minutes; its owner is told by mail.
#[utoipa::path(
    delete, path = "/v1/users/me/passkeys/{id}", tag = "accounts", operation_id = "remove_passkey",
    params(("id" = Uuid, Path, description = "The passkey's id")), security(("bearer" = [])),
    responses(
        (status = 204, description = "It logs in no more"),
        (status = 403, description = "The last log-in is too long ago", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "The caller has no such passkey", body = ProblemBody,
            content_type = "application/problem+json"),
        WithParameters, WithToken,
    ),
)]
pub(super) async fn remove(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    manage_passkeys::remove_passkey(&service, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins a log-in by a passkey; the answer is the same for everybody.
#[utoipa::path(
    post, path = "/v1/tokens/passkey/begin", tag = "tokens", operation_id = "begin_passkey_log_in",
    request_body = PasskeyLogInBegun,
    responses(
        (status = 200, description = "What the browser has a passkey sign", body = RequestOptions),
        (status = 409, description = "This shop takes no passkeys", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody,
    ),
)]
pub(super) async fn begin_log_in(
    State(service): State<Arc<Service>>,
    Json(input): Json<PasskeyLogInBegun>,
) -> Result<Unstored<RequestOptions>, Problem> {
    Ok(unstored(begin_passkey::begin_log_in(&service, input.beside_password)?))
}

/// Logs in by a passkey alone, whose authenticator has checked who uses it.
#[utoipa::path(
    post, path = "/v1/tokens/passkey", tag = "tokens", operation_id = "log_in_by_passkey", request_body = PasskeyLogIn,
    responses(
        (status = 200, description = "A session begins", body = Tokens),
        (status = 401, description = "The passkey is unknown or refused, or did not sign this", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "This shop takes no passkeys", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 429, description = "Too much was refused from this address; `Retry-After` says for how long",
            body = ProblemBody, content_type = "application/problem+json"),
        WithBody,
    ),
)]
pub(super) async fn log_in(
    State(service): State<Arc<Service>>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    Json(input): Json<PasskeyLogIn>,
) -> Result<Response, Problem> {
    let agent = user_agent(&headers);
    let address = address.map(|Extension(ClientAddress(address))| address);
    Ok(answer(log_in_by_passkey(&service, &input.passkey, agent.as_deref(), address).await?))
}

/// Begins the proof that it is the owner who asks: what a passkey of the caller signs, for `POST /v1/tokens/step-up` and
/// wherever `current_password` is asked for.
#[utoipa::path(
    post, path = "/v1/tokens/step-up/begin", tag = "tokens", operation_id = "begin_step_up", security(("bearer" = [])),
    responses(
        (status = 200, description = "What the browser has a passkey sign", body = RequestOptions),
        (status = 409, description = "The caller has no passkey, or this shop takes none", body = ProblemBody,
            content_type = "application/problem+json"),
        WithToken,
    ),
)]
pub(super) async fn begin_step_up(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<Unstored<RequestOptions>, Problem> {
    Ok(unstored(begin_passkey::begin_step_up(&service, &caller).await?))
}
