//! The request being answered: its id, for logs, problems and calls to neighbours, and who asks, for the audit log.

use std::cell::Cell;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::{Builder, Uuid};

/// The header that carries the id in and out.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where a request comes from: the other end of its connection, as an extension of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The longest id taken from a caller, in characters; others get an id of ours.
const REQUEST_ID_CHARACTERS_MAX: usize = 128;

struct Request {
    id: HeaderValue,
    caller: Cell<Option<i32>>,
}

tokio::task_local! {
    static REQUEST: Request;
}

/// The id of the request that this task answers, or an empty text outside of one.
#[must_use]
pub fn current_id() -> String {
    REQUEST.try_with(|request| request.id.to_str().unwrap_or_default().to_owned()).unwrap_or_default()
}

/// The account whose access token came with the request, once it has been verified.
#[must_use]
pub fn caller() -> Option<i32> {
    REQUEST.try_with(|request| request.caller.get()).ok().flatten()
}

/// Remembers who asks; outside of a request nobody does.
pub(crate) fn note_caller(user_id: i32) {
    let _is_outside = REQUEST.try_with(|request| request.caller.set(Some(user_id)));
}

/// Runs `work` as part of the request `id`, by whoever asks now: for work that is moved to a task of its own.
pub fn within<F: Future>(id: String, work: F) -> impl Future<Output = F::Output> {
    let id = HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static(""));
    REQUEST.scope(Request { id, caller: Cell::new(caller()) }, work)
}

/// Runs `work` as a request of its own, with the id as the header has it.
pub(crate) fn scope<F: Future>(id: HeaderValue, work: F) -> impl Future<Output = F::Output> {
    REQUEST.scope(Request { id, caller: Cell::new(None) }, work)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_goes_along_into_a_task_and_not_into_the_next_request() {
        let request = || HeaderValue::from_static("r-1");
        let first = scope(request(), async {
            assert_eq!(caller(), None);
            note_caller(7);
            tokio::spawn(within(current_id(), async { (current_id(), caller()) })).await.unwrap()
        });
        assert_eq!(first.await, ("r-1".to_owned(), Some(7)));
        assert_eq!(scope(request(), async { caller() }).await, None);
        note_caller(7);
        assert_eq!(caller(), None);
    }
}
