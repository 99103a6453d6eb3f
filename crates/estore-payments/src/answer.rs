//! A finished HTTP answer that can be stored and given again byte for byte.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use estore_kit::field::{Fields, SealError};
use estore_kit::problem::{PROBLEM_JSON, Problem};
use estore_kit::request;
use serde::Serialize;
use uuid::Uuid;

use crate::personal::metadata_of;

/// The header that marks a replayed answer.
pub(crate) const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Status and body as they go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) retry_after: Option<u32>,
    pub(crate) is_replay: bool,
    /// What came of the request, in a word of ours, for counting.
    pub(crate) outcome: &'static str,
    /// The checkout whose metadata may be in the body, where its personal leaves are sealed.
    pub(crate) about: Option<Uuid>,
}

impl Answer {
    /// JSON with this status.
    pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default().into();
        let outcome = if status == StatusCode::ACCEPTED { "requires_action" } else { "placed" };
        Self { status: status.as_u16(), body, retry_after: None, is_replay: false, outcome, about: None }
    }

    /// An answer out of the store, to a request that made this checkout or refund.
    pub(crate) fn replay(status: i16, body: Vec<u8>, about: Uuid) -> Self {
        let status = u16::try_from(status).unwrap_or(500);
        let about = Some(about);
        Self { status, body: body.into(), retry_after: None, is_replay: true, outcome: "replayed", about }
    }

    /// The answer as it is shown. It is stored as it was before.
    pub(crate) fn shown(mut self, fields: &Fields) -> Result<Self, SealError> {
        if let Some(checkout) = self.about
            && let Ok(text) = std::str::from_utf8(&self.body)
            && let Cow::Owned(opened) = fields.open_json(text, metadata_of(checkout))?
        {
            self.body = opened.into();
        }
        Ok(self)
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let body = problem.body(&request::current_id()).into();
        let (status, outcome) = (problem.status.as_u16(), problem.code);
        Self { status, body, retry_after: problem.retry_after, is_replay: false, outcome, about: None }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let kind = if self.status >= 400 { PROBLEM_JSON } else { "application/json" };
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.is_replay {
            headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
