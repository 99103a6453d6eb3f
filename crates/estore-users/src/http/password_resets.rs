//! A new password for those who forgot theirs.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use estore_kit::extract::Json;
use estore_kit::problem::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Done;
use super::accounts::Address;
use super::documentation::WithBody;
use crate::limits::QUIET_TIME_MIN;
use crate::operations;
use crate::secret::Secret;
use crate::service::{Service, quietly};

/// A new password and the right to set it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The token of the letter.
    #[schema(value_type = String)]
    token: Secret,
    /// 8 to 128 characters of any script, and not a common one.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 128)]
    new_password: Secret,
}

/// Sends a letter with the way to a new password, if the address has an account.
#[utoipa::path(
    post, path = "/v1/password-resets", tag = "accounts", operation_id = "request_password_reset", request_body = Address,
    responses((status = 202, description = "A letter is sent if there is an account", body = Done), WithBody),
)]
pub(super) async fn request(
    State(service): State<Arc<Service>>,
    Json(input): Json<Address>,
) -> Result<impl IntoResponse, Problem> {
    let email = input.parse()?;
    let work = async { Ok(operations::request_password_reset::request_password_reset(&service, &email).await?) };
    quietly(QUIET_TIME_MIN, work).await?;
    Ok((StatusCode::ACCEPTED, Done::with("reset_sent")))
}

/// Sets a new password by a mailed token; every session of the account ends.
#[utoipa::path(
    post, path = "/v1/password-resets/confirm", tag = "accounts", operation_id = "confirm_password_reset",
    request_body = NewPassword,
    responses((status = 200, description = "The password is set; all sessions have ended", body = Done), WithBody),
)]
pub(super) async fn confirm(
    State(service): State<Arc<Service>>,
    Json(input): Json<NewPassword>,
) -> Result<impl IntoResponse, Problem> {
    operations::confirm_password_reset::confirm_password_reset(&service, &input.token, &input.new_password).await?;
    Ok(Done::with("password_changed"))
}
