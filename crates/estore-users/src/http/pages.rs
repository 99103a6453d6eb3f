//! The pages behind mailed links, for people without a web shop. Opening one changes nothing, so that
//! mail scanners do no harm; its button does.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use estore_kit::problem::Problem;
use serde::Deserialize;

use crate::operations;
use crate::secret::Secret;
use crate::service::Service;

const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem;color:#111;background:#fff}\
    button,input{font:inherit;padding:.5rem 1rem;margin:.5rem 0;display:block}";

#[derive(Debug, Deserialize)]
pub(super) struct Link {
    token: Secret,
}

#[derive(Debug, Deserialize)]
pub(super) struct PasswordForm {
    token: Secret,
    new_password: Secret,
}

/// Asks for the press of a button.
pub(super) async fn ask_verification(Query(link): Query<Link>) -> Response {
    let form = format!(
        "<form method=\"post\" action=\"/verify-email\">{}<button>Yes, this is my address</button></form>",
        hidden_token(&link.token)
    );
    page(StatusCode::OK, "Confirm your address", &form)
}

/// Proves the address.
pub(super) async fn verify(State(service): State<Arc<Service>>, Form(link): Form<Link>) -> Response {
    match operations::verify_email::verify_email(&service, &link.token).await {
        Ok(()) => {
            let text = "<p>Your address is confirmed. You can log in with it now, and close this page.</p>";
            page(StatusCode::OK, "Thank you", text)
        }
        Err(error) => problem_page(&error.into(), ""),
    }
}

/// Asks for the new password.
pub(super) async fn ask_password(Query(link): Query<Link>) -> Response {
    page(StatusCode::OK, "Choose a new password", &password_form(&link.token))
}

/// Sets the new password; one that breaks a rule may be tried again.
pub(super) async fn reset(State(service): State<Arc<Service>>, Form(form): Form<PasswordForm>) -> Response {
    match operations::confirm_password_reset::confirm_password_reset(&service, &form.token, &form.new_password).await {
        Ok(()) => {
            let text = "<p>Your password is set, and you have been logged out everywhere. Log in with the new one.</p>";
            page(StatusCode::OK, "Thank you", text)
        }
        Err(error) => {
            let problem = Problem::from(error);
            let again = if problem.errors.is_empty() { String::new() } else { password_form(&form.token) };
            problem_page(&problem, &again)
        }
    }
}

fn password_form(token: &Secret) -> String {
    format!(
        "<form method=\"post\" action=\"/reset-password\">{}<label>New password (8 characters or more)\
         <input type=\"password\" name=\"new_password\" autocomplete=\"new-password\" minlength=\"8\" maxlength=\"128\" required>\
         </label><button>Set this password</button></form>",
        hidden_token(token)
    )
}

fn hidden_token(token: &Secret) -> String {
    format!("<input type=\"hidden\" name=\"token\" value=\"{}\">", escaped(token.reveal()))
}

fn problem_page(problem: &Problem, rest: &str) -> Response {
    let detail = problem.errors.first().map_or(problem.detail.as_str(), |error| error.detail.as_str());
    page(problem.status, "That did not work", &format!("<p>{}</p>{rest}", escaped(detail)))
}

fn page(status: StatusCode, title: &str, content: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>{content}</main></body></html>"
    );
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, Html(html)).into_response()
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, c| {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
        safe
    })
}
