//! The id of the request being answered, for logs, problems and calls to neighbours.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

/// The header that carries the id in and out.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id taken from a caller, in characters; others get an id of ours.
const REQUEST_ID_CHARACTERS_MAX: usize = 128;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// The id of the request that this task answers, or an empty text outside of one.
#[must_use]
pub fn current_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Runs `work` as part of the request `id`: for work that is moved to a task of its own.
pub async fn within<F: Future>(id: String, work: F) -> F::Output {
    REQUEST_ID.scope(id, work).await
}

/// Takes the caller's id or makes one, and puts it on the answer.
pub async fn identify(request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| is_acceptable(id))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    let header = HeaderValue::from_str(&id);
    let mut response = REQUEST_ID.scope(id, next.run(request)).await;
    if let Ok(value) = header {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}

fn is_acceptable(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= REQUEST_ID_CHARACTERS_MAX
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
}
