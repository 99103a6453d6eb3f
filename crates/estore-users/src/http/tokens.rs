//! Sessions: logging in, going on, logging out.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use estore_kit::auth::Caller;
use estore_kit::extract::Json;
use estore_kit::problem::{Problem, ProblemBody};
use estore_kit::request::ClientAddress;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::documentation::{WithBody, WithToken};
use super::second_factor::OwnerProof;
use crate::limits::USER_AGENT_CHARACTERS_MAX;
use crate::operations;
use crate::operations::check_second_factor::Shown;
use crate::operations::log_in::{Attempt, TokenPair};
use crate::secret::Secret;
use crate::service::Service;
use crate::store::sessions::end_session;
use crate::webauthn::wire::AuthenticationCredential;

/// Who wants a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogIn {
    /// The address of the account.
    #[schema(format = "email", example = "ada@example.com")]
    email: String,
    /// Its password.
    #[schema(value_type = String, format = "password")]
    password: Secret,
    /// What the authenticator shows; for accounts that log in by two steps, this or a recovery code.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "287082")]
    totp: Option<Secret>,
    /// One of the recovery codes; it does once.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    recovery_code: Option<Secret>,
    /// What a passkey answers to the challenge of `POST /v1/tokens/passkey/begin` with `{"beside_password": true}`.
    #[serde(default)]
    passkey: Option<AuthenticationCredential>,
    /// With a one-time password, and only with one: the password that takes its place.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "password")]
    new_password: Option<Secret>,
}

/// A session that is to go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    /// The refresh token that was answered last.
    #[schema(value_type = String)]
    refresh_token: Secret,
}

/// The tokens of a session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// For the header `Authorization: Bearer …`.
    #[schema(value_type = String)]
    access_token: Secret,
    /// For one exchange at `/v1/tokens/refresh`.
    #[schema(value_type = String)]
    refresh_token: Secret,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How long the access token is good for, in seconds.
    #[schema(example = 900)]
    expires_in: u32,
}

/// Another access token of a session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FreshToken {
    /// For the header `Authorization: Bearer …`.
    #[schema(value_type = String)]
    access_token: Secret,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How long it is good for, in seconds.
    #[schema(example = 900)]
    expires_in: u32,
}

pub(super) fn answer(pair: TokenPair) -> Response {
    let body = Tokens {
        access_token: pair.access,
        refresh_token: pair.refresh,
        token_type: "Bearer",
        expires_in: pair.seconds,
    };
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], axum::Json(body)).into_response()
}

/// Logs in. Where the shop asks for proved addresses (`users.unverified_may_log_in` is false, as by default), an account whose
/// address is not proved is answered as a wrong password is.
#[utoipa::path(
    post, path = "/v1/tokens", tag = "tokens", operation_id = "log_in", request_body = LogIn,
    responses(
        (status = 200, description = "A session begins", body = Tokens),
        (status = 401, description = "`invalid_credentials`: the address or the password is wrong, or the address has not been \
            proved by its letter, all alike; or what came beside the password is wrong", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 403, description = "`totp_required` or `passkey_required`: the account asks for a second step beside the \
            password; or `password_change_required`: a one-time password came without new_password", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "A passkey came, and this shop takes none", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 429, description = "Wrong passwords were tried too often, for the account or from the address; \
            `Retry-After` says for how long this one is not looked at", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody,
    ),
)]
pub(super) async fn log_in(
    State(service): State<Arc<Service>>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    Json(input): Json<LogIn>,
) -> Result<Response, Problem> {
    let agent = user_agent(&headers);
    let attempt = Attempt {
        email: &input.email,
        password: &input.password,
        shown: Shown {
            totp: input.totp.as_ref(),
            recovery_code: input.recovery_code.as_ref(),
            passkey: input.passkey.as_ref(),
        },
        new_password: input.new_password.as_ref(),
        user_agent: agent.as_deref(),
        address: address.map(|Extension(ClientAddress(address))| address),
    };
    let begun = operations::log_in::log_in(&service, &attempt).await;
    Ok(answer(begun.map_err(|error| error.told(service.config.unverified_may_log_in))?))
}

/// Exchanges a refresh token for new tokens. A token used twice ends its session.
#[utoipa::path(
    post, path = "/v1/tokens/refresh", tag = "tokens", operation_id = "refresh_session", request_body = Refresh,
    responses(
        (status = 200, description = "The session goes on", body = Tokens),
        (status = 401, description = "The token is not good; log in again", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody,
    ),
)]
pub(super) async fn refresh(
    State(service): State<Arc<Service>>,
    Json(input): Json<Refresh>,
) -> Result<Response, Problem> {
    Ok(answer(operations::refresh_session::refresh_session(&service, &input.refresh_token).await?))
}

/// Proves once more that it is the owner who asks, for what takes a recent log-in: roles, API keys and passkeys.
#[utoipa::path(
    post, path = "/v1/tokens/step-up", tag = "tokens", operation_id = "step_up", request_body = OwnerProof,
    security(("bearer" = [])),
    responses(
        (status = 200, description = "A fresh access token of the same session", body = FreshToken),
        (status = 403, description = "The address is not proved, the present password or the passkey is wrong, or no second step \
            came with it",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "A passkey came, and this shop takes none", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 429, description = "Either was wrong too often", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody, WithToken,
    ),
)]
pub(super) async fn step_up(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(input): Json<OwnerProof>,
) -> Result<Response, Problem> {
    let access_token =
        operations::step_up::step_up(&service, &caller, input.current_password.as_ref(), input.shown()).await?;
    let body = FreshToken { access_token, token_type: "Bearer", expires_in: service.signer.seconds() };
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], axum::Json(body)).into_response())
}

/// Logs out: the session of the access token ends. Its access tokens are refused everywhere within a second.
#[utoipa::path(
    delete, path = "/v1/tokens", tag = "tokens", operation_id = "log_out", security(("bearer" = [])),
    responses((status = 204, description = "The session has ended"), WithToken),
)]
pub(super) async fn log_out(State(service): State<Arc<Service>>, caller: Caller) -> Result<StatusCode, Problem> {
    if let Ok(session) = Uuid::parse_str(&caller.session_id) {
        end_session(&service.db.client().await?, session, caller.user_id).await?;
        service.revoke(&caller.session_id);
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(USER_AGENT_CHARACTERS_MAX).collect())
}
