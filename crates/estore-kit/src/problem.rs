//! Errors as RFC 9457 `application/problem+json`: the only place that knows HTTP statuses for errors.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::request;

/// The media type of every error answer.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What is wrong with one field of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer of the field in the body, or the name of the parameter.
    #[schema(example = "/lines/0/quantity")]
    pub pointer: String,
    /// A stable word for the broken rule.
    #[schema(example = "out_of_range")]
    pub code: Cow<'static, str>,
    /// The rule and the mend, for a person.
    pub detail: String,
}

/// An error answer in the making.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable word for programs; one word means one thing.
    pub code: &'static str,
    /// What happened and what to do, for a person.
    pub detail: String,
    /// The fields at fault, where the input is.
    pub errors: Vec<FieldError>,
    /// Seconds after which a repeat is worth trying.
    pub retry_after: Option<u32>,
}

/// The body of an error answer, as documented.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// A URN naming the kind of problem: `urn:estore:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status's own name.
    pub title: &'a str,
    /// The HTTP status again.
    pub status: u16,
    /// What happened and what to do.
    pub detail: &'a str,
    /// A stable word for programs.
    pub code: &'a str,
    /// The request's id, as in the `X-Request-Id` header.
    pub request_id: String,
    /// The fields at fault.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    pub errors: &'a [FieldError],
}

impl Problem {
    /// A problem of this status and code.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// 400: the request itself cannot be read.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401 with a code that says why.
    pub fn unauthorized(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    /// 403 with a code that says why.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    /// 404: there is no such thing, or it is not the caller's.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// 409: the state of things forbids it.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: the input was read, and breaks rules; each field at fault is named.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.pointer, one.detail),
            many => format!("{} fields break a rule; `errors` names each.", many.len()),
        };
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", detail);
        problem.errors = errors;
        problem
    }

    /// 503 with `Retry-After`: too busy, or a part is away; trying again is right.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1)
    }

    /// 500; the cause goes to the log, never to the answer.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(cause = %cause, request_id = %request::current_id(), "request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side. Quote the request id when you report it.",
        )
    }

    /// Adds the fields at fault.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The body as it goes out, naming this request.
    #[must_use]
    pub fn body(&self, request_id: &str) -> Vec<u8> {
        let body = ProblemBody {
            kind: format!("urn:estore:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            request_id: request_id.to_owned(),
            errors: &self.errors,
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.body(&request::current_id());
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
