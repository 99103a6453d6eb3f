//! The id of the request being answered, for logs, problems and calls to neighbours.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::{Builder, Uuid};

/// The header that carries the id in and out.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id taken from a caller, in characters; others get an id of ours.
const REQUEST_ID_CHARACTERS_MAX: usize = 128;

tokio::task_local! {
    static REQUEST_ID: HeaderValue;
}

/// The id of the request that this task answers, or an empty text outside of one.
#[must_use]
pub fn current_id() -> String {
    REQUEST_ID.try_with(|id| id.to_str().unwrap_or_default().to_owned()).unwrap_or_default()
}

/// Runs `work` as part of the request `id`: for work that is moved to a task of its own.
pub async fn within<F: Future>(id: String, work: F) -> F::Output {
    let id = HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static(""));
    scope(id, work).await
}

/// The same, with the id as the header has it.
pub(crate) fn scope<F: Future>(id: HeaderValue, work: F) -> impl Future<Output = F::Output> {
    REQUEST_ID.scope(id, work)
}

/// The caller's id, or a new one.
pub(crate) fn identify(headers: &HeaderMap) -> HeaderValue {
    headers.get(X_REQUEST_ID).filter(|id| is_acceptable(id.as_bytes())).cloned().unwrap_or_else(new_id)
}

/// A UUID of version 7, from the thread's generator: the system's would be asked once a request.
fn new_id() -> HeaderValue {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let id = Builder::from_unix_timestamp_millis(u64::try_from(since).unwrap_or(u64::MAX), &rand::random()).into_uuid();
    let mut text = Uuid::encode_buffer();
    HeaderValue::from_str(id.hyphenated().encode_lower(&mut text)).unwrap_or(HeaderValue::from_static("unknown"))
}

fn is_acceptable(id: &[u8]) -> bool {
    !id.is_empty()
        && id.len() <= REQUEST_ID_CHARACTERS_MAX
        && id.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(b))
}
