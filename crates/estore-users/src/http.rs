//! The routes: read the request, call the operation, answer.

mod accounts;
mod administration;
mod api_keys;
mod documentation;
mod internal;
mod keys;
mod pages;
mod passkeys;
mod password_resets;
mod profile;
mod second_factor;
mod sessions;
mod tokens;

use std::sync::Arc;

use axum::routing::{get, post};
use estore_api::users::{API_KEY_ROUTE, ENDED_SESSIONS_ROUTE, NOTICES_ROUTE};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::service::Service;

/// What was done, where there is nothing else to tell.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountDone)]
pub(crate) struct Done {
    /// A stable word.
    #[schema(example = "verification_sent")]
    status: &'static str,
}

impl Done {
    fn with(status: &'static str) -> axum::Json<Self> {
        axum::Json(Self { status })
    }
}

/// All routes, with their documentation; pages for people are not part of it.
pub(crate) fn router(service: Arc<Service>) -> OpenApiRouter {
    OpenApiRouter::with_openapi(documentation::Documentation::openapi())
        .routes(routes!(accounts::register, administration::list))
        .routes(routes!(accounts::verify))
        .routes(routes!(accounts::resend))
        .routes(routes!(tokens::log_in, tokens::log_out))
        .routes(routes!(tokens::refresh))
        .routes(routes!(tokens::step_up))
        .routes(routes!(password_resets::request))
        .routes(routes!(password_resets::confirm))
        .routes(routes!(profile::show, profile::change, profile::erase))
        .routes(routes!(profile::export))
        .routes(routes!(sessions::list, sessions::revoke_others))
        .routes(routes!(sessions::revoke))
        .routes(routes!(second_factor::show, second_factor::begin, second_factor::end))
        .routes(routes!(second_factor::confirm))
        .routes(routes!(second_factor::renew_codes))
        .routes(routes!(passkeys::begin))
        .routes(routes!(passkeys::list, passkeys::add))
        .routes(routes!(passkeys::rename, passkeys::remove))
        .routes(routes!(passkeys::begin_log_in))
        .routes(routes!(passkeys::log_in))
        .routes(routes!(passkeys::begin_step_up))
        .routes(routes!(administration::show, administration::change))
        .routes(routes!(api_keys::create, api_keys::list))
        .routes(routes!(api_keys::revoke))
        .routes(routes!(keys::publish))
        .route("/verify-email", get(pages::ask_verification).post(pages::verify))
        .route("/reset-password", get(pages::ask_password).post(pages::reset))
        .with_state(service)
}

/// The routes for neighbours in other processes.
pub(crate) fn internal(service: Arc<Service>) -> axum::Router {
    axum::Router::new()
        .route(NOTICES_ROUTE, post(internal::notify))
        .route(API_KEY_ROUTE, post(internal::find_api_key))
        .route(ENDED_SESSIONS_ROUTE, post(internal::ended_sessions))
        .with_state(service)
}
