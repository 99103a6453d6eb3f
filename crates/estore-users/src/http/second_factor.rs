//! One's own authenticator, and recovery codes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use estore_kit::auth::Caller;
use estore_kit::extract::Json;
use estore_kit::problem::{Problem, ProblemBody};
use serde::Deserialize;
use utoipa::ToSchema;

use super::documentation::{WithBody, WithToken};
use crate::operations::check_second_factor::Shown;
use crate::operations::enroll_totp::{self, RecoveryCodes, TotpSecret, TotpState};
use crate::secret::Secret;
use crate::service::Service;
use crate::webauthn::wire::AuthenticationCredential;

/// The first code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstCode {
    /// What the authenticator shows.
    #[schema(value_type = String, example = "287082")]
    totp: Secret,
}

/// The proof that the owner asks, by both steps.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnerProof {
    /// The present password; a passkey whose authenticator checks who uses it does in its place.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "password")]
    pub(super) current_password: Option<Secret>,
    /// What the authenticator shows; for accounts that log in by two steps, this or a recovery code.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "287082")]
    pub(super) totp: Option<Secret>,
    /// One of the recovery codes; it does once.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "MFRG-GZDF-MZTW-Q2LK")]
    pub(super) recovery_code: Option<Secret>,
    /// What a passkey answers to the challenge of `POST /v1/tokens/step-up/begin`.
    #[serde(default)]
    pub(super) passkey: Option<AuthenticationCredential>,
}

impl OwnerProof {
    pub(super) fn shown(&self) -> Shown<'_> {
        Shown { totp: self.totp.as_ref(), recovery_code: self.recovery_code.as_ref(), passkey: self.passkey.as_ref() }
    }
}

pub(super) type Unstored<T> = ([(HeaderName, HeaderValue); 1], axum::Json<T>);

pub(super) fn unstored<T>(body: T) -> Unstored<T> {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], axum::Json(body))
}

/// Whether the caller has an authenticator, and how many recovery codes.
#[utoipa::path(
    get, path = "/v1/users/me/totp", tag = "accounts", operation_id = "show_totp", security(("bearer" = [])),
    responses((status = 200, description = "What the account has", body = TotpState), WithToken),
)]
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
) -> Result<axum::Json<TotpState>, Problem> {
    Ok(axum::Json(enroll_totp::state(&service, &caller).await?))
}

/// Begins to log in by two steps: answers the secret for the authenticator, whose first code confirms it within an hour.
#[utoipa::path(
    post, path = "/v1/users/me/totp", tag = "accounts", operation_id = "begin_totp", request_body = OwnerProof,
    security(("bearer" = [])),
    responses(
        (status = 201, description = "The secret, shown this once", body = TotpSecret),
        (status = 403, description = "The address is not proved, the present password is wrong, or no second step came with it",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The account has an authenticator already", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 429, description = "The password was wrong too often", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody, WithToken,
    ),
)]
pub(super) async fn begin(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(input): Json<OwnerProof>,
) -> Result<(StatusCode, Unstored<TotpSecret>), Problem> {
    let begun = enroll_totp::begin(&service, &caller, input.current_password.as_ref(), input.shown()).await?;
    Ok((StatusCode::CREATED, unstored(begun)))
}

/// Confirms by the first code. Log-ins take two steps from then on.
#[utoipa::path(
    post, path = "/v1/users/me/totp/confirm", tag = "accounts", operation_id = "confirm_totp", request_body = FirstCode,
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Recovery codes, shown this once", body = RecoveryCodes),
        (status = 409, description = "Nothing waits to be confirmed", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody, WithToken,
    ),
)]
pub(super) async fn confirm(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(input): Json<FirstCode>,
) -> Result<Unstored<RecoveryCodes>, Problem> {
    Ok(unstored(enroll_totp::confirm(&service, &caller, &input.totp).await?))
}

/// Ends the authenticator. Passkeys that are a second step stay so.
#[utoipa::path(
    delete, path = "/v1/users/me/totp", tag = "accounts", operation_id = "end_totp", request_body = OwnerProof,
    security(("bearer" = [])),
    responses(
        (status = 204, description = "Its codes are no longer asked for"),
        (status = 403, description = "The address is not proved, the present password is wrong, or no code came \
            with it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The account has no authenticator", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 429, description = "Either was wrong too often", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody, WithToken,
    ),
)]
pub(super) async fn end(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(input): Json<OwnerProof>,
) -> Result<StatusCode, Problem> {
    enroll_totp::end(&service, &caller, input.current_password.as_ref(), input.shown()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// New recovery codes in place of all old ones, after the password and a code.
#[utoipa::path(
    post, path = "/v1/users/me/totp/recovery-codes", tag = "accounts", operation_id = "renew_recovery_codes",
    request_body = OwnerProof, security(("bearer" = [])),
    responses(
        (status = 200, description = "They are shown this once", body = RecoveryCodes),
        (status = 403, description = "The address is not proved, the present password is wrong, or no code came \
            with it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The account does not log in by two steps", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 429, description = "Either was wrong too often", body = ProblemBody,
            content_type = "application/problem+json"),
        WithBody, WithToken,
    ),
)]
pub(super) async fn renew_codes(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(input): Json<OwnerProof>,
) -> Result<Unstored<RecoveryCodes>, Problem> {
    let proof = (input.current_password.as_ref(), input.shown());
    Ok(unstored(enroll_totp::renew_codes(&service, &caller, proof.0, proof.1).await?))
}
