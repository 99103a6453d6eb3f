//! Registering and proving an address.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use estore_kit::extract::Json;
use estore_kit::problem::Problem;
use estore_kit::validate::Rules;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Done;
use super::documentation::WithBody;
use crate::email::Email;
use crate::limits::QUIET_TIME_MIN;
use crate::operations;
use crate::secret::Secret;
use crate::service::{Service, quietly};

/// Somebody who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    /// The address, stored in lower case.
    #[schema(format = "email", min_length = 3, max_length = 255, example = "ada@example.com")]
    email: String,
    /// 8 to 128 characters of any script, and not a common one.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 128, example = "kartoffel-turm-9")]
    password: Secret,
}

/// A mailed token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailedToken {
    /// The token of the letter.
    #[schema(value_type = String)]
    token: Secret,
}

/// An address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountAddress)]
pub(crate) struct Address {
    /// The address of the account.
    #[schema(format = "email", max_length = 255, example = "ada@example.com")]
    email: String,
}

impl Address {
    pub(super) fn parse(&self) -> Result<Email, Problem> {
        let mut rules = Rules::new();
        let email = Email::check(&self.email, "/email", &mut rules);
        rules.finish()?;
        email.ok_or_else(|| Problem::internal("an address was neither taken nor refused"))
    }
}

/// Registers an account; the owner of the address is told by mail, and the answer is the same for a taken one. An address that
/// nobody has proved may be registered again: each letter confirms the registration that it was sent for. The account logs in once
/// its address is proved, unless the shop lets it in before (`users.unverified_may_log_in`).
#[utoipa::path(
    post, path = "/v1/users", tag = "accounts", operation_id = "register", request_body = Registration,
    responses((status = 202, description = "The owner of the address gets a letter", body = Done), WithBody),
)]
pub(super) async fn register(
    State(service): State<Arc<Service>>,
    Json(input): Json<Registration>,
) -> Result<impl IntoResponse, Problem> {
    let work = async { Ok(operations::register::register(&service, &input.email, &input.password).await?) };
    quietly(QUIET_TIME_MIN, work).await?;
    Ok((StatusCode::ACCEPTED, Done::with("verification_sent")))
}

/// Proves an address by a mailed token, of a new account, with the password of its registration, or of a change of address.
#[utoipa::path(
    post, path = "/v1/users/verify", tag = "accounts", operation_id = "verify_email", request_body = MailedToken,
    responses(
        (status = 200, description = "The address is proved", body = Done),
        (status = 409, description = "Another account has the address by now", body = estore_kit::problem::ProblemBody,
            content_type = "application/problem+json"),
        WithBody,
    ),
)]
pub(super) async fn verify(
    State(service): State<Arc<Service>>,
    Json(input): Json<MailedToken>,
) -> Result<impl IntoResponse, Problem> {
    operations::verify_email::verify_email(&service, &input.token).await?;
    Ok(Done::with("verified"))
}

/// Sends the verification letter once more, if an account waits for it; once a minute and five times a day. Where the address
/// was registered more than once, it is one for choosing a password, which verifies too.
#[utoipa::path(
    post, path = "/v1/users/verify/resend", tag = "accounts", operation_id = "resend_verification", request_body = Address,
    responses((status = 202, description = "A letter is sent if an account waits for it", body = Done), WithBody),
)]
pub(super) async fn resend(
    State(service): State<Arc<Service>>,
    Json(input): Json<Address>,
) -> Result<impl IntoResponse, Problem> {
    let email = input.parse()?;
    let work = async { Ok(operations::resend_verification::resend_verification(&service, &email).await?) };
    quietly(QUIET_TIME_MIN, work).await?;
    Ok((StatusCode::ACCEPTED, Done::with("verification_sent")))
}
